import assert from "node:assert/strict";
import type * as z from "zod";
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
import { EVENTS, REQUESTS } from "../../../shared/messages/messages_v2.ts";
import { PIECE_MAX_BYTES } from "../../../shared/channel/record_batch.ts";
import { RECORD_MAX_CONTENT } from "../../../shared/channel/record_cipher.ts";
import { V1_PAYLOAD_MAX_BYTES } from "../../../shared/channel/envelope_v1.ts";

const limits = { ...sharedLimits, ...serverLimits, ...clientLimits };

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

function fieldsOf(schema: z.ZodType): string[] {
  return Object.keys((schema as z.ZodObject).shape).filter((field) => field !== "type");
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
      assert.deepEqual(documented[kind], fieldsOf(schema as z.ZodType).sort(), kind);
    }
  });
}

Deno.test("docs/PROTOCOL.md lists every field of the v1 handshake and its answer", () => {
  const [ok] = HANDSHAKE_ANSWER.options;
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
    [limits.HEARTBEAT_TIMEOUT_MS / 1_000, "N seconds without one end the link"],
    [limits.REKEY_MS / 60_000, "sealed N minutes or more"],
    [limits.HOLD_S, "N seconds of holding"],
    [limits.SEALED_BODY_MAX_BYTES, "a `body` has 1 to N bytes"],
    [limits.SEALED_APP_MAX_BYTES, "that of a `sealed_app` at most N"],
    [limits.SEALED_CHUNK_MAX_BYTES, "that of a `sealed_chunk` at most N"],
    [limits.SEALED_PULL_MAX_BYTES, "that of a `sealed_pull` at most N"],
    [limits.SEALED_MEMBERS_MAX, "A room has at most N members"],
    [limits.SEALED_ROOMS_PER_SESSION, "is in at most N sealed rooms"],
    [limits.SEALED_RING.frames, "The relay keeps N frames"],
    [limits.SEALED_MEMORY_BUDGET.most / 2 ** 20, "N MiB of all rooms"],
    [limits.SEALED_BRING_BACK_MS / 1_000, "for N seconds, a member in that list that attaches"],
    [limits.SEALED_GROUP_INFO_MS / 1_000, "the next after N seconds, 5 at most"],
    [limits.SEALED_GROUP_INFO_TRIES, "the next after 2 seconds, N at most"],
    [limits.SEALED_JOIN_TURN_MS.first / 1_000, "ends with the commit, or after N seconds"],
    [limits.SEALED_GUESTS_MAX, "200 members and N guests"],
    [limits.SEALED_GUESTS_OF_A_SOURCE, "N of one source"],
    [limits.SEALED_GUEST_IDLE_MS / 1_000, "has asked for none for N seconds"],
    [limits.SEALED_CHECK_MS / 1_000, "the next after N seconds or a no"],
    [limits.SEALED_CHECK_TRIES, "2 seconds or a no, N at most"],
    [limits.SEALED_VOTES_OPEN_MAX, "While N commits wait for half of their voters"],
    [limits.SEALED_VOTE_MS / 1_000, "For N seconds after a commit"],
    [limits.SEALED_PENALTY_MS.first / 1_000, "may attach again after N seconds"],
    [limits.SEALED_EVICT_MS / 1_000, "(`sealed_evict_please`), the next after N seconds"],
    [limits.SEALED_EVICT_PAUSE_MS / 1_000, "there is a pause of N seconds"],
    [limits.SEALED_PULL_CHUNKS_MAX, "A receiver asks for 1 to N chunks"],
    [limits.SEALED_CHUNKS_OPEN_MAX, "N at most that have not come"],
    [limits.SESSION_ROOMS_MAX, "A client is in any number of rooms up to N,"],
    [limits.MEMBERS_PART_MAX, "at most N in one message; `more`"],
    [limits.AUTHORS_REMEMBERED, "for the last N chats of a room"],
    [limits.MAILBOX_MAX_BYTES, "up to N bytes for one client, and declined beyond"],
    [limits.TOPIC_MAX_BYTES, "what the room is about, at most N bytes"],
    [limits.AWAY_TEXT_MAX_BYTES, "why it does not answer, at most N bytes"],
    [limits.TYPING_QUIET_MS / 1_000, "is passed on at most once in N seconds"],
    [limits.FILE_TRANSFERS_PER_SENDER, "One sender has at most N files on their way"],
  ];
  for (const [value, words] of numbers) {
    const sentence = words.replace("N", inWords(value));
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
