import assert from "node:assert/strict";
import { localDisk } from "../../../client/transfers/local_disk.ts";
import { createHash } from "node:crypto";
import v8 from "node:v8";
import vm from "node:vm";
import fc from "fast-check";
import { concatBytes } from "../../../shared/base/bytes.ts";
import {
  FILE_CHUNK_BYTES,
  FILE_MAX_BYTES,
  FILE_TRANSFERS_PER_SENDER,
} from "../../../shared/base/limits.ts";
import {
  FILE_HELD_MAX_BYTES,
  FILE_OFFER_MS,
  FILE_OFFERS_MAX,
  FILE_STALLED_MS,
} from "../../../client/base/limits.ts";
import { decodeEvent, encodeEvent } from "../../../shared/messages/codec_v2.ts";
import { HOSTILE_TEXTS } from "../../helpers/hostile/hostile_text.ts";
import {
  chunksOf,
  eventsOf,
  type Member,
  namesIn,
  offerOf,
  ROOM,
  someBytes,
  TransferRoom,
} from "../../helpers/peers/transfer_room.ts";

function held(member: Member): number {
  return member.transfers.list().reduce((sum, { done }) => sum + done, 0);
}

Deno.test("a sender has so many files at once and no more, which is told once and not a hundred times", async () => {
  await using room = await TransferRoom.open();
  const bob = room.join();
  for (let n = 0; n < 100; n++) bob.transfers.handleOffer(offerOf(7, { id: `${n}`, size: 1_000 }));
  assert.equal(bob.transfers.list().length, FILE_TRANSFERS_PER_SENDER);
  assert.deepEqual(eventsOf(bob, "refused").map(({ fault }) => fault.code), ["too_many"]);
  room.pass(20_000);
  bob.transfers.handleOffer(offerOf(7, { id: "later", size: 1_000 }));
  assert.equal(eventsOf(bob, "refused").length, 2);
});

Deno.test("an empty file is saved once it is accepted, and not where its digest is another or its sender gave up", async () => {
  await using room = await TransferRoom.open();
  const bob = room.join();
  const hash = new Uint8Array(createHash("sha256").digest());
  bob.transfers.handleOffer(offerOf(7, { id: "a", name: "void.txt", size: 0, hash }));
  bob.transfers.handleOffer(offerOf(8, { id: "b", size: 0, hash: new Uint8Array(32) }));
  bob.transfers.handleOffer(offerOf(9, { id: "d", size: 0, hash, folder: true }));
  assert.deepEqual(eventsOf(bob, "refused").map(({ fault }) => fault.reason), [
    "its SHA-256 is not that of an empty file",
    "it is not the archive of one folder",
  ]);
  assert.equal(eventsOf(bob, "saved").length, 0);
  bob.transfers.accept();
  await bob.transfers.settled();
  const [saved] = eventsOf(bob, "saved");
  assert.equal((await Deno.stat(saved!.path)).size, 0);
  assert.equal(bob.transfers.list().length, 0);
  bob.transfers.handleOffer(offerOf(7, { id: "c", size: 0, hash }));
  const [chunk] = chunksOf(7, { id: "c", bytes: new Uint8Array(1) });
  bob.transfers.handleChunk({ ...chunk!, data: new Uint8Array() });
  assert.deepEqual(eventsOf(bob, "failed").map(({ fault }) => fault.code), ["sender_gave_up"]);
});

Deno.test("a flood of offers fills neither memory nor pushes an admitted file out", async () => {
  await using room = await TransferRoom.open();
  const bob = room.join();
  const bytes = someBytes(3 * FILE_CHUNK_BYTES);
  const chunks = chunksOf(2, { bytes });
  bob.transfers.handleOffer(offerOf(2, { size: bytes.length, name: "first.bin" }));
  bob.transfers.handleChunk(chunks[0]!);
  for (let sender = 3; sender < 200; sender++) {
    for (const id of "abcdef") {
      bob.transfers.handleOffer(offerOf(sender, { id, size: FILE_MAX_BYTES }));
    }
  }
  const promised = bob.transfers.list().reduce((sum, { size }) => sum + size, 0);
  assert.ok(promised <= FILE_HELD_MAX_BYTES);
  assert.ok(eventsOf(bob, "refused").every(({ fault }) => /too_many|no_memory/.test(fault.code)));
  for (const chunk of chunks.slice(1)) bob.transfers.handleChunk(chunk);
  bob.transfers.accept(1);
  await bob.transfers.settled();
  assert.deepEqual(await Deno.readFile(`${bob.folder}/first.bin`), bytes);
});

Deno.test("files of one byte are bounded in number as well", async () => {
  await using room = await TransferRoom.open();
  const bob = room.join();
  for (let sender = 2; sender <= 2 * FILE_OFFERS_MAX; sender++) {
    bob.transfers.handleOffer(offerOf(sender, { size: 1 }));
  }
  assert.equal(bob.transfers.list().length, FILE_OFFERS_MAX);
});

Deno.test("rejecting, expiring and failing give memory back", async () => {
  await using room = await TransferRoom.open();
  const bob = room.join();
  const fill = () => {
    for (let id = 0; id < FILE_TRANSFERS_PER_SENDER; id++) {
      bob.transfers.handleOffer(offerOf(7, { id: `${id}`, size: 5 }));
      bob.transfers.handleChunk(chunksOf(7, { id: `${id}`, bytes: someBytes(5) })[0]!);
    }
    assert.equal(held(bob), 5 * FILE_TRANSFERS_PER_SENDER);
  };
  fill();
  for (const { n } of bob.transfers.list()) bob.transfers.reject(n);
  fill();
  room.pass(FILE_OFFER_MS - 1);
  assert.equal(bob.transfers.list().length, FILE_TRANSFERS_PER_SENDER);
  room.pass(1);
  assert.equal(held(bob), 0);
  assert.equal(
    eventsOf(bob, "failed").filter(({ fault }) => fault.code === "expired").length,
    FILE_TRANSFERS_PER_SENDER,
  );
  fill();
});

Deno.test("a file that stops coming ends, accepted or not, and a slow one does not", async () => {
  for (const acceptAll of [false, true]) {
    await using room = await TransferRoom.open();
    const bob = room.join({ acceptAll });
    const chunks = chunksOf(7, { bytes: someBytes(3 * FILE_CHUNK_BYTES) });
    bob.transfers.handleOffer(offerOf(7, { size: 3 * FILE_CHUNK_BYTES }));
    for (const chunk of chunks.slice(0, 2)) {
      room.pass(FILE_STALLED_MS - 1);
      bob.transfers.handleChunk(chunk);
    }
    room.pass(FILE_STALLED_MS);
    assert.deepEqual(eventsOf(bob, "failed").map(({ fault }) => fault.code), ["stalled"]);
    assert.deepEqual(await namesIn(bob.folder), []);
  }
});

Deno.test("a bad chunk ends the file, and the good ones after it are ignored", async () => {
  await using room = await TransferRoom.open();
  const bob = room.join({ acceptAll: true });
  const chunks = chunksOf(7, { bytes: someBytes(3 * FILE_CHUNK_BYTES) });
  bob.transfers.handleOffer(offerOf(7, { size: 3 * FILE_CHUNK_BYTES }));
  for (const index of [0, 0, 1, 2]) bob.transfers.handleChunk(chunks[index]!);
  await bob.transfers.settled();
  assert.deepEqual(eventsOf(bob, "failed").map(({ fault }) => fault.reason), [
    "a chunk came twice",
  ]);
  assert.deepEqual(await namesIn(bob.folder), []);
});

Deno.test("two senders may use one id, and nobody can add chunks to another's file", async () => {
  await using room = await TransferRoom.open();
  const bob = room.join({ acceptAll: true });
  const [ours, theirs] = [someBytes(50), someBytes(60)];
  bob.transfers.handleOffer(offerOf(7, { size: 50, name: "seven" }));
  bob.transfers.handleOffer(offerOf(8, { size: 60, name: "eight" }));
  bob.transfers.handleOffer(offerOf(7, { size: 60, name: "again" }));
  assert.equal(eventsOf(bob, "refused")[0]?.fault.reason, "it is on its way already");
  bob.transfers.handleChunk(chunksOf(9, { bytes: ours })[0]!);
  bob.transfers.handleChunk(chunksOf(8, { bytes: theirs })[0]!);
  bob.transfers.handleChunk(chunksOf(7, { bytes: ours })[0]!);
  await bob.transfers.settled();
  assert.deepEqual(await Deno.readFile(`${bob.folder}/seven`), ours);
  assert.deepEqual(await Deno.readFile(`${bob.folder}/eight`), theirs);
});

Deno.test("a file that cannot be saved stays, and /accept tries again", async () => {
  await using room = await TransferRoom.open();
  const bob = room.join({ acceptAll: true });
  await Deno.writeTextFile(bob.folder, "in the way");
  const bytes = someBytes(50);
  bob.transfers.handleOffer(offerOf(7, { size: 50, name: "a.bin" }));
  bob.transfers.handleChunk(chunksOf(7, { bytes })[0]!);
  await bob.transfers.settled();
  const [failed] = eventsOf(bob, "failed");
  // Whether there is a command for it is not said here: recv-file shows this as well.
  assert.match(failed?.fault.reason ?? "", /the download folder is a file$/);
  assert.deepEqual([failed?.fault.code, failed?.canRetry], ["not_saved", true]);
  await Deno.remove(bob.folder);
  bob.transfers.accept();
  await bob.transfers.settled();
  assert.deepEqual(await Deno.readFile(`${bob.folder}/a.bin`), bytes);
});

Deno.test("a client that takes no files holds none, and says so now and then", async () => {
  await using room = await TransferRoom.open();
  const bob = room.join({ disk: localDisk({ folder: undefined }) });
  for (const id of ["a", "b"]) bob.transfers.handleOffer(offerOf(7, { id, size: 5 }));
  assert.deepEqual(bob.transfers.list(), []);
  assert.deepEqual(eventsOf(bob, "refused").map(({ fault }) => fault.code), ["not_wanted"]);
});

Deno.test("names in events and lists are safe to show", async () => {
  await using room = await TransferRoom.open();
  const bob = room.join();
  for (const [index, { label, text }] of HOSTILE_TEXTS.entries()) {
    bob.transfers.handleOffer(offerOf(index + 2, { size: 5, name: text }));
    const { name } = bob.transfers.list()[0]!;
    assert.doesNotMatch(name, /[\p{Cc}\p{Zl}\p{Zp}/\\]/u, label);
    bob.transfers.reject();
  }
});

type Stormy =
  | Parameters<Member["transfers"]["handleOffer"]>[0]
  | Parameters<Member["transfers"]["handleChunk"]>[0]
  | { readonly kind: "left" | "away" | "back"; readonly client: number }
  | { readonly kind: "link lost" | "link back" };

function deal({ transfers }: Member, message: Stormy): void {
  switch (message.kind) {
    case "offer":
      return transfers.handleOffer(message);
    case "chunk":
      return transfers.handleChunk(message);
    case "left":
      return transfers.memberLeft(message.client, ROOM.id);
    case "away":
      return transfers.memberAway(message.client, ROOM.id);
    case "back":
      return transfers.memberBack(message.client, ROOM.id);
    case "link lost":
      return transfers.connectionLost(60_000);
    case "link back":
      return transfers.connectionBack(true);
  }
}

Deno.test("any storm of messages keeps all bounds, throws nothing and writes nothing unasked", async () => {
  await using room = await TransferRoom.open();
  const data = [0, 1, 5, 1_000, FILE_CHUNK_BYTES].map(someBytes);
  const hash = new Uint8Array(createHash("sha256").update(someBytes(5)).digest());
  const id = fc.constantFrom("a", "b", "c");
  const sender = fc.integer({ min: 2, max: 5 });
  const size = fc.constantFrom(0, 5, 1_000, FILE_CHUNK_BYTES + 5, FILE_MAX_BYTES, 10 ** 8);
  const message = fc.oneof(
    fc.tuple(sender, id, size, fc.constantFrom(0, 0, 0, 1), fc.constantFrom(null, hash)).map(
      ([from, id, size, lie, hash]) => {
        const init = offerOf(from, { id, size });
        return { ...init, chunks: init.chunks + lie, hash };
      },
    ),
    fc.record({
      kind: fc.constant("chunk" as const),
      file: id,
      client: sender,
      index: fc.nat(2),
      data: fc.constantFrom(...data),
      last: fc.boolean(),
    }).map((chunk) => ({ ...chunk, room: ROOM.id, name: "x", time: 0 })),
    fc.record({ kind: fc.constantFrom("left", "away", "back"), client: sender }),
    fc.record({ kind: fc.constantFrom("link lost", "link back") }),
  );
  const bob = room.join();
  fc.assert(fc.property(fc.array(message, { maxLength: 60 }), (messages) => {
    for (const message of messages) {
      deal(bob, message as Stormy);
      const list = bob.transfers.list();
      assert.ok(list.every(({ done, size, state }) => done <= size && state === "offered"));
      assert.ok(list.length <= 4 * FILE_TRANSFERS_PER_SENDER);
      assert.ok(list.reduce((sum, { size }) => sum + size, 0) <= FILE_HELD_MAX_BYTES);
    }
    for (const { n } of bob.transfers.list()) bob.transfers.cancel(n);
    bob.events.length = 0;
  }));
  assert.deepEqual(await namesIn(bob.folder), []);
});

Deno.test("a held file costs its own bytes and little more, and nothing once it is rejected", async () => {
  await using room = await TransferRoom.open();
  const bob = room.join();
  const bytes = someBytes(FILE_MAX_BYTES);
  const before = await reachableBytes();
  for (let round = 0; round < 3; round++) {
    bob.transfers.handleOffer(offerOf(7, { size: FILE_MAX_BYTES }));
    for (const chunk of chunksOf(7, { bytes })) {
      // As it comes: a part of the message, which is a part of the record.
      const record = concatBytes([new Uint8Array(20_000), encodeEvent(chunk)]);
      bob.transfers.handleChunk(decodeEvent(record.subarray(20_000)) as typeof chunk);
    }
    const grown = await reachableBytes() - before;
    assert.ok(grown > 0.9 * FILE_MAX_BYTES && grown < 1.2 * FILE_MAX_BYTES, `${grown} bytes`);
    bob.transfers.reject();
    const left = await reachableBytes() - before;
    assert.ok(left < 0.1 * FILE_MAX_BYTES, `${left} bytes are left`);
  }
});

/** What the program still holds, garbage not counted. */
async function reachableBytes(): Promise<number> {
  v8.setFlagsFromString("--expose-gc");
  const collect = vm.runInNewContext("gc") as () => void;
  for (let round = 0; round < 2; round++) {
    collect();
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
  const { heapUsed, external } = Deno.memoryUsage();
  return heapUsed + external;
}
