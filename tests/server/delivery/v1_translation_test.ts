import assert from "node:assert/strict";
import { fromV1, toV1 } from "../../../server/delivery/v1_translation.ts";
import { ProtocolError } from "../../../shared/base/errors.ts";
import type { ClientMessage } from "../../../shared/messages/messages_v1.ts";
import type { Event } from "../../../shared/messages/messages_v2.ts";

const ABOUT = { room: 2, at: 1, client: 3, name: "alice", time: 0 };
const STAMP = { client_id: 3, room: "lobby", timestamp: "1970-01-01T00:00:00.000Z" };

/** The request's number and the room of the client. */
const ASKER = { id: 7, room: 2 };

/** Each event that v1 clients can be shown, and what they see. */
const SHOWN: readonly [Event, Record<string, unknown>][] = [
  [
    { kind: "chat", ...ABOUT, request: 2, sequence: 8, text: "hi", action: false, reply: 0 },
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
      type: "system",
      message: "al is now known as alice.",
      event: "renamed",
      name: "alice",
      previous: "al",
      ...STAMP,
    },
  ],
  [
    {
      kind: "offer",
      ...ABOUT,
      request: 2,
      file: "f",
      filename: "a.bin",
      size: 3,
      chunks: 1,
      hash: null,
      to: 0,
      folder: false,
    },
    {
      type: "file_init",
      file_id: "f",
      filename: "a.bin",
      filesize: 3,
      total_chunks: 1,
      sender: "alice",
      ...STAMP,
    },
  ],
  [
    { kind: "chunk", ...ABOUT, file: "f", index: 0, data: new Uint8Array([1, 2, 3]), last: true },
    {
      type: "file_chunk",
      file_id: "f",
      chunk_index: 0,
      chunk_data: "AQID",
      is_final: true,
      sender: "alice",
      ...STAMP,
    },
  ],
];

Deno.test("toV1() shows what happened as the vectors of the old protocol have it", () => {
  for (const [event, wanted] of SHOWN) {
    assert.deepEqual(toV1(event, "lobby"), wanted);
  }
});

Deno.test("toV1() tells notices, refusals and the end as lines of the server", () => {
  const lines: [Event, string, string][] = [
    [{ kind: "notice", room: 0, text: "a word" }, "a word", "notice"],
    [{ kind: "declined", id: 1, why: "too fast" }, "too fast", "refused"],
    [{ kind: "closing", why: "bye", retry: true }, "bye", "stopping"],
    [{ kind: "closing", why: "bye", retry: false }, "bye", "notice"],
    [
      {
        kind: "members",
        room: 2,
        more: false,
        list: [[1, "a", "here", 0, null], [2, "b", "away", 0, "out"]],
      },
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

Deno.test("toV1(): what v1 has no word for begins with a name and stays in one row", () => {
  const text = "a\n* the server stops\u2028b\r\x1b[2J";
  const said: [Event, string][] = [
    [{ kind: "revised", ...ABOUT, request: 0, sequence: 1, text }, "alice edited: a"],
    [
      { kind: "reacted", ...ABOUT, request: 0, sequence: 1, emoji: "👍", on: true },
      "alice reacted 👍 to #1.",
    ],
    [
      { kind: "reacted", ...ABOUT, request: 0, sequence: 1, emoji: text, on: false },
      "alice took a",
    ],
    [{ kind: "revised", ...ABOUT, request: 0, sequence: 1, text: null }, "alice took a message"],
    [{ kind: "topic", ...ABOUT, text }, "alice set the topic: a"],
    [{ kind: "status", ...ABOUT, text }, "alice is away: a"],
    [{ kind: "status", ...ABOUT, text: null }, "alice is back."],
    [
      { kind: "direct", ...ABOUT, to: 4, toName: "bob", request: 0, text },
      "alice says to bob alone: a",
    ],
  ];
  for (const [event, start] of said) {
    const line = toV1(event, "lobby");
    assert.ok(line?.type === "system" && line.message.startsWith(start), line?.type);
    // deno-lint-ignore no-control-regex
    assert.doesNotMatch(line.message, /[\x00-\x1f\x7f-\x9f\u2028\u2029]/);
  }
});

Deno.test("toV1(): an action is a chat of its sender, so that it cannot pass for the server's words", () => {
  const action = { request: 2, sequence: 8, text: "joined the chat.", action: true, reply: 0 };
  const shown = toV1({ kind: "chat", ...ABOUT, ...action }, "lobby");
  assert.ok(shown?.type === "chat");
  assert.deepEqual([shown.sender, shown.message], ["alice", "* alice joined the chat."]);
});

Deno.test("toV1() has nothing to say of what only sessions know", () => {
  const quiet: Event[] = [
    { kind: "away", ...ABOUT },
    { kind: "back", ...ABOUT },
    { kind: "typing", room: 2, client: 3, name: "alice" },
    { kind: "done", id: 1 },
    { kind: "pong" },
  ];
  for (const event of quiet) assert.equal(toV1(event, "lobby"), undefined);
});

Deno.test("fromV1() asks for the same as a v2 client would, under the number that is given", () => {
  const asked: [ClientMessage, Record<string, unknown> | undefined][] = [
    [{ type: "chat", message: "hi" }, {
      kind: "chat",
      id: 7,
      room: 2,
      text: "hi",
      action: false,
      reply: 0,
    }],
    [{ type: "rename", name: "bob" }, { kind: "rename", id: 7, name: "bob" }],
    [{ type: "switch_room", room: "den" }, { kind: "join", id: 7, title: "den" }],
    [
      { type: "file_init", file_id: "f", filename: "a", filesize: 3, total_chunks: 1 },
      {
        kind: "offer",
        id: 7,
        room: 2,
        file: "f",
        filename: "a",
        size: 3,
        chunks: 1,
        hash: null,
        to: 0,
        folder: false,
      },
    ],
    [
      { type: "file_chunk", file_id: "f", chunk_index: 0, chunk_data: "AQID", is_final: true },
      { kind: "chunk", file: "f", index: 0, data: new Uint8Array([1, 2, 3]), last: true },
    ],
    [{ type: "pong" }, { kind: "pong" }],
  ];
  for (const [message, wanted] of asked) {
    assert.deepEqual(fromV1(message, ASKER), wanted);
  }
});

Deno.test("fromV1() drops a client's own system line, which could pass for the server's", () => {
  assert.equal(fromV1({ type: "system", message: "the server is on fire" }, ASKER), undefined);
});

Deno.test("fromV1() refuses a chunk that is not base64", () => {
  const chunk = { type: "file_chunk", file_id: "f", chunk_index: 0, is_final: true } as const;
  for (const chunk_data of ["AQI", "AQI=\n", "*", "AQJ="]) {
    assert.throws(() => fromV1({ ...chunk, chunk_data }, ASKER), ProtocolError);
  }
});
