import assert from "node:assert/strict";
import { EncodedEvent } from "../../../server/delivery/encoded_event.ts";
import type { EventOf } from "../../../shared/messages/messages_v2.ts";
import { BatchReader, packBatches } from "../../../shared/channel/record_batch.ts";
import { decodeJson } from "../../../shared/channel/envelope_v1.ts";
import { eventOf } from "../../helpers/fakes/chat_fakes.ts";
import { decodeEvent } from "../../../shared/messages/codec_v2.ts";

const CHAT: EventOf<"chat"> = {
  kind: "chat" as const,
  room: 2,
  at: 9,
  client: 3,
  name: "alice",
  time: 1_000,
  request: 4,
  sequence: 5,
  text: "hi",
  action: false,
  reply: 0,
};

Deno.test("an event is encoded once for each wire, whoever asks how often", () => {
  const broadcast = new EncodedEvent(CHAT, "lobby");
  assert.equal(broadcast.v1, broadcast.v1);
  assert.equal(broadcast.v2, broadcast.v2);
  const silent = new EncodedEvent({ kind: "pong" }, "lobby");
  assert.deepEqual([silent.v1, silent.v1], [undefined, undefined]);
});

Deno.test("both bodies say the same, the v1 one with its room", () => {
  const broadcast = new EncodedEvent(CHAT, "lobby");
  const [body] = new BatchReader().push(
    packBatches([broadcast.v2.content]).flat().reduce((all, part) =>
      new Uint8Array([...all, ...part])
    ),
  );
  assert.deepEqual(decodeEvent(body as Uint8Array), CHAT);
  assert.deepEqual(decodeJson(broadcast.v1?.content as Uint8Array), {
    type: "chat",
    sender: "alice",
    message: "hi",
    client_id: 3,
    room: "lobby",
    sequence: 5,
    timestamp: "1970-01-01T00:00:01.000Z",
  });
});

Deno.test("parts of files are bulk, in plain and sealed rooms; the end of a file that is given up is not", () => {
  const isBulk = (bytes: number) => {
    const data = new Uint8Array(bytes);
    const chunk = eventOf("chunk", { file: "f", index: 0, data, last: true });
    return new EncodedEvent(chunk, "lobby").isBulk;
  };
  assert.deepEqual([isBulk(5), isBulk(0)], [true, false]);
  const sealed = {
    kind: "sealed_chunk",
    room: 1,
    from: new Uint8Array(16),
    body: new Uint8Array(9),
  } as const;
  assert.ok(new EncodedEvent(sealed, "").isBulk);
});
