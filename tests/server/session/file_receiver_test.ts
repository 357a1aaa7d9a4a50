import assert from "node:assert/strict";
import { EncodedEvent } from "../../../server/delivery/encoded_event.ts";
import type { EventWriter } from "../../../server/delivery/event_writer.ts";
import { type ChunkQuestion, FileReceiver } from "../../../server/session/file_receiver.ts";
import { PUSHED_FILES } from "../../../server/config/limits.ts";
import { FILE_CHUNK_BYTES } from "../../../shared/base/limits.ts";
import type { Event, EventOf } from "../../../shared/messages/messages_v2.ts";
import { turns } from "../../helpers/fakes/chat_fakes.ts";

const CHUNKS = 20;
const ABOUT = { room: 1, client: 7, name: "alice", time: 0, file: "f" };

function offer(hash: Uint8Array | null): EventOf<"offer"> {
  const size = CHUNKS * FILE_CHUNK_BYTES;
  return {
    kind: "offer",
    ...ABOUT,
    request: 1,
    filename: "a.bin",
    size,
    chunks: CHUNKS,
    hash,
    to: 0,
    folder: false,
  };
}

function chunk(index: number): EventOf<"chunk"> {
  const data = new Uint8Array(1);
  return { kind: "chunk", ...ABOUT, index, data, last: index === CHUNKS - 1 };
}

/** A member whose client has room for parts of files as long as the test says so. */
function member(isV1: boolean) {
  const delivered: number[] = [];
  const told: Event[] = [];
  const asked: ChunkQuestion[] = [];
  const client = { hasRoom: true, bulkDrops: 0, waiting: 0 };
  const writer: EventWriter = {
    get waiting() {
      return client.waiting;
    },
    get bulkDrops() {
      return client.bulkDrops;
    },
    deliver: () => true,
    drained: () => Promise.resolve(),
    close() {},
  };
  const files = new FileReceiver({
    client: 9,
    isV1,
    writer: () => writer,
    deliver({ event }) {
      if (client.hasRoom && event.kind === "chunk") delivered.push(event.index);
      return client.hasRoom;
    },
    tell: (event) => told.push(event),
    ask: (sender, question) => {
      assert.equal(sender, 7);
      asked.push(question);
    },
  });
  const take = (index: number) => {
    const event = chunk(index);
    files.chunk(new EncodedEvent(event, "lobby"), event);
  };
  return { files, delivered, told, asked, client, take };
}

Deno.test("for a v1 client the server asks for a window of chunks, and for the next once these are written", async () => {
  const { files, asked, take, delivered } = member(true);
  files.offered(offer(new Uint8Array(32)));
  assert.deepEqual(asked, [{ file: "f", index: 0, count: 8 }]);
  for (let index = 0; index < CHUNKS; index++) {
    take(index);
    await turns();
  }
  assert.deepEqual(asked.map(({ index, count }) => [index, count]), [
    [0, 8],
    [8, 8],
    [16, 4],
  ]);
  assert.deepEqual(delivered, Array.from({ length: CHUNKS }, (_, index) => index));
});

Deno.test("what a v1 client has no room for is asked for again; v1 never gets a gap or a chunk twice", async () => {
  const { files, asked, take, delivered, client } = member(true);
  files.offered(offer(new Uint8Array(32)));
  take(0);
  client.hasRoom = false;
  take(1);
  take(2);
  await turns();
  client.hasRoom = true;
  assert.equal(asked.at(-1)?.index, 1);
  for (const index of [0, 2, 1, 2]) take(index);
  assert.deepEqual(delivered, [0, 1, 2]);
  files.senderBack(7);
  assert.equal(asked.at(-1)?.index, 3);
});

Deno.test("a v2 client asks by itself, and nothing is asked for it", () => {
  const { files, asked, take, delivered } = member(false);
  files.offered(offer(new Uint8Array(32)));
  take(3);
  assert.deepEqual([asked, delivered], [[], [3]]);
});

Deno.test("a member that cannot keep up with a v1 sender loses the file, with a line, and gets no more of it", () => {
  for (const how of ["no room", "dropped"]) {
    for (const isV1 of [true, false]) {
      const { files, told, take, delivered, client } = member(isV1);
      files.offered(offer(null));
      take(0);
      if (how === "no room") client.hasRoom = false;
      else client.bulkDrops++;
      take(1);
      client.hasRoom = true;
      take(2);
      assert.ok(!delivered.includes(2));
      const [end, line] = told;
      assert.ok(end?.kind === "chunk" && end.last && end.data.length === 0);
      assert.match(line?.kind === "notice" ? line.text : "", /your connection is too slow/);
      assert.equal(told.length, 2);
      files.offered(offer(null));
      take(0);
      assert.equal(delivered.at(-1), 0, "its next file comes again");
    }
  }
});

Deno.test("who stays behind with a pushed file, however long its sender waits, loses that file", () => {
  const { files, client, told, take, delivered } = member(false);
  files.offered(offer(null));
  const pushed = { client: 7, file: "f" };
  const { waitingBytes, times } = PUSHED_FILES;
  client.waiting = waitingBytes;
  assert.equal(files.isBehind(pushed), false);
  client.waiting++;
  assert.equal(files.isBehind(pushed), true);
  assert.equal(files.isBehind({ ...pushed, client: 8 }), false, "another sender's file");
  for (let n = 1; n < times; n++) files.stayedBehind(pushed);
  client.waiting = 0;
  files.stayedBehind(pushed);
  client.waiting = waitingBytes + 1;
  for (let n = 1; n < times; n++) files.stayedBehind(pushed);
  assert.deepEqual(told, [], "not in a row");
  take(0);
  files.stayedBehind(pushed);
  take(1);
  assert.deepEqual(delivered, [0]);
  assert.deepEqual(told.map(({ kind }) => kind), ["chunk", "notice"]);
  assert.equal(files.isBehind(pushed), false, "nobody waits for it any longer");
});

Deno.test("a pushed file of which too much waits for a member is lost for it", () => {
  const { files, client, told, take, delivered } = member(false);
  files.offered(offer(null));
  take(0);
  client.waiting = PUSHED_FILES.mostBytes;
  take(1);
  client.waiting = 0;
  take(2);
  assert.deepEqual(delivered, [0]);
  assert.deepEqual(told.map(({ kind }) => kind), ["chunk", "notice"]);
});
