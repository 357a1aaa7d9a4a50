import assert from "node:assert/strict";
import type * as z from "zod/mini";
import { REFUSAL_REASONS } from "../../../shared/channel/handshake_error.ts";
import * as clientLimits from "../../../client/base/limits.ts";
import * as serverLimits from "../../../server/config/limits.ts";
import * as sharedLimits from "../../../shared/base/limits.ts";
import {
  CLIENT_MESSAGES,
  HANDSHAKE,
  HANDSHAKE_ANSWER,
  SERVER_MESSAGES,
  SYSTEM_EVENTS,
} from "../../../shared/messages/messages_v1.ts";
import { EMPTY_FRAMES_MAX } from "../../../shared/websocket/frame_reader.ts";
import { HTTP_HEAD_MAX_BYTES } from "../../../shared/websocket/http_head.ts";
import { REQUEST_MAX_BYTES } from "../../../shared/messages/request_sizes.ts";
import { SITE_SHARE } from "../../../server/limits/ip_network.ts";
import { REQUEST_RULES } from "../../../server/handlers/request_rules.ts";
import { EVENTS, REQUESTS } from "../../../shared/messages/messages_v2.ts";
import { PIECE_MAX_BYTES } from "../../../shared/channel/record_batch.ts";
import { RECORD_MAX_CONTENT } from "../../../shared/channel/record_cipher.ts";
import { V1_PAYLOAD_MAX_BYTES } from "../../../shared/channel/envelope_v1.ts";

const limits = {
  ...sharedLimits,
  ...serverLimits,
  ...clientLimits,
  EMPTY_FRAMES_MAX,
  HTTP_HEAD_MAX_BYTES,
};

const text = await Deno.readTextFile(new URL("../../../docs/PROTOCOL.md", import.meta.url));
// Line breaks in running text stand where the formatter wants them.
const running = text.replaceAll(/\n +/g, " ").replaceAll("\n", " ");

function section(title: string): string {
  const start = text.indexOf(`\n${title}`);
  assert.ok(start >= 0, `there is no section "${title}"`);
  const end = text.slice(start + 1).search(/\n#{1,3} /);
  return text.slice(start, end < 0 ? undefined : start + 1 + end);
}

/** Rows of the tables in a section, cell by cell, without heads and rules. */
function rowsOf(title: string): string[][] {
  return section(title).split("\n")
    .filter((line) => line.startsWith("|"))
    .map((line) => line.slice(1, -1).split("|").map((cell) => cell.trim()))
    .filter((_, at, all) =>
      !/^-+$/.test(all[at]?.[0] ?? "") && !/^-+$/.test(all[at + 1]?.[0] ?? "")
    );
}

const unquoted = (cell: string | undefined) => (cell ?? "").replaceAll(/[`?]/g, "");

function fieldsOf(schema: z.ZodMiniType): string[] {
  return Object.keys((schema as z.ZodMiniObject).shape).filter((field) => field !== "type");
}

for (const [title, table] of [["### 7.1", REQUESTS], ["### 7.2", EVENTS]] as const) {
  Deno.test(`docs/PROTOCOL.md ${title.slice(4)} lists every v2 message with its number and fields`, () => {
    const expected = Object.entries(table).map(([kind, row], number) => [
      `${number}`,
      kind,
      Object.keys(row).join(", "),
    ]);
    const rows = rowsOf(title).map(([number, kind, fields]) => [number, unquoted(kind), fields]);
    assert.deepEqual(rows, expected);
  });
}

for (
  const [title, table] of [["### 3.5", CLIENT_MESSAGES], ["### 3.6", SERVER_MESSAGES]] as const
) {
  Deno.test(`docs/PROTOCOL.md ${title.slice(4)} lists every v1 message with its fields`, () => {
    const rows = rowsOf(title).filter(([, fields]) => /^`|^$/.test(fields ?? ""));
    const documented = Object.fromEntries(rows.map(([kind, fields]) => {
      const all = unquoted(fields).replace("…", "client_id, room, timestamp");
      return [unquoted(kind), all === "" ? [] : all.split(", ").sort()];
    }));
    for (const [kind, schema] of Object.entries(table)) {
      assert.deepEqual(documented[kind], fieldsOf(schema as z.ZodMiniType).sort(), kind);
    }
  });
}

Deno.test("docs/PROTOCOL.md lists every field of the v1 handshake and its answer", () => {
  const [ok] = HANDSHAKE_ANSWER.def.options;
  const documented = (title: string) =>
    rowsOf(title).map(([field]) => unquoted(field)).filter((field) => field !== "type");
  assert.deepEqual(documented("### 3.1").sort(), fieldsOf(HANDSHAKE).sort());
  // The two echoes are of no use to our client, which does not read them.
  assert.deepEqual(
    documented("### 3.2").sort(),
    [...fieldsOf(ok), "renderer", "buffer_size"].sort(),
  );
});

Deno.test("docs/PROTOCOL.md names every event and every reason for a refusal", () => {
  for (const event of SYSTEM_EVENTS) assert.ok(section("### 3.6").includes(`\`${event}\``), event);
  for (const reason of Object.keys(REFUSAL_REASONS)) {
    assert.ok(text.includes(`\`${reason}\``), reason);
  }
});

const SECOND = 1_000;
const KIB = 1_024;
const NUMBERS_OF_SESSIONS: ReadonlyArray<readonly [value: number, words: string]> = [
  [limits.BUSY_PAUSE_MAX_MS, "an integer from 0 to N, in milliseconds"],
  [limits.HTTP_HEAD_MAX_BYTES, "A head has at most N bytes"],
  [limits.EMPTY_FRAMES_MAX, "1008 for more than N frames in succession"],
  [limits.RATE_LIMIT_MESSAGES, "exceeds the rate (N in any period of 5 seconds"],
  [limits.RATE_LIMIT_SECONDS, "in any period of N seconds"],
  [limits.FILE_PART_RECEIVERS_MAX, "in a `part` an array of 1 to N of them"],
  [limits.OPS_MAX, "an array of at most N of them; `locked`"],
  [limits.OTHER_SERVERS_MAX, "for each of at most N servers (8.4)"],
  [limits.HOST_MAX_CHARACTERS, "of at most N characters out of"],
  [limits.RATE_MAX.messages, "`rateMessages` N,"],
  [limits.HOLD_MAX_S, "`rateSeconds` and `hold` N;"],
  [limits.FILE_PULL_CHUNKS_MAX, "`count` of a `pull` N;"],
  [limits.MODERATION_MAX_S, "`seconds` and `slow` N,"],
  [limits.INVITE_MAX_S, "`seconds` of an `invite` N and at least 1"],
  [limits.INVITE_USES_MAX, "`uses` N;"],
  [limits.BACKLOG_MAX_LINES, "`lines` and `backlog` N;"],
  [limits.BACKLOG_MAX_LINES, "the last `lines`, 0 to N,"],
  [limits.BACKLOG_MAX_BYTES, "The server keeps at most N bytes of them for a room"],
  [limits.REACTION_MAX_BYTES, "puts one emoji (at most N bytes of UTF-8)"],
  [limits.REACTIONS_MAX.member, "count at most N emoji of one member"],
  [limits.REACTIONS_MAX.kinds, "and N in total under a chat"],
  [limits.EXPECTED_BACK_MS / SECOND, "resumed the session within N seconds"],
  [limits.OPS_MAX, "the maker makes up to N v2 clients"],
  [limits.PIN_TEXT_MAX_BYTES, "the text of the pin, at most N bytes"],
  [limits.JOIN_RATE.messages, "into one room more than N times at once"],
  [limits.FILE_PULL_AGAIN_MS / SECOND, "after N seconds without a chunk"],
  [limits.TAKEN_PARTS.parts, "MUST send one after N parts or"],
  [limits.TAKEN_PARTS.waitMs, "parts or N ms, whichever comes first"],
  [limits.FILE_PULLS.times, "one receiver at most N times the chunks of a file"],
  [limits.FILE_PULLS.chunks, "times the chunks of a file plus N."],
  [limits.FILE_PULLS.receivers, "it remembers N receivers of a file"],
  [
    limits.FILE_SERVED_MAX + limits.FILE_TRANSFERS_PER_SENDER,
    "The server knows the last N offers of a sender",
  ],
  [limits.FILE_SERVED_MS / 60_000, "keep a file open for N minutes"],
  [limits.PUSHED_FILES.waitingBytes / KIB, "while more than N KiB wait for one of them"],
  [limits.PUSHED_FILES.patienceMs, "waits for up to N ms"],
  [limits.PUSHED_FILES.times, "loses the file if N such waits"],
  [limits.PUSHED_FILES.mostBytes / KIB / KIB, "if more than N MiB of files wait for it"],
  [limits.OUTBOX_BUDGET.reserve / KIB, "Up to N KiB that wait for a client never count"],
  [limits.FILE_RECEIPTS_MAX, "at most N times for each file"],
  [limits.INVITES_PER_TOKEN, "At most N invites of one token"],
  [limits.INVITES_PER_SOURCE, "of one token, N of one source"],
  [limits.INVITES_MAX, "and N of a server are open"],
  [limits.PROOF_ASKS.messages, "questions of one session above N in 5 seconds"],
  [limits.PROOF_PATIENCE_MS / SECOND, "no proof within N seconds"],
  [limits.TOKEN_MAX_BYTES, "percent-encoded, at most N bytes"],
  [limits.CONNECTIONS_MAX, "N connections, 64 from one address"],
  [limits.CONNECTIONS_PER_ADDRESS_MAX, "connections, N from one address"],
  [limits.ROOMS_MAX, "from one address, N rooms"],
  [limits.FILE_CHUNK_BYTES, "`data` (0 to N)"],
  [limits.SEALED_RING.bytes / KIB / KIB, "frames and N MiB of them"],
  [limits.SEALED_CHUNKS_ALL_MAX, "from one member and N from all"],
  [limits.SEALED_FRESH_MAX, "has had fewer than N turns in vain"],
  [limits.SEALED_FRESH_MAX * SITE_SHARE, "and its site (W5) fewer than N"],
  [limits.SEALED_JOIN_TURN_MS.least / SECOND, "in vain, N at least"],
];

Deno.test("the numbers in docs/PROTOCOL.md are those of the code", () => {
  const inWords = (value: number) => value.toLocaleString("en-US");
  const numbers: ReadonlyArray<readonly [value: number, words: string]> = [
    [limits.FRAME_MAX_BYTES, "`length` counts the body alone and MUST be from 1 to N"],
    [V1_PAYLOAD_MAX_BYTES, "A payload has at most N bytes"],
    [limits.MESSAGE_MAX_BYTES, "`chat.message` has 1 to N bytes"],
    [limits.FILE_MAX_BYTES, "`filesize` has 1 to N bytes"],
    [limits.FILE_CHUNK_BYTES, "`chunk_data` is base64 of N bytes"],
    [limits.HANDSHAKE_MAX_BYTES, "A handshake message above N bytes MUST be refused"],
    [limits.RECORD_MAX_BYTES - 4, "`length` MUST be from 17 to N:"],
    [limits.RECORD_MAX_BYTES, "a record has at most N bytes with its header"],
    [RECORD_MAX_CONTENT, "carries at most N bytes"],
    [PIECE_MAX_BYTES, "A message of up to N bytes is one piece"],
    [limits.BODY_MAX_BYTES, "A message has 1 to N bytes"],
    [limits.HELLO_MAX_BYTES, "(hello) at most N"],
    [limits.ROOM_MEMORY_EVENTS, "as far as the room remembers: N events"],
    [limits.DECLINED_REMEMBERED, "the last N refusals are remembered"],
    [limits.LINK_MAX_CHARACTERS, "A link has at most N characters"],
    [limits.HANDSHAKE_DEADLINE_MS / 1_000, "MUST be complete within N seconds"],
    [limits.HEARTBEAT_INTERVAL_S, "The server pings every N seconds"],
    [limits.HEARTBEAT_TIMEOUT_MS / 1_000, "N seconds without one end the connection"],
    [limits.REKEY_MS / 60_000, "sealed N minutes or more"],
    [limits.HOLD_S, "N seconds of holding"],
    [limits.SEALED_BODY_MAX_BYTES, "a `body` has 1 to N bytes"],
    [limits.SEALED_APP_MAX_BYTES, "that of a `sealed_app` at most N"],
    [limits.SEALED_CHUNK_MAX_BYTES, "that of a `sealed_chunk` at most N"],
    [limits.SEALED_PULL_MAX_BYTES, "that of a `sealed_pull` at most N"],
    [limits.SEALED_MEMBERS_MAX, "A room has at most N members"],
    [limits.SEALED_ROOMS_PER_SESSION, "is in at most N sealed rooms"],
    [limits.SEALED_RING.frames, "the relay keeps N frames"],
    [limits.SEALED_MEMORY_BUDGET.most / 2 ** 20, "N MiB of all rooms"],
    [limits.SEALED_BRING_BACK_MS / 1_000, "for N seconds, a member in that list that attaches"],
    [limits.SEALED_GROUP_INFO_MS / 1_000, "as many more as have not answered after N seconds"],
    [limits.SEALED_JOIN_TURN_MS.first / 1_000, "ends with the commit, or after N seconds"],
    [limits.SEALED_GUESTS_MAX, "has a turn at the limit) and N guests"],
    [limits.SEALED_GUESTS_OF_A_SOURCE, "guests, N of one source"],
    [limits.SEALED_GUEST_IDLE_MS / 1_000, "has asked for none for N seconds"],
    [limits.SEALED_CHECK_MS / 1_000, "have not answered after N seconds, or the next after a no"],
    [limits.SEALED_CHECK_DENIALS, "If N of them say no, or all others nothing"],
    [limits.SEALED_VOTES_OPEN_MAX, "While N commits wait for half of their voters"],
    [limits.SEALED_VOTE_MS / 1_000, "For N seconds after a commit"],
    [limits.SEALED_PENALTY_MS.first / 1_000, "may attach again after N seconds"],
    [limits.SEALED_EVICT_MS / 1_000, "(`sealed_evict_please`), the next after N seconds"],
    [limits.SEALED_EVICT_PAUSE_MS / 1_000, "there is a pause of N seconds"],
    [limits.SEALED_PULL_CHUNKS_MAX, "A receiver asks for 1 to N chunks"],
    [limits.SEALED_CHUNKS_OPEN_MAX, "at most N that have not come from one member"],
    [limits.SESSION_ROOMS_MAX, "A client is in 0 to N rooms"],
    [limits.MEMBERS_PART_MAX, "at most N in one message; `more`"],
    [limits.AUTHORS_REMEMBERED, "for the last N chats of a room"],
    [limits.MAILBOX_MAX_BYTES, "up to N bytes for one client, and declined beyond"],
    [limits.TOPIC_MAX_BYTES, "what the room is about, at most N bytes"],
    [limits.AWAY_TEXT_MAX_BYTES, "why it does not answer, at most N bytes"],
    [limits.TYPING_QUIET_MS / 1_000, "is passed on at most once in N seconds"],
    [limits.FILE_TRANSFERS_PER_SENDER, "One sender has at most N files on their way"],
  ];
  const sentences = [...numbers, ...NUMBERS_OF_SESSIONS].map(([value, words]) =>
    words.replace("N", inWords(value))
  );
  assert.deepEqual(sentences.filter((sentence) => !running.includes(sentence)), []);
});

/** Numbers that a member of a sealed room keeps to itself: file, constant, what one of it is, and the words. */
const NUMBERS_OF_MEMBERS: ReadonlyArray<
  readonly [file: string, name: string, unit: number, words: string]
> = [
  [
    "sealed_engine/frame_handler.ts",
    "CONFIRM_TURN_MS",
    SECOND,
    "the next one after N seconds, at most 4",
  ],
  ["sealed_engine/frame_handler.ts", "CONFIRMERS", 1, "after 2 seconds, at most N."],
  ["sealed_engine/entry.ts", "ENTER_MS", SECOND, "has not come back after N seconds asks for a"],
  ["sealed_engine/entry.ts", "CONFIRM_MS", SECOND, "has confirmed it, and warns after N seconds"],
  ["sealed_engine/frame_handler.ts", "VOID_MS", SECOND, "for N seconds or until the next commit"],
  ["sealed_engine/frame_handler.ts", "ROTATE_MS", 60 * SECOND, "every N minutes ± 20 %"],
  ["sealed_engine/frame_handler.ts", "ROTATE_PER_MEMBERS", 1, "in rooms of N > N members"],
  ["sealed_engine/frame_handler.ts", "ROTATE_MESSAGES", 1, "after N messages of its own"],
  [
    "sealed_engine/frame_handler.ts",
    "ECHO_MS",
    SECOND,
    "or within N seconds, it seals the message again",
  ],
  [
    "sealed_engine/frame_handler.ts",
    "DOUBT_PAUSE_MS",
    60 * SECOND,
    "after 10 seconds and at most once a minute",
  ],
  ["sealed_engine/member_state.ts", "HOLD_MS", SECOND, "what comes within N seconds after it"],
  ["mls/envelope.ts", "MIN_PADDED_BYTES", 1, "power of two, at least N,"],
];

Deno.test("the numbers of members of sealed rooms in docs/PROTOCOL.md are those of the code", async () => {
  for (const [file, name, unit, words] of NUMBERS_OF_MEMBERS) {
    const path = new URL(`../../../client/${file}`, import.meta.url);
    const [, digits] = new RegExp(`^const ${name} = ([\\d_]+);$`, "m")
      .exec(await Deno.readTextFile(path)) ?? [];
    assert.ok(digits !== undefined, `${file} has no ${name}`);
    const value = Number(digits.replaceAll("_", "")) / unit;
    const isOne = !words.includes("N");
    if (isOne) assert.equal(value, 1, words);
    // The document calls the number of members N, too.
    const sentence = words.replace(/N(?!.*N)/, value.toLocaleString("en-US"));
    assert.ok(running.includes(sentence), sentence);
  }
});

Deno.test("the rules of docs/PROTOCOL.md are numbered without gaps", () => {
  const rules = [...text.matchAll(/^- \*\*([A-Z])(\d+)\*\*/gm)];
  const last = new Map<string, number>();
  for (const [, letter = "", number = ""] of rules) {
    assert.equal(Number(number), (last.get(letter) ?? 0) + 1, `${letter}${number}`);
    last.set(letter, Number(number));
  }
  assert.equal([...last.keys()].join(""), "CFVNHRBSLMW");
});

Deno.test("docs/PROTOCOL.md R9 has the size of every request", () => {
  const [, rule = ""] = /\*\*R9\*\* (.*?) A receiver MUST apply/.exec(running) ?? [];
  const [, list = "", others = ""] =
    /later ones of a client: (.*), and all others ([\d,]+)\.$/.exec(rule) ?? [];
  const sizes: Record<string, number> = {};
  for (
    const [, names = "", size = ""] of list.matchAll(
      /((?:`\w+`(?:, | and )?)+) (?:have at most )?([\d,]+\d)/g,
    )
  ) {
    for (const [, name = ""] of names.matchAll(/`(\w+)`/g)) {
      sizes[name] = Number(size.replaceAll(",", ""));
    }
  }
  const rest = Number(others.replaceAll(",", ""));
  const expected = Object.entries(REQUEST_MAX_BYTES).filter(([, size]) => size !== rest);
  assert.ok(expected.length > 8 && rest > 0, rule);
  assert.deepEqual(sizes, Object.fromEntries(expected));
});

Deno.test("docs/PROTOCOL.md S8 has every request with an id, and whether it counts against the rate", () => {
  const rows = rowsOf("### 8.2").map(([kind, , counts]) => [unquoted(kind), counts]);
  const expected = Object.entries(REQUESTS).filter(([, row]) => "id" in row).map(([kind]) => [
    kind,
    REQUEST_RULES[kind as keyof typeof REQUEST_RULES].isLimited === true ? "yes" : "no",
  ]);
  assert.deepEqual(rows.toSorted(), expected.toSorted());
});

/** The most code points that a schema takes as a text; undefined where that is none of TEXT_SIZES. */
function longestText(schema: z.ZodMiniType): number | undefined {
  const takes = (length: number) =>
    ["x", "👍"].some((letter) => schema.safeParse(letter.repeat(length)).success);
  return TEXT_SIZES.find((size) => takes(size) && !takes(size + 1));
}

const TEXT_SIZES = [64, 128, 253, 256, 1_024, sharedLimits.BODY_MAX_BYTES];

/** Kind, field and size of each text of a table of messages that has another size than most. */
function unusualTexts(table: Readonly<Record<string, object>>): string[] {
  return Object.entries(table).flatMap(([kind, row]) =>
    Object.entries(row as Record<string, z.ZodMiniType>).flatMap(([field, schema]) => {
      const isFree = schema.safeParse("free").success || schema.safeParse("👍").success;
      if (!isFree) return [];
      const size = longestText(schema);
      assert.ok(size !== undefined, `${kind}.${field} has a bound that is in no table`);
      return size === 1_024 ? [] : [`${field} of ${kind}: ${size}`];
    })
  );
}

for (const [column, table] of [[1, REQUESTS], [2, EVENTS]] as const) {
  Deno.test(`docs/PROTOCOL.md 7.3 has the size of every text in ${["", "requests", "events"][column]}`, () => {
    const said = rowsOf("### 7.3").flatMap((row) => {
      const size = Number(row[0]?.replaceAll(",", ""));
      return (row[column] ?? "").split("; ").flatMap((part) => {
        const [, field, kinds = ""] =
          /^`(\w+)`(?: of (.*?))?(?:,? and in a list of .*)?$/.exec(part) ?? [];
        if (field === undefined) return [];
        const named = [...kinds.matchAll(/`(\w+)`/g)].map(([, kind]) => kind ?? "");
        const all = Object.entries(table).filter(([, row]) => field in row).map(([kind]) => kind);
        return (named.length > 0 ? named : all).map((kind) => `${field} of ${kind}: ${size}`);
      });
    });
    assert.deepEqual(said.toSorted(), unusualTexts(table).toSorted());
  });
}

/** Largest numbers that are elsewhere in the document: 7.2 and 12. */
const LARGEST_ELSEWHERE = { "move.port": 65_535, "sealed_pull.chunks": 32 };

/** Largest numbers of fields in 7.3; "KIND.FIELD" where it says so of one kind alone. */
function largestNumbers(): Record<string, number> {
  const [, paragraph = ""] =
    /Numbers that a receiver waits for(.*?) All other numbers may be any unsigned integer up to 2⁵³ − 1\./
      .exec(running) ?? [];
  const found: Record<string, number> = {};
  for (const part of paragraph.split("; ")) {
    const all = part.startsWith("of a welcome ") ? "welcome." : "";
    const sizes = part.matchAll(/((?:`\w+`(?: and )?)+)(?: of an? `(\w+)`)? ([\d,.e]*\d)/g);
    for (const [, names = "", kind, size = ""] of sizes) {
      for (const [, name = ""] of names.matchAll(/`(\w+)`/g)) {
        found[kind === undefined ? all + name : `${kind}.${name}`] = Number(
          size.replaceAll(",", ""),
        );
      }
    }
  }
  return found;
}

Deno.test("docs/PROTOCOL.md 7.3 has the largest value of every number", () => {
  const largest: Record<string, number> = { ...largestNumbers(), ...LARGEST_ELSEWHERE };
  const used = new Set<string>();
  for (const [kind, row] of [...Object.entries(REQUESTS), ...Object.entries(EVENTS)]) {
    for (const [field, type] of Object.entries(row)) {
      const schema = type as unknown as z.ZodMiniType;
      // A number that every bounded one takes.
      if (!schema.safeParse(1).success) continue;
      const name = `${kind}.${field}` in largest ? `${kind}.${field}` : field;
      used.add(name);
      const most = largest[name] ?? Number.MAX_SAFE_INTEGER;
      assert.ok(schema.safeParse(most).success, `${kind}.${field} does not take ${most}`);
      assert.ok(!schema.safeParse(most + 1).success, `${kind}.${field} takes ${most + 1}`);
    }
  }
  assert.deepEqual(Object.keys(largest).filter((name) => !used.has(name)), []);
});
