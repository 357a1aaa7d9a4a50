import assert from "node:assert/strict";
import { fromV1, toV1 } from "../../server/v1_view.ts";
import { ProtocolError } from "../../shared/errors.ts";
import type { ClientMessage } from "../../shared/messages.ts";
import type { Event } from "../../shared/messages_v2.ts";

const ABOUT = { at: 1, client: 3, name: "alice", time: 0 };
const STAMP = { client_id: 3, room: "lobby", timestamp: "1970-01-01T00:00:00.000Z" };

/** Each event that v1 clients can be shown, and what they see. */
const SHOWN: readonly [Event, Record<string, unknown>][] = [
  [
    { kind: "chat", ...ABOUT, request: 2, sequence: 8, text: "hi" },
    { type: "chat", sender: "alice", message: "hi", sequence: 8, ...STAMP },
  ],
  [
    { kind: "joined", ...ABOUT, old: false },
    { type: "system", message: "alice joined the chat.", event: "joined", name: "alice", ...STAMP },
  ],
  [
    { kind: "left", ...ABOUT },
    { type: "system", message: "alice left the chat.", event: "left", name: "alice", ...STAMP },
  ],
  [
    { kind: "renamed", ...ABOUT, previous: "al" },
    {
      ...{ type: "system", message: "al is now known as alice.", event: "renamed" },
      ...{ name: "alice", previous: "al", ...STAMP },
    },
  ],
  [
    { kind: "offer", ...ABOUT, request: 2, file: "f", filename: "a.bin", size: 3, chunks: 1 },
    {
      ...{ type: "file_init", file_id: "f", filename: "a.bin", filesize: 3, total_chunks: 1 },
      ...{ sender: "alice", ...STAMP },
    },
  ],
  [
    { kind: "chunk", ...ABOUT, file: "f", index: 0, data: new Uint8Array([1, 2, 3]), last: true },
    {
      ...{ type: "file_chunk", file_id: "f", chunk_index: 0, chunk_data: "AQID", is_final: true },
      ...{ sender: "alice", ...STAMP },
    },
  ],
];

Deno.test("toV1() shows what happened as the vectors of the old protocol have it", () => {
  for (const [event, wanted] of SHOWN) {
    // Places and requests are v2's own.
    const { at: _, ...shown } = { at: undefined, ...toV1(event, "lobby") };
    assert.deepEqual(shown, wanted);
  }
});

Deno.test("toV1() tells notices, refusals and the end as lines of the server", () => {
  const lines: [Event, string, string][] = [
    [{ kind: "notice", text: "a word" }, "a word", "notice"],
    [{ kind: "declined", id: 1, why: "too fast" }, "too fast", "refused"],
    [{ kind: "closing", why: "bye", retry: true }, "bye", "stopping"],
    [{ kind: "closing", why: "bye", retry: false }, "bye", "notice"],
    [
      { kind: "members", list: [[1, "a", "here", 0], [2, "b", "away", 0]] },
      "In this room: a, b",
      "names",
    ],
  ];
  for (const [event, message, kind] of lines) {
    const line = toV1(event, "lobby");
    assert.ok(line?.type === "system");
    assert.deepEqual([line.message, line.event, line.room], [message, kind, "lobby"]);
  }
});

Deno.test("toV1() has nothing to say of what only sessions know", () => {
  const quiet: Event[] = [
    { kind: "away", ...ABOUT },
    { kind: "back", ...ABOUT },
    { kind: "done", id: 1 },
    { kind: "pong" },
  ];
  for (const event of quiet) assert.equal(toV1(event, "lobby"), undefined);
});

Deno.test("fromV1() asks for the same as a v2 client would, under the number that is given", () => {
  const asked: [ClientMessage, Record<string, unknown> | undefined][] = [
    [{ type: "chat", message: "hi" }, { kind: "chat", id: 7, text: "hi" }],
    [{ type: "rename", name: "bob" }, { kind: "rename", id: 7, name: "bob" }],
    [{ type: "switch_room", room: "den" }, { kind: "move", id: 7, room: "den" }],
    [
      { type: "file_init", file_id: "f", filename: "a", filesize: 3, total_chunks: 1 },
      { kind: "offer", id: 7, file: "f", filename: "a", size: 3, chunks: 1 },
    ],
    [
      { type: "file_chunk", file_id: "f", chunk_index: 0, chunk_data: "AQID", is_final: true },
      { kind: "chunk", file: "f", index: 0, data: new Uint8Array([1, 2, 3]), last: true },
    ],
    [{ type: "pong" }, { kind: "pong" }],
  ];
  for (const [message, wanted] of asked) {
    const { room: _, ...request } = { room: undefined, ...fromV1(message, 7) };
    const { room: __, ...expected } = { room: undefined, ...wanted };
    assert.deepEqual(request, expected);
  }
});

Deno.test("fromV1() drops a client's own system line, which could pass for the server's", () => {
  assert.equal(fromV1({ type: "system", message: "the server is on fire" }, 7), undefined);
});

Deno.test("fromV1() refuses a chunk that is not base64", () => {
  const chunk = { type: "file_chunk", file_id: "f", chunk_index: 0, is_final: true } as const;
  for (const chunk_data of ["AQI", "AQI=\n", "*", "AQJ="]) {
    assert.throws(() => fromV1({ ...chunk, chunk_data }, 7), ProtocolError);
  }
});
