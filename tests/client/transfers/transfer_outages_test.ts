// Links that are cut in the middle of files, without a network: in every order that chance finds.

import assert from "node:assert/strict";
import { localDisk } from "../../../client/transfers/local_disk.ts";
import { createHash } from "node:crypto";
import fc from "fast-check";
import { FILE_CHUNK_BYTES } from "../../../shared/base/limits.ts";
import { FILE_PULL_AGAIN_MS, FILE_STALLED_MS } from "../../../client/base/limits.ts";
import {
  chunksOf,
  eventsOf,
  type FileRequest,
  type Member,
  type MemberOptions,
  namesIn,
  offerOf,
  ROOM,
  someBytes,
  TransferRoom,
} from "../../helpers/peers/transfer_room.ts";

const BYTES = someBytes(40 * FILE_CHUNK_BYTES + 9);
const HASH = new Uint8Array(createHash("sha256").update(BYTES).digest());
const SHA256 = createHash("sha256").update(BYTES).digest("hex");

const turn = () => new Promise<void>((resolve) => setTimeout(resolve, 0));

/** What a member asked of senders. */
function pulls(sent: readonly FileRequest[]): [index: number, count: number][] {
  return sent.flatMap((request) => request.kind === "pull" ? [[request.index, request.count]] : []);
}

/** A member alone with the server, which only notes what it sends. */
function watched(room: TransferRoom): { readonly bob: Member; readonly sent: FileRequest[] } {
  const sent: FileRequest[] = [];
  const { save, open } = localDisk({ folder: `${room.path}/bob` });
  const intercept = (request: FileRequest) => void sent.push(request);
  // Nothing has to be opened first: what is asked for is asked for at once.
  const bob = room.join({ intercept, acceptAll: true, disk: { save, open } });
  bob.transfers.handleOffer(offerOf(7, { size: BYTES.length, hash: HASH }));
  return { bob, sent };
}

Deno.test("whoever loses the link at whatever chunk, all end with the same bytes", async () => {
  const cut = fc.record({
    at: fc.integer({ min: 0, max: 60 }),
    whom: fc.nat(2),
    turns: fc.integer({ min: 1, max: 12 }),
  });
  const path = await Deno.makeTempFile();
  await Deno.writeFile(path, BYTES);
  await fc.assert(
    fc.asyncProperty(fc.array(cut, { minLength: 1, maxLength: 8 }), async (cuts) => {
      await using room = await TransferRoom.open();
      const plan = new Map(cuts.map((each) => [each.at, each]));
      const until = new Map<Member, number>();
      let step = 0;
      const next = () => {
        for (const [member, at] of until) {
          if (step < at) continue;
          until.delete(member);
          room.mend(member);
        }
        const planned = plan.get(step++);
        const member = planned && room.members[planned.whom];
        if (planned === undefined || member === undefined || !member.linked) return;
        until.set(member, step + planned.turns);
        room.cut(member);
      };
      const intercept = async (request: FileRequest, relay: () => void) => {
        if (request.kind !== "offer") next();
        relay();
        await turn();
      };
      const [alice, bob, carol] = [
        room.join({ intercept }),
        room.join({ acceptAll: true }),
        room.join({ acceptAll: true }),
      ];
      await alice.transfers.offerFile(path, ROOM);
      const isDone = () =>
        eventsOf(alice, "sent").length === 1 &&
        [bob, carol].every((member) => member.transfers.list().length === 0);
      for (let n = 0; n < 2_000 && !isDone(); n++) {
        await turn();
        if (n % 5 === 4) {
          next();
          room.pass(FILE_PULL_AGAIN_MS / 4);
        }
      }
      for (const { transfers } of room.members) await transfers.settled();
      assert.deepEqual(room.members.flatMap((member) => eventsOf(member, "failed")), []);
      assert.equal(eventsOf(alice, "sent")[0]?.sha256, SHA256);
      for (const member of [bob, carol]) assert.equal(eventsOf(member, "saved")[0]?.sha256, SHA256);
    }),
    { numRuns: 40 },
  );
  await Deno.remove(path);
});

Deno.test("a receiver asks for a window of chunks, and for more as these come; it says when it has all", async () => {
  await using room = await TransferRoom.open();
  const { bob, sent } = watched(room);
  const chunks = chunksOf(7, { bytes: BYTES });
  assert.deepEqual(pulls(sent), [[0, 2]], "before anything was measured");
  for (const chunk of chunks) {
    room.now += 10;
    bob.transfers.handleChunk(chunk);
  }
  const asked = pulls(sent).flatMap(([index, count]) =>
    Array.from({ length: count }, (_, n) => index + n)
  );
  assert.deepEqual(
    asked,
    Array.from({ length: chunks.length }, (_, n) => n),
    "each once, in order",
  );
  assert.deepEqual(pulls(sent).at(-1), [chunks.length, 0]);
  await bob.transfers.settled();
  assert.equal(eventsOf(bob, "saved")[0]?.sha256, SHA256);
});

Deno.test("chunks that nobody asked for are not taken, and a slow disk has no more than a window to write", async () => {
  await using room = await TransferRoom.open();
  const { save, open } = localDisk({ folder: `${room.path}/bob` });
  const writes: (() => void)[] = [];
  const nothing = () => Promise.resolve();
  let isOver = false;
  const append = () => isOver ? nothing() : new Promise<void>((done) => void writes.push(done));
  const part = { append, finish: () => Promise.resolve(""), discard: nothing, keep: nothing };
  const disk = { save, open, begin: () => Promise.resolve(part) };
  const bob = room.join({ intercept: () => {}, acceptAll: true, disk });
  const bytes = someBytes(300 * FILE_CHUNK_BYTES);
  const chunks = chunksOf(7, { bytes });
  const hash = new Uint8Array(createHash("sha256").update(bytes).digest());
  bob.transfers.handleOffer(offerOf(7, { size: bytes.length, hash }));
  await turn();
  const here = () => bob.transfers.list()[0]!.done / FILE_CHUNK_BYTES;
  // Its sender says all of it again and again.
  const push = () => chunks.forEach((chunk) => bob.transfers.handleChunk(chunk));
  for (const chunk of chunks.slice(2)) bob.transfers.handleChunk(chunk);
  assert.equal(here(), 0, "two were asked for");
  let most = 0;
  for (let written = 0; written < 200; written++) {
    for (push(); writes.length === 0; push()) await turn();
    most = Math.max(most, here() - written);
    room.now++;
    writes.shift()!();
    await turn();
  }
  isOver = true;
  for (const done of writes) done();
  assert.ok(most > 8 && most <= 64, `${most} were here and not written`);
});

Deno.test("after a lost connection a receiver asks from the first chunk that it has not got", async () => {
  await using room = await TransferRoom.open();
  const { bob, sent } = watched(room);
  for (const chunk of chunksOf(7, { bytes: BYTES }).slice(0, 3)) bob.transfers.handleChunk(chunk);
  sent.length = 0;
  bob.transfers.connectionLost(60_000);
  bob.transfers.connectionBack(true);
  assert.equal(pulls(sent)[0]?.[0], 3);
});

Deno.test("chunks that do not come are asked for again, and then their sender counts as gone", async () => {
  await using room = await TransferRoom.open();
  const { bob, sent } = watched(room);
  bob.transfers.handleChunk(chunksOf(7, { bytes: BYTES })[0]!);
  sent.length = 0;
  for (let n = 0; n < 3; n++) room.pass(FILE_PULL_AGAIN_MS);
  assert.deepEqual(pulls(sent).map(([index]) => index), [1, 1, 1]);
  room.pass(FILE_STALLED_MS);
  assert.deepEqual(eventsOf(bob, "failed").map(({ fault }) => fault.code), ["stalled"]);
});

Deno.test("nothing is asked of a file that was not accepted, and a refused one is asked for no longer", async () => {
  await using room = await TransferRoom.open();
  const sent: FileRequest[] = [];
  const { save, open } = localDisk({ folder: `${room.path}/bob` });
  const bob = room.join({ intercept: (request) => void sent.push(request), disk: { save, open } });
  bob.transfers.handleOffer(offerOf(7, { size: BYTES.length, hash: HASH }));
  room.pass(2 * FILE_STALLED_MS);
  assert.deepEqual(pulls(sent), []);
  bob.transfers.accept();
  assert.deepEqual(pulls(sent), [[0, 2]]);
  bob.transfers.cancel(1);
  assert.deepEqual(pulls(sent).at(-1), [0, 0]);
});

Deno.test("while a connection is lost nothing is late; when the session is not held any more it is over, once", async () => {
  await using room = await TransferRoom.open();
  const { bob } = watched(room);
  bob.transfers.memberAway(7, ROOM.id);
  room.pass(2 * FILE_STALLED_MS);
  assert.equal(bob.transfers.list()[0]?.waitingFor, "sender");
  bob.transfers.connectionLost(60_000);
  assert.equal(bob.transfers.list()[0]?.waitingFor, "connection");
  room.pass(59_999);
  assert.deepEqual(eventsOf(bob, "failed"), []);
  room.pass(1);
  bob.transfers.connectionBack(false);
  assert.deepEqual(eventsOf(bob, "failed").map(({ fault }) => fault.reason), [
    "the connection was lost for too long",
  ]);
  assert.deepEqual(eventsOf(bob, "waiting").map((event) => event.for), ["sender", "connection"]);
});

Deno.test("who was gone when all were counted has left; who is away is waited for", async () => {
  await using room = await TransferRoom.open();
  const { bob } = watched(room);
  const sender = { client: 7, name: "x", state: "away" as const, since: 0, status: null };
  bob.transfers.peopleAre(ROOM.id, [sender]);
  assert.equal(bob.transfers.list()[0]?.waitingFor, "sender");
  bob.transfers.peopleAre(ROOM.id, [{ ...sender, state: "here" }]);
  assert.equal(bob.transfers.list()[0]?.waitingFor, undefined);
  bob.transfers.peopleAre(99, []);
  assert.equal(bob.transfers.list().length, 1);
  bob.transfers.peopleAre(ROOM.id, []);
  assert.deepEqual(eventsOf(bob, "failed").map(({ fault }) => fault.code), ["sender_left"]);
});

Deno.test("a file that is not available any longer is over, and so is one with other bytes", async () => {
  await using room = await TransferRoom.open();
  const { bob } = watched(room);
  const chunk = chunksOf(7, { bytes: BYTES })[0]!;
  bob.transfers.handleChunk({ ...chunk, data: new Uint8Array(), last: true });
  assert.equal(eventsOf(bob, "failed")[0]?.fault.code, "sender_gave_up");
  const other = BYTES.slice();
  other[5]! ^= 1;
  bob.transfers.handleOffer(offerOf(7, { id: "g", size: BYTES.length, hash: HASH }));
  for (const chunk of chunksOf(7, { id: "g", bytes: other })) bob.transfers.handleChunk(chunk);
  assert.equal(eventsOf(bob, "failed")[1]?.fault.code, "bad_digest");
});

Deno.test("a file that somebody has is served to others for a while, as long as it is what it was", async () => {
  await using room = await TransferRoom.open();
  const parts: FileRequest[] = [];
  const alice = room.join({
    intercept: (request, relay) => {
      if (request.kind === "part") parts.push(request);
      else relay();
    },
  });
  room.join();
  const path = await room.file("a.bin", BYTES);
  await alice.transfers.offerFile(path, ROOM);
  const id = alice.files.state[0]?.[0] as string;
  const pull = (index: number, count: number) =>
    alice.transfers.handlePull({
      kind: "pull",
      room: ROOM.id,
      client: 2,
      file: id,
      index,
      count,
    });
  const about = { room: ROOM.id, client: 2, name: "bob", time: 0 };
  alice.transfers.handleReceipt({ kind: "receipt", ...about, file: id, state: "saved" });
  await alice.transfers.settled();
  assert.equal(eventsOf(alice, "sent")[0]?.sha256, SHA256);
  const ask = async (index: number, count: number) => {
    pull(index, count);
    for (let n = 0; n < 20; n++) await turn();
    return parts.splice(0).map((part) => {
      if (part.kind !== "part") return [];
      alice.transfers.handleTaken({ kind: "taken", file: id, index: part.index });
      return [part.index, part.data.length];
    });
  };
  assert.deepEqual(await ask(39, 2), [[39, FILE_CHUNK_BYTES], [40, 9]]);
  assert.deepEqual(await ask(40, 2), [], "beyond its end there is nothing");
  assert.deepEqual(await ask(2 ** 50, 1), []);
  const changed = BYTES.slice();
  changed[7]! ^= 1;
  await Deno.writeFile(path, changed);
  assert.deepEqual(await ask(0, 1), [[0, 0]], "no data: what it was is not available any longer");
  assert.deepEqual(await ask(1, 1), [[1, FILE_CHUNK_BYTES]]);
  room.pass(300_000);
  assert.deepEqual(await ask(1, 1), [], "nobody asked for five minutes");
});

Deno.test("a chunk that a sealed room is done with says nothing of those that left for the server before it", async () => {
  await using room = await TransferRoom.open();
  const files: string[] = [];
  const left: string[] = [];
  const alice = room.join({
    intercept(request) {
      if (request.kind === "offer") files.push(request.file);
      if (request.kind === "part") left.push(request.file);
    },
    // Of clients with the old protocol nothing is heard: they have what the server took.
    others: () => [{ client: 2, name: "bob", state: "old", since: 0, status: null }],
  });
  const path = await room.file("a.bin", someBytes(9));
  for (const to of [ROOM, { id: "sealed 1", isSealed: true } as const]) {
    await alice.transfers.offerFile(path, to);
    const file = files.at(-1)!;
    alice.transfers.handleAnswer(file, "confirmed");
    alice.transfers.handlePull({ kind: "pull", room: to.id, client: 2, file, index: 0, count: 1 });
    while (left.at(-1) !== file) await turn();
  }
  const [plain = "", sealed = ""] = files;
  alice.transfers.handleSealedTaken({ file: sealed, index: 0 });
  await turn();
  assert.deepEqual(eventsOf(alice, "sent").map(({ file }) => file.n), [2]);
  alice.transfers.handleTaken({ kind: "taken", file: plain, index: 0 });
  await turn();
  assert.deepEqual(eventsOf(alice, "sent").map(({ file }) => file.n), [2, 1]);
});

Deno.test("after both programs were started again a file goes on where the receiver's part ends", async () => {
  await using room = await TransferRoom.open();
  const bytes = someBytes(4 * 1_048_576 + 9);
  const path = await room.file("big.bin", bytes);
  const folder = `${room.path}/kept`;
  const disk = localDisk({ folder });
  let parts = 0;
  const counting: MemberOptions["intercept"] = (message, relay) => {
    if (message.kind !== "part") return relay();
    if (++parts <= 80) relay();
  };
  const [alice, bob] = [room.join({ intercept: counting }), room.join({ acceptAll: true, disk })];
  await alice.transfers.offerFile(path, ROOM);
  while (parts <= 80) await turn();
  await bob.transfers.dispose();
  await alice.transfers.dispose();
  const indexes: number[] = [];
  const intercept: MemberOptions["intercept"] = (message, relay) => {
    if (message.kind === "part") indexes.push(message.index);
    relay();
  };
  [alice, bob].forEach((member) => member.linked = false);
  const again = room.join({ intercept });
  const back = room.join({ acceptAll: true, disk });
  await again.transfers.offerFile(path, ROOM);
  while (eventsOf(back, "saved").length === 0) await turn();
  assert.ok((indexes[0] ?? 0) >= 64, `it began again at chunk ${indexes[0]}`);
  assert.deepEqual(await Deno.readFile(`${folder}/big.bin`), bytes);
  assert.deepEqual(await namesIn(folder), ["big.bin"]);
});

Deno.test("of a file that nobody accepted yet no lost connection is told, and it can be accepted after it", async () => {
  await using room = await TransferRoom.open();
  const [alice, bob] = [room.join(), room.join()];
  await alice.transfers.offerFile(await room.file("a.bin", BYTES), ROOM);
  await turn();
  room.cut(bob);
  room.mend(bob);
  room.cut(alice);
  room.mend(alice);
  assert.deepEqual(bob.events.map(({ kind }) => kind), ["offered"]);
  bob.transfers.accept();
  await bob.transfers.settled();
  await alice.transfers.settled();
  assert.deepEqual(eventsOf(bob, "saved").map(({ sha256 }) => sha256), [SHA256]);
});

Deno.test("a receiver that cancels a file has refused it", async () => {
  await using room = await TransferRoom.open();
  const intercept = ({ kind }: FileRequest, relay: () => void) => {
    if (kind !== "part") relay();
  };
  const [alice, bob] = [room.join({ intercept }), room.join({ acceptAll: true })];
  await alice.transfers.offerFile(await room.file("a.bin", BYTES), ROOM);
  while (bob.transfers.list()[0]?.state !== "accepted") await turn();
  bob.transfers.cancel(1);
  await alice.transfers.settled();
  assert.deepEqual(eventsOf(alice, "failed").map(({ fault }) => fault.code), ["refused"]);
});

Deno.test("what another sender left under a file's digest has it sent again, and not refused", async () => {
  await using room = await TransferRoom.open();
  const bytes = someBytes(4 * 1_048_576 + 9);
  const sha256 = createHash("sha256").update(bytes).digest();
  const disk = localDisk({ folder: `${room.path}/kept` });
  const bob = room.join({ acceptAll: true, disk });
  let parts = 0;
  const eve = room.join({
    intercept(message, relay) {
      if (message.kind === "offer") {
        return room.relay(2, { ...message, hash: new Uint8Array(sha256) });
      }
      if (message.kind !== "part" || message.data.length === 0 || ++parts <= 80) relay();
    },
  });
  await eve.transfers.offerFile(await room.file("eve.bin", bytes.map((byte) => ~byte)), ROOM);
  while (parts <= 80) await turn();
  await eve.transfers.dispose();
  bob.transfers.memberLeft(eve.id, ROOM.id);
  await bob.transfers.settled();
  assert.equal((await namesIn(`${room.path}/kept`)).length, 1, "a part is kept");
  const alice = room.join();
  await alice.transfers.offerFile(await room.file("big.bin", bytes), ROOM);
  while (eventsOf(bob, "saved").length + eventsOf(bob, "failed").length < 2) await turn();
  assert.deepEqual(eventsOf(bob, "failed").slice(1), []);
  assert.equal(eventsOf(bob, "saved")[0]?.sha256, sha256.toString("hex"));
  assert.deepEqual(await namesIn(`${room.path}/kept`), ["big.bin"]);
  assert.equal(eventsOf(bob, "resumed").at(-1)?.done, 0, "the bar begins anew");
});
