import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { LimitError, UsageError } from "../../../shared/base/errors.ts";
import {
  FILE_CHUNK_BYTES,
  FILE_MAX_BYTES,
  FILE_TRANSFERS_PER_SENDER,
} from "../../../shared/base/limits.ts";
import { FILE_CONFIRM_MS, FILE_OFFER_MS } from "../../../client/base/limits.ts";
import {
  chunksOf,
  eventsOf,
  type MemberOptions,
  namesIn,
  offerOf,
  ROOM,
  someBytes,
  TransferRoom,
} from "../../helpers/peers/transfer_room.ts";
import { turns } from "../../helpers/fakes/chat_fakes.ts";

const SMALL = someBytes(100_000);

Deno.test("10 MiB go from one member to another, and both are told the same SHA-256", async () => {
  await using room = await TransferRoom.open();
  const bytes = someBytes(FILE_MAX_BYTES);
  const [alice, bob] = [room.join(), room.join()];
  await alice.transfers.offerFile(await room.file("big.bin", bytes), ROOM);
  await turns();
  assert.equal(bob.transfers.list()[0]?.done, 0, "nothing comes before it was accepted");
  assert.equal(alice.transfers.list()[0]?.waitingFor, "receiver");
  bob.transfers.accept();
  await alice.transfers.settled();
  await bob.transfers.settled();
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  assert.equal(eventsOf(alice, "sent")[0]?.sha256, sha256);
  const saved = eventsOf(bob, "saved")[0];
  assert.equal(saved?.sha256, sha256);
  assert.equal(saved?.path, `${bob.folder}/big.bin`);
  const written = await Deno.readFile(`${bob.folder}/big.bin`);
  assert.equal(createHash("sha256").update(written).digest("hex"), sha256);
  assert.deepEqual(await namesIn(bob.folder), ["big.bin"]);
  assert.deepEqual(bob.transfers.list(), []);
});

Deno.test("progress rises to the size on both sides", async () => {
  await using room = await TransferRoom.open();
  const intercept = (_: unknown, relay: () => void) => {
    room.now += 100;
    relay();
  };
  const [alice, bob] = [room.join({ intercept }), room.join({ acceptAll: true })];
  await alice.transfers.offerFile(await room.file("a.bin", SMALL), ROOM);
  await alice.transfers.settled();
  const steps = [32_768, 65_536, 98_304, 100_000];
  for (const member of [alice, bob]) {
    assert.deepEqual(eventsOf(member, "progress").map(({ done }) => done), steps);
  }
});

Deno.test("10 MiB at full speed are told in a handful of lines, the last one included", async () => {
  await using room = await TransferRoom.open();
  const intercept = (_: unknown, relay: () => void) => {
    room.now++;
    relay();
  };
  const [alice, bob] = [room.join({ intercept }), room.join({ acceptAll: true })];
  await alice.transfers.offerFile(await room.file("big.bin", new Uint8Array(FILE_MAX_BYTES)), ROOM);
  await alice.transfers.settled();
  for (const member of [alice, bob]) {
    const steps = eventsOf(member, "progress").map(({ done }) => done);
    assert.ok(steps.length <= 5, `${steps.length} lines`);
    assert.equal(steps.at(-1), FILE_MAX_BYTES);
  }
});

Deno.test("a file accepted while it comes is saved when its end is here", async () => {
  await using room = await TransferRoom.open();
  const bob = room.join();
  const chunks = chunksOf(7, { bytes: SMALL });
  bob.transfers.handleOffer(offerOf(7, { size: SMALL.length, name: "a.bin" }));
  bob.transfers.handleChunk(chunks[0]!);
  bob.transfers.accept(1);
  assert.deepEqual(await namesIn(bob.folder), []);
  for (const chunk of chunks.slice(1)) bob.transfers.handleChunk(chunk);
  await bob.transfers.settled();
  assert.deepEqual(await Deno.readFile(`${bob.folder}/a.bin`), SMALL);
});

Deno.test("--accept-files takes what is offered without a word from the user", async () => {
  await using room = await TransferRoom.open();
  const [alice, bob] = [room.join(), room.join({ acceptAll: true })];
  await alice.transfers.offerFile(await room.file("a.bin", SMALL), ROOM);
  await alice.transfers.settled();
  await bob.transfers.settled();
  assert.equal(eventsOf(bob, "offered")[0]?.accepted, true);
  assert.deepEqual(await namesIn(bob.folder), ["a.bin"]);
});

Deno.test("a rejected file leaves nothing, and the rest of its chunks is ignored", async () => {
  await using room = await TransferRoom.open();
  const bob = room.join();
  const chunks = chunksOf(7, { bytes: SMALL });
  bob.transfers.handleOffer(offerOf(7, { size: SMALL.length }));
  bob.transfers.handleChunk(chunks[0]!);
  bob.transfers.reject();
  for (const chunk of chunks.slice(1)) bob.transfers.handleChunk(chunk);
  assert.deepEqual(bob.events.map(({ kind }) => kind), ["offered", "progress", "rejected"]);
  assert.deepEqual(bob.transfers.list(), []);
  assert.deepEqual(await namesIn(bob.folder), []);
});

Deno.test("a sender, a link or a room that is left in the middle is told, and nothing is written", async () => {
  for (
    const [leave, code] of [
      ["memberLeft", "sender_left"],
      ["connectionLost", "connection_lost"],
      ["roomLeft", "room_left"],
    ] as const
  ) {
    await using room = await TransferRoom.open();
    const bob = room.join({ acceptAll: true });
    bob.transfers.handleOffer(offerOf(7, { size: SMALL.length }));
    bob.transfers.handleChunk(chunksOf(7, { bytes: SMALL })[0]!);
    if (leave === "connectionLost") bob.transfers.connectionLost();
    else if (leave === "roomLeft") bob.transfers.roomLeft(ROOM);
    else bob.transfers.memberLeft(7, ROOM.id);
    await bob.transfers.settled();
    assert.deepEqual(eventsOf(bob, "failed").map(({ fault }) => fault.code), [code]);
    assert.deepEqual(bob.transfers.list(), []);
    assert.deepEqual(await namesIn(bob.folder), []);
  }
});

Deno.test("a file of a v1 sender that is all here can be accepted after its sender left and the connection was lost", async () => {
  await using room = await TransferRoom.open();
  const [alice, bob] = [room.join({ survives: () => false }), room.join()];
  await alice.transfers.offerFile(await room.file("a.bin", SMALL), ROOM);
  await alice.transfers.settled();
  bob.transfers.memberLeft(alice.id, ROOM.id);
  bob.transfers.connectionLost();
  bob.transfers.accept();
  await bob.transfers.settled();
  assert.deepEqual(await namesIn(bob.folder), ["a.bin"]);
});

Deno.test("a link lost while sending ends the sending where the server does not say how far it is", async () => {
  await using room = await TransferRoom.open();
  const alice = room.join({
    survives: () => false,
    intercept: (message, relay) => {
      if (message.kind === "offer") return relay();
      throw new Error("gone");
    },
  });
  await alice.transfers.offerFile(await room.file("a.bin", SMALL), ROOM);
  await alice.transfers.settled();
  assert.equal(eventsOf(alice, "failed")[0]?.fault.code, "connection_lost");
  assert.deepEqual(alice.transfers.list(), []);
});

Deno.test("no chunk leaves before the server gave the offer back, and it is told when it never does", async () => {
  await using room = await TransferRoom.open();
  const kinds: string[] = [];
  const alice = room.join({ intercept: ({ kind }) => void kinds.push(kind) });
  await alice.transfers.offerFile(await room.file("a.bin", SMALL), ROOM);
  room.pass(FILE_CONFIRM_MS - 1);
  assert.equal(alice.transfers.list().length, 1);
  room.pass(1);
  await alice.transfers.settled();
  assert.deepEqual(kinds, ["offer"]);
  assert.equal(eventsOf(alice, "failed")[0]?.fault.code, "unconfirmed");
});

Deno.test("another member cannot confirm our offer by sending its id", async () => {
  await using room = await TransferRoom.open();
  let id = "";
  const kinds: string[] = [];
  const alice = room.join({
    intercept: (message) => {
      id = message.file;
      kinds.push(message.kind);
    },
  });
  await alice.transfers.offerFile(await room.file("a.bin", SMALL), ROOM);
  alice.transfers.handleOffer(offerOf(9, { id, size: 5 }));
  assert.equal(eventsOf(alice, "offered").length, 1);
  room.pass(FILE_CONFIRM_MS);
  await alice.transfers.settled();
  assert.deepEqual(kinds, ["offer"]);
});

Deno.test("no more chunks leave than the server confirms, however many are asked for", async () => {
  await using room = await TransferRoom.open();
  const unconfirmed: (() => void)[] = [];
  let out = 0;
  let most = 0;
  const alice = room.join({
    intercept: (message, relay) => {
      if (message.kind !== "part") return relay();
      most = Math.max(most, ++out);
      unconfirmed.push(() => {
        out--;
        room.now += 50;
        relay();
      });
    },
  });
  const bob = room.join({ acceptAll: true });
  await alice.transfers.offerFile(await room.file("a.bin", someBytes(2_000_000)), ROOM);
  const isDone = alice.transfers.settled().then(() => true);
  while (!await Promise.race([isDone, macrotask()])) unconfirmed.shift()?.();
  await bob.transfers.settled();
  assert.equal(eventsOf(bob, "saved").length, 1);
  assert.ok(most >= 2 && most <= 5, `${most} chunks of 50 ms were on their way`);
});

Deno.test("three receivers at one pace cost the sender the file about once", async () => {
  await using room = await TransferRoom.open();
  let parts = 0;
  const asking = new Set<number>();
  const alice = room.join({
    intercept: async (message, relay) => {
      if (message.kind === "part") {
        parts++;
        // They begin together, however long their disks take to open a file.
        while (asking.size < 3) await macrotask();
      }
      await macrotask();
      relay();
    },
  });
  const others = [1, 2, 3].map((n) =>
    room.join({
      acceptAll: true,
      intercept: (message, relay) => {
        if (message.kind === "pull") asking.add(n);
        relay();
      },
    })
  );
  await alice.transfers.offerFile(await room.file("a.bin", someBytes(2_000_000)), ROOM);
  await alice.transfers.settled();
  while (others.some((other) => eventsOf(other, "saved").length === 0)) await macrotask();
  assert.ok(parts < 1.5 * 62, `${parts} parts of 62 chunks`);
});

Deno.test("several files that come at once share one window", async () => {
  await using room = await TransferRoom.open();
  let most = 0;
  const parts: (() => void)[] = [];
  const intercept: MemberOptions["intercept"] = (message, relay) => {
    if (message.kind !== "part") return relay();
    parts.push(relay);
    most = Math.max(most, parts.length);
  };
  const senders = [room.join({ intercept }), room.join({ intercept }), room.join({ intercept })];
  const bob = room.join({ acceptAll: true });
  for (const [n, sender] of senders.entries()) {
    const path = await room.file(`${n}.bin`, someBytes(3 * 1_048_576));
    await sender.transfers.offerFile(path, ROOM);
  }
  while (eventsOf(bob, "saved").length < 3) {
    await macrotask();
    room.now++;
    for (const relay of parts.splice(0)) relay();
  }
  assert.ok(most > 3 && most <= 64 + 3, `${most} chunks at once`);
});

Deno.test("a sending that the server stops ends with that reason", async () => {
  await using room = await TransferRoom.open();
  const alice = room.join();
  room.join();
  await alice.transfers.offerFile(await room.file("a.bin", SMALL), ROOM);
  const file = alice.files.state[0]![0];
  const about = { room: ROOM.id, client: alice.id, name: "alice", time: 0 };
  const end = { file, index: 0, data: new Uint8Array(), last: true };
  alice.transfers.handleChunk({ kind: "chunk", ...about, ...end });
  await alice.transfers.settled();
  assert.equal(eventsOf(alice, "failed")[0]?.fault.code, "stopped");
});

Deno.test("an offer that nobody accepts ends after a while, and its receivers hear it", async () => {
  await using room = await TransferRoom.open();
  const [alice, bob] = [room.join(), room.join()];
  await alice.transfers.offerFile(await room.file("a.bin", SMALL), ROOM);
  room.pass(FILE_OFFER_MS - 1);
  assert.deepEqual(eventsOf(alice, "failed"), []);
  room.pass(1);
  await alice.transfers.settled();
  assert.match(eventsOf(alice, "failed")[0]?.fault.reason ?? "", /nobody accepted it/);
  assert.deepEqual(bob.transfers.list(), []);
});

function macrotask(): Promise<false> {
  return new Promise((resolve) => setTimeout(() => resolve(false), 0));
}

Deno.test("/cancel while the link is stuck ends the sending at once and tells the receivers", async () => {
  await using room = await TransferRoom.open();
  const bob = room.join({ acceptAll: true });
  const alice = room.join({
    intercept: (message, relay) => {
      relay();
      const isStuck = message.kind === "part";
      return isStuck ? new Promise(() => {}) : undefined;
    },
  });
  await alice.transfers.offerFile(await room.file("a.bin", SMALL), ROOM);
  while (bob.transfers.list()[0]?.done === 0) await macrotask();
  alice.transfers.cancel(alice.transfers.list()[0]!.n);
  await alice.transfers.settled();
  assert.equal(eventsOf(alice, "failed")[0]?.fault.code, "cancelled");
  assert.equal(eventsOf(bob, "failed")[0]?.fault.code, "sender_gave_up");
  assert.deepEqual(bob.transfers.list(), []);
});

Deno.test("/cancel before the first chunk frees the receivers, even if the server takes the offer later", async () => {
  for (const isLate of [false, true]) {
    await using room = await TransferRoom.open();
    const bob = room.join();
    let take = () => {};
    const alice = room.join({
      intercept: (message, relay) => {
        if (message.kind === "offer") take = relay;
        else relay();
      },
    });
    await alice.transfers.offerFile(await room.file("a.bin", SMALL), ROOM);
    if (!isLate) take();
    alice.transfers.cancel(alice.transfers.list()[0]!.n);
    await alice.transfers.settled();
    if (isLate) take();
    assert.deepEqual(eventsOf(alice, "failed").map(({ fault }) => fault.code), ["cancelled"]);
    assert.deepEqual(eventsOf(bob, "failed").map(({ fault }) => fault.code), ["sender_gave_up"]);
    assert.deepEqual(bob.transfers.list(), []);
  }
});

Deno.test("an offer that the next link brings after its sending ended is given up, in its own room only", async () => {
  for (const [leave, told] of [["connectionLost", 1], ["roomLeft", 0]] as const) {
    await using room = await TransferRoom.open();
    const bob = room.join();
    const held: (() => void)[] = [];
    const kinds: string[] = [];
    const alice = room.join({
      intercept: (message, relay) => {
        kinds.push(message.kind);
        if (message.kind === "offer") held.push(relay);
        else relay();
      },
    });
    await alice.transfers.offerFile(await room.file("a.bin", SMALL), ROOM);
    if (leave === "connectionLost") alice.transfers.connectionLost();
    else alice.transfers.roomLeft(ROOM);
    await alice.transfers.settled();
    // The second time is a server that says so twice.
    held[0]!();
    held[0]!();
    assert.equal(eventsOf(bob, "failed").length, told);
    assert.equal(kinds.filter((kind) => kind === "chunk").length, told);
  }
});

Deno.test("a file that shrinks or grows while it is sent is told on both sides", async () => {
  // More than is read at once: what was read before is what was offered.
  const bytes = someBytes(600_000);
  for (const [change, word] of [[1_000, "shrank"], [700_000, "grew"]] as const) {
    await using room = await TransferRoom.open();
    const path = await room.file("a.bin", bytes);
    const bob = room.join({ acceptAll: true });
    const alice = room.join({
      intercept: async (message, relay) => {
        relay();
        if (message.kind === "part" && message.index === 0) {
          await Deno.truncate(path, change);
        }
      },
    });
    await alice.transfers.offerFile(path, ROOM);
    await alice.transfers.settled();
    const fault = eventsOf(alice, "failed")[0]?.fault;
    assert.deepEqual(fault, { code: "changed", reason: `it ${word} while it was sent` });
    assert.equal(eventsOf(bob, "failed")[0]?.fault.code, "sender_gave_up");
  }
});

Deno.test("a folder goes to one member alone, over a link that is lost, and is a new folder there", async () => {
  await using room = await TransferRoom.open();
  const path = await room.file("a.bin", someBytes(500_000));
  const folder = path.slice(0, path.lastIndexOf("/"));
  await Deno.mkdir(`${folder}/trip/empty`, { recursive: true });
  await Deno.rename(path, `${folder}/trip/a.bin`);
  const bob = room.join({ acceptAll: true });
  const carol = room.join({ acceptAll: true });
  let parts = 0;
  const alice = room.join({
    intercept: (message, relay) => {
      relay();
      if (message.kind !== "part" || ++parts !== 5) return;
      room.cut(bob);
      room.mend(bob);
    },
  });
  const to = { client: bob.id, name: "member1" };
  await alice.transfers.offerFile(`${folder}/trip`, ROOM, to);
  await alice.transfers.settled();
  await bob.transfers.settled();
  const [saved] = eventsOf(bob, "saved");
  assert.deepEqual([saved?.file.name, saved?.file.isFolder], ["trip", true]);
  assert.equal((await Deno.stat(`${saved!.path}/a.bin`)).size, 500_000);
  assert.ok((await Deno.stat(`${saved!.path}/empty`)).isDirectory);
  assert.deepEqual(eventsOf(alice, "sent")[0]?.receivers, [{ name: "member1", answer: "saved" }]);
  assert.equal(carol.events.length, 0);
});

Deno.test(`a fifth file at once is refused with both numbers`, async () => {
  await using room = await TransferRoom.open();
  const alice = room.join({ intercept: () => {} });
  const path = await room.file("a.bin", SMALL);
  for (let n = 0; n < FILE_TRANSFERS_PER_SENDER; n++) await alice.transfers.offerFile(path, ROOM);
  await assert.rejects(
    alice.transfers.offerFile(path, ROOM),
    (error) => error instanceof LimitError && /4 are on their way, at most 4/.test(error.message),
  );
  assert.equal(alice.transfers.list().length, FILE_TRANSFERS_PER_SENDER);
});

Deno.test("the server's own limit counts in both directions", async () => {
  await using room = await TransferRoom.open();
  const [alice, bob] = [room.join(), room.join()];
  const path = await room.file("a.bin", SMALL);
  alice.transfers.fileMax = 50_000;
  await assert.rejects(
    alice.transfers.offerFile(path, ROOM),
    (error) => error instanceof LimitError && /100000 bytes, at most 50000/.test(error.message),
  );
  bob.transfers.fileMax = 50_000;
  bob.transfers.handleOffer(offerOf(7, { size: SMALL.length }));
  const refused = eventsOf(bob, "refused")[0];
  assert.equal(refused?.fault.code, "too_large");
  assert.match(refused?.fault.reason ?? "", /100000 bytes, at most 50000/);
});

Deno.test("numbers are shared by both directions and never used twice", async () => {
  await using room = await TransferRoom.open();
  const alice = room.join({ intercept: () => {} });
  alice.transfers.handleOffer(offerOf(7, { size: 5 }));
  await alice.transfers.offerFile(await room.file("a.bin", SMALL), ROOM);
  alice.transfers.reject(1);
  alice.transfers.handleOffer(offerOf(7, { size: 5 }));
  assert.deepEqual(
    alice.transfers.list().map(({ n, direction, state }) => [n, direction, state]),
    [[2, "out", "sending"], [3, "in", "offered"]],
  );
});

Deno.test("/accept without a number is refused while several are offered", async () => {
  await using room = await TransferRoom.open();
  const bob = room.join();
  assert.throws(() => bob.transfers.accept(), UsageError);
  bob.transfers.handleOffer(offerOf(7, { id: "a", size: 5 }));
  bob.transfers.handleOffer(offerOf(8, { id: "a", size: 5 }));
  assert.throws(
    () => bob.transfers.accept(),
    (error) => error instanceof UsageError && /with one of 1, 2/.test(error.hint ?? ""),
  );
  for (const verb of ["accept", "reject", "cancel"] as const) {
    assert.throws(() => bob.transfers[verb](3), /there is no file of this number/);
  }
  bob.transfers.accept(2);
  assert.throws(() => bob.transfers.accept(2), /accepted already/);
  bob.transfers.cancel(2);
  assert.equal(eventsOf(bob, "failed")[0]?.fault.code, "cancelled");
});

Deno.test("dispose() ends what is on its way in both directions and frees all", async () => {
  const room = await TransferRoom.open();
  const alice = room.join({ intercept: () => {} });
  await alice.transfers.offerFile(await room.file("a.bin", SMALL), ROOM);
  alice.transfers.handleOffer(offerOf(7, { size: FILE_CHUNK_BYTES + 1 }));
  await room[Symbol.asyncDispose]();
  assert.deepEqual(alice.transfers.list(), []);
  assert.equal(eventsOf(alice, "failed").length, 2);
});

Deno.test("chunks that were on their way when a file was given up do not stand in the way of the next file", async () => {
  await using room = await TransferRoom.open();
  const held: (() => void)[] = [];
  let isHolding = true;
  const intercept: MemberOptions["intercept"] = ({ kind }, relay) => {
    if (kind === "part" && isHolding) held.push(relay);
    else relay();
  };
  const [alice, bob] = [room.join({ intercept }), room.join({ acceptAll: true })];
  const path = await room.file("a.bin", SMALL);
  await alice.transfers.offerFile(path, ROOM);
  while (held.length < 2) await turns();
  alice.transfers.cancel(1);
  await alice.transfers.settled();
  isHolding = false;
  for (const relay of held) relay();
  await alice.transfers.offerFile(path, ROOM);
  await alice.transfers.settled();
  await bob.transfers.settled();
  assert.deepEqual(eventsOf(bob, "saved").map(({ file }) => file.name), ["a.bin"]);
});
