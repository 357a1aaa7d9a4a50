import assert from "node:assert/strict";
import { encode } from "cborg";
import fc from "fast-check";
import { LimitError, ProtocolError } from "../../../shared/base/errors.ts";
import {
  FILE_CHUNK_BYTES,
  FILE_CHUNKS_MAX,
  FILE_PART_RECEIVERS_MAX,
  MESSAGE_MAX_BYTES_CEILING,
  SEALED_BODY_MAX_BYTES,
  SEALED_MEMBERS_MAX,
} from "../../../shared/base/limits.ts";
import { HANDLE_BYTES } from "../../../shared/messages/messages_sealed.ts";
import { EVENTS, REQUESTS } from "../../../shared/messages/messages_v2.ts";
import { REQUEST_MAX_BYTES } from "../../../shared/messages/request_sizes.ts";
import type { Event, Request } from "../../../shared/messages/messages_v2.ts";
import {
  decodeEvent,
  decodeRequest,
  encodeEvent,
  encodeRequest,
  requestMaxBytes,
} from "../../../shared/messages/codec_v2.ts";

const secret = new Uint8Array(32).fill(7);
const session = new Uint8Array(16).fill(9);
const when = 1_790_000_000_000;
const file = {
  file: "f1",
  filename: "a.txt",
  size: 5,
  chunks: 1,
  hash: secret,
  to: 0,
  folder: false,
};
const pin = { sequence: 3, author: 2, authorName: "bob", text: "soup is ready" } as const;
const wanted = { file: "f1", index: 3, count: 32 };
const piece = { file: "f1", index: 0, data: new Uint8Array([1, 2, 3]), last: true };
const handle = new Uint8Array(16).fill(4);
const body = new Uint8Array(284).fill(6);
const doing = { room: 5, client: 2, name: "bob", time: when };
const about = { room: 5, at: 3, client: 2, name: "bob", time: when };

const REQUEST_SAMPLES: { readonly [K in Request["kind"]]: Extract<Request, { kind: K }> } = {
  hello: {
    kind: "hello",
    name: "bob",
    token: null,
    session,
    secret,
    rooms: [["lobby", 4], ["dev", 0]],
  },
  join: { kind: "join", id: 3, title: "kitchen" },
  leave: { kind: "leave", id: 4, room: 5 },
  chat: { kind: "chat", id: 1, room: 5, text: "héllo 你好 👋", action: false, reply: 2 },
  revise: { kind: "revise", id: 6, room: 5, sequence: 2, text: null },
  rename: { kind: "rename", id: 2, name: "carol" },
  direct: { kind: "direct", id: 7, to: 2, text: "psst" },
  topic: { kind: "topic", id: 8, room: 5, text: "soup" },
  status: { kind: "status", id: 9, text: "lunch" },
  typing: { kind: "typing", room: 5 },
  moderate: { kind: "moderate", id: 9, room: 5, what: "ban", whom: 3, seconds: 60, text: "noise" },
  offer: { kind: "offer", id: 5, room: 5, ...file },
  chunk: { kind: "chunk", ...piece },
  pull: { kind: "pull", room: 5, to: 2, ...wanted },
  part: { kind: "part", to: [2, 3], file: "f1", index: 3, data: new Uint8Array([1, 2, 3]) },
  receipt: { kind: "receipt", room: 5, to: 2, file: "f1", state: "saved" },
  react: { kind: "react", id: 10, room: 5, sequence: 2, emoji: "👍", on: true },
  pin: { kind: "pin", id: 10, room: 5, sequence: 3, authorName: "bob", text: "soup is ready" },
  bans: { kind: "bans", id: 11, room: 5 },
  backlog: { kind: "backlog", id: 12, room: 5, lines: 20 },
  invite: { kind: "invite", id: 9, title: "kitchen", uses: 1, seconds: 7_200 },
  invites: { kind: "invites", id: 9 },
  uninvite: { kind: "uninvite", id: 9, invite: 3 },
  ask_proof: { kind: "ask_proof", room: 5, to: 2, nonce: secret },
  proof: { kind: "proof", room: 5, to: 2, key: secret, signature: new Uint8Array(64).fill(8) },
  ping: { kind: "ping" },
  pong: { kind: "pong" },
  bye: { kind: "bye" },
  moving: { kind: "moving" },
  sealed_attach: {
    kind: "sealed_attach",
    ask: 1,
    rid: session,
    key: secret,
    proof: new Uint8Array(64).fill(5),
    handleKey: secret,
    handleProof: new Uint8Array(64).fill(6),
    member: true,
    epoch: 3,
    seq: 70,
  },
  sealed_create: { kind: "sealed_create", ask: 2, room: 1, epoch: 3, seq: 70, handles: [handle] },
  sealed_join: { kind: "sealed_join", ask: 3, room: 1, fresh: false },
  sealed_group_info: { kind: "sealed_group_info", ask: 4, room: 1, question: 1, epoch: 3, body },
  sealed_commit: {
    kind: "sealed_commit",
    ask: 5,
    room: 1,
    epoch: 3,
    members: [handle],
    locked: true,
    body,
  },
  sealed_app: { kind: "sealed_app", ask: 6, room: 1, epoch: 4, body },
  sealed_vote: { kind: "sealed_vote", ask: 7, room: 1, seq: 71, ok: true },
  sealed_leave: { kind: "sealed_leave", ask: 8, room: 1 },
  sealed_pull: { kind: "sealed_pull", ask: 9, room: 1, to: handle, chunks: 32, body },
  sealed_chunk: { kind: "sealed_chunk", ask: 9, room: 1, to: [handle], body },
  sealed_check: { kind: "sealed_check", ask: 10, room: 1, question: 2, ok: true },
};

const EVENT_SAMPLES: { readonly [K in Event["kind"]]: Extract<Event, { kind: K }> } = {
  welcome: {
    kind: "welcome",
    client: 1,
    session,
    secret,
    resumed: false,
    rooms: 2,
    messageLimit: 4096,
    fileLimit: 10_485_760,
    rateMessages: 12,
    rateSeconds: 5,
    hold: 60,
    page: true,
  },
  refused: { kind: "refused", reason: "unauthorized" },
  servers: { kind: "servers", list: [["chat2.example.org", 5050], ["2001:db8::2", 443]] },
  move: { kind: "move", host: "chat2.example.org", port: 5050 },
  done: { kind: "done", id: 1 },
  declined: { kind: "declined", id: 1, why: "too long" },
  entered: {
    kind: "entered",
    id: 1,
    room: 5,
    title: "kitchen",
    name: "bob-2",
    at: 8,
    complete: false,
    topic: "soup",
  },
  members: {
    kind: "members",
    room: 5,
    more: false,
    list: [[1, "bob", "here", when, null], [2, "amy", "old", when, "lunch"]],
  },
  chat: { kind: "chat", ...about, request: 1, sequence: 1, text: "hi", action: true, reply: 0 },
  revised: { kind: "revised", ...about, request: 1, sequence: 1, text: "ho" },
  reacted: { kind: "reacted", ...about, request: 10, sequence: 1, emoji: "👍", on: false },
  joined: { kind: "joined", ...about, old: true },
  left: { kind: "left", ...about },
  renamed: { kind: "renamed", ...about, previous: "rob" },
  away: { kind: "away", ...about },
  back: { kind: "back", ...about },
  topic: { kind: "topic", ...about, text: "soup" },
  status: { kind: "status", ...about, text: null },
  typing: { kind: "typing", room: 5, client: 2, name: "bob" },
  moderated: {
    kind: "moderated",
    ...about,
    request: 9,
    what: "ban",
    whom: 3,
    whomName: "eve",
    seconds: 60,
    text: "noise",
  },
  rules: {
    kind: "rules",
    room: 5,
    maker: 2,
    ops: [3],
    locked: true,
    slow: 10,
    ...pin,
    backlog: 20,
  },
  backlog: { kind: "backlog", ...about, request: 12, lines: 20 },
  earlier: { kind: "earlier", room: 5, list: [[3, 2, "bob", 9, "soup is ready", false, 0]] },
  pinned: { kind: "pinned", ...about, request: 9, ...pin },
  bans: { kind: "bans", room: 5, list: [[3, "eve", 1_790_000_000_000, "amy"]], more: false },
  direct: { kind: "direct", ...doing, to: 1, toName: "amy", request: 7, text: "psst" },
  undelivered: { kind: "undelivered", ...doing, request: 7 },
  offer: { kind: "offer", ...doing, request: 1, ...file },
  chunk: { kind: "chunk", ...doing, ...piece },
  taken: { kind: "taken", file: "f1", index: 3 },
  pull: { kind: "pull", room: 5, client: 2, ...wanted },
  receipt: { kind: "receipt", ...doing, file: "f1", state: "refused" },
  invited: {
    kind: "invited",
    request: 9,
    invite: 3,
    token: "s3cret",
    uses: 1,
    until: when,
    place: ["chat.example.org", 5_050],
  },
  invites: { kind: "invites", request: 9, list: [[3, "bob", "kitchen", 1, when]] },
  proof_asked: { kind: "proof_asked", room: 5, client: 2, nonce: secret },
  proof: { kind: "proof", room: 5, client: 2, key: secret, signature: new Uint8Array(64).fill(8) },
  notice: { kind: "notice", room: 0, text: "mind the gap" },
  closing: { kind: "closing", why: "the server stops", retry: true },
  ping: { kind: "ping" },
  pong: { kind: "pong" },
  sealed_attached: {
    kind: "sealed_attached",
    ask: 1,
    room: 1,
    epoch: 3,
    seq: 70,
    missing: "messages",
    members: [[handle, true]],
  },
  sealed_none: { kind: "sealed_none", ask: 1, room: 1 },
  sealed_done: { kind: "sealed_done", ask: 2 },
  sealed_declined: { kind: "sealed_declined", ask: 3, room: 1, why: "not now" },
  sealed_conflict: { kind: "sealed_conflict", ask: 4, epoch: 4, seq: 71 },
  sealed_stale: { kind: "sealed_stale", ask: 5, epoch: 4 },
  sealed_group_info: { kind: "sealed_group_info", ask: 3, epoch: 4, body },
  sealed_group_info_please: { kind: "sealed_group_info_please", room: 1, question: 1, epoch: 4 },
  sealed_frame: {
    kind: "sealed_frame",
    room: 1,
    seq: 72,
    type: "app",
    epoch: 4,
    from: handle,
    ask: 6,
    time: when,
    roster: new Uint8Array(32).fill(7),
    body,
  },
  sealed_void: { kind: "sealed_void", room: 1, seq: 71, last: 72, epoch: 3 },
  sealed_gone: { kind: "sealed_gone", room: 1, handle, left: true },
  sealed_back: { kind: "sealed_back", room: 1, handle },
  sealed_evict_please: { kind: "sealed_evict_please", room: 1, handles: [handle, handle] },
  sealed_pull: { kind: "sealed_pull", room: 1, from: handle, chunks: 32, body },
  sealed_chunk: { kind: "sealed_chunk", room: 1, from: handle, body },
  sealed_check_please: {
    kind: "sealed_check_please",
    room: 1,
    question: 2,
    epoch: 4,
    from: handle,
    roster: new Uint8Array(32).fill(7),
    body,
  },
  sealed_here: { kind: "sealed_here", room: 1, handles: [handle] },
  sealed_guests: { kind: "sealed_guests", room: 1, count: 2 },
};

const TABLES = [
  {
    what: "requests",
    rows: REQUESTS,
    samples: Object.values(REQUEST_SAMPLES),
    write: (message: unknown) => encodeRequest(message as Request),
    read: decodeRequest,
  },
  {
    what: "events",
    rows: EVENTS,
    samples: Object.values(EVENT_SAMPLES),
    write: (message: unknown) => encodeEvent(message as Event),
    read: decodeEvent,
  },
];

for (const { what, rows, samples, write, read } of TABLES) {
  Deno.test(`v2 ${what}: each row is read back as it was written`, () => {
    assert.deepEqual(samples.map((sample) => sample.kind).sort(), Object.keys(rows).sort());
    for (const sample of samples) assert.deepEqual(read(write(sample)), sample);
  });

  Deno.test(`v2 ${what}: a cut body, and one with bytes behind it, are refused`, () => {
    for (const sample of samples) {
      const body = write(sample);
      for (let cut = 0; cut < body.length; cut++) {
        assert.throws(
          () => read(body.subarray(0, cut)),
          ProtocolError,
          `${sample.kind} cut at ${cut}`,
        );
      }
      assert.throws(() => read(new Uint8Array([...body, 0])), ProtocolError);
    }
  });

  Deno.test(`v2 ${what}: a field too many, too few or of another type is refused`, () => {
    for (const sample of samples) {
      const number = Object.keys(rows).indexOf(sample.kind);
      const fields = Object.keys(rows[sample.kind as keyof typeof rows]);
      const values = fields.map((field) => (sample as Record<string, unknown>)[field]);
      assert.throws(() => read(encode([number, ...values, 1])), ProtocolError);
      fields.forEach((field, i) => {
        assert.throws(() => read(encode([number, ...values.slice(0, i)])), ProtocolError);
        const wrong = values.with(i, { not: "a field" });
        assert.throws(() => read(encode([number, ...wrong])), new RegExp(field));
      });
    }
  });

  Deno.test(`v2 ${what}: whatever bytes are read, writing them gives the same bytes`, () => {
    const bodies = samples.map((sample) => write(sample));
    const changed = fc.tuple(fc.nat(bodies.length - 1), fc.nat(), fc.integer({ min: 1, max: 255 }));
    fc.assert(
      fc.property(changed, ([which, place, flip]) => {
        const body = (bodies[which] as Uint8Array).slice();
        const at = place % body.length;
        body[at] = (body[at] as number) ^ flip;
        try {
          assert.deepEqual(write(read(body)), body);
        } catch (error) {
          assert.ok(error instanceof ProtocolError, String(error));
        }
      }),
      { numRuns: 3_000 },
    );
  });
}

Deno.test("the largest request of each kind that others need fits its bound", () => {
  const large: readonly Request[] = [
    {
      kind: "part",
      to: Array.from({ length: FILE_PART_RECEIVERS_MAX }, () => Number.MAX_SAFE_INTEGER),
      file: "\u{1f4c4}".repeat(32),
      index: FILE_CHUNKS_MAX,
      data: new Uint8Array(FILE_CHUNK_BYTES),
    },
    {
      kind: "sealed_commit",
      ask: 1,
      room: 1,
      epoch: 1,
      locked: false,
      members: Array.from({ length: SEALED_MEMBERS_MAX }, () => new Uint8Array(HANDLE_BYTES)),
      body: new Uint8Array(SEALED_BODY_MAX_BYTES),
    },
    {
      kind: "sealed_create",
      ask: 1,
      room: 1,
      epoch: 1,
      seq: 1,
      handles: Array.from({ length: SEALED_MEMBERS_MAX }, () => new Uint8Array(HANDLE_BYTES)),
    },
    {
      kind: "chat",
      id: 1,
      room: 1,
      text: "x".repeat(MESSAGE_MAX_BYTES_CEILING),
      action: false,
      reply: 0,
    },
  ];
  for (const request of large) {
    const body = encodeRequest(request);
    assert.ok(body.length <= requestMaxBytes(body), request.kind);
    assert.deepEqual(decodeRequest(body), request);
  }
});

Deno.test("a request above the bound of its kind is refused by its first bytes, and nothing of it is decoded", () => {
  const chat = encodeRequest({
    kind: "chat",
    id: 1,
    room: 1,
    text: "",
    action: false,
    reply: 0,
  });
  const body = new Uint8Array(REQUEST_MAX_BYTES.chat + 1).fill(0xff);
  body.set(chat.subarray(0, 2));
  assert.equal(requestMaxBytes(body.subarray(0, 2)), REQUEST_MAX_BYTES.chat);
  assert.throws(() => decodeRequest(body), LimitError);
  // Of an unknown kind nothing is taken.
  assert.equal(requestMaxBytes(Uint8Array.of(0x81, 0x18, 0xff)), 0);
  assert.equal(requestMaxBytes(new Uint8Array()), 0);
});

Deno.test("a part of a file has its buffer for itself, with nothing but its message around it", () => {
  const part: Request = {
    kind: "part",
    to: [1],
    file: "f",
    index: 0,
    data: new Uint8Array(32_768),
  };
  const body = encodeRequest(part);
  const alone = new Uint8Array(5 + body.length).subarray(5);
  alone.set(body);
  const taken = decodeRequest(alone);
  assert.ok(taken.kind === "part" && taken.data.buffer === alone.buffer, "it is not copied");
  const record = new Uint8Array(10 + body.length);
  record.set(body, 5);
  const beside = decodeRequest(record.subarray(5, 5 + body.length));
  assert.ok(beside.kind === "part" && beside.data.buffer !== record.buffer, "others need theirs");
  assert.equal(beside.data.length, 32_768);
});
