import assert from "node:assert/strict";
import { LimitError } from "../../../shared/base/errors.ts";
import { bodyOf, Recorder, roomOf, textOf } from "../../helpers/peers/sealed_room.ts";

const texts = (member: Recorder) => member.all("sealed_frame").map(({ body }) => textOf(body));

Deno.test("the first makes the group; another who tries is told that there is one", () => {
  const { room, members: [alice] } = roomOf(1);
  const bob = Recorder.attach(room, 2);
  assert.equal(bob.last("sealed_attached")?.missing, "epochs");
  bob.create();
  assert.deepEqual(bob.last("sealed_conflict"), {
    kind: "sealed_conflict",
    ask: 2,
    epoch: 0,
    seq: 0,
  });
  assert.deepEqual(alice.kinds(), ["guests"]);
});

Deno.test("who attaches where no group is is told so, and cannot talk", () => {
  const { room } = roomOf(0);
  const alice = Recorder.attach(room, 1);
  assert.deepEqual(alice.kinds(), ["none"]);
  assert.throws(() => alice.app(0, "hello"), LimitError);
  alice.join();
  assert.deepEqual(alice.kinds(), ["none"]);
});

Deno.test("of two commits in one epoch the first is ordered, and the second is told where the room is", () => {
  const { members: [alice, bob], counters } = roomOf(2);
  alice.commit(1, "mine");
  bob.commit(1, "his");
  assert.deepEqual(texts(bob), ["mine"]);
  assert.deepEqual(bob.last("sealed_conflict"), {
    kind: "sealed_conflict",
    ask: 4,
    epoch: 2,
    seq: 2,
  });
  assert.equal(counters.sealedConflicts, 1);
  bob.commit(2, "his again");
  assert.deepEqual(texts(alice), ["mine", "his again"]);
});

Deno.test("every frame has the next sequence, and its sender knows it by its handle and number", () => {
  const { members: [alice, bob] } = roomOf(2);
  alice.app(1, "one");
  bob.app(1, "two");
  alice.commit(1);
  for (const member of [alice, bob]) {
    const frames = member.all("sealed_frame");
    assert.deepEqual(frames.map(({ seq, type, epoch }) => [seq, type, epoch]), [
      [2, "app", 1],
      [3, "app", 1],
      [4, "commit", 1],
    ]);
    assert.deepEqual(frames[0]?.from, alice.handle);
    assert.equal(frames[0]?.ask, 6);
  }
});

Deno.test("a message of the current epoch and the one before is ordered, an older or later one is stale", () => {
  const { members: [alice, bob] } = roomOf(3);
  alice.app(2, "now");
  alice.app(1, "before");
  assert.deepEqual(texts(bob), ["now", "before"]);
  for (const epoch of [0, 3]) {
    alice.app(epoch, "lost");
    assert.equal(alice.last("sealed_stale")?.epoch, 2);
  }
  assert.deepEqual(texts(bob), ["now", "before"]);
});

Deno.test("who comes back is told all that it missed, in order, and nothing twice", () => {
  const { room, members: [alice, bob] } = roomOf(2);
  bob.room.loseConnection(bob.seat);
  assert.equal(alice.last("sealed_gone")?.left, false);
  alice.app(1, "one");
  alice.commit(1, "two");
  alice.app(2, "three");
  bob.events.length = 0;
  bob.attach({ epoch: 1, seq: 1 });
  assert.equal(bob.last("sealed_attached")?.missing, "nothing");
  assert.deepEqual(texts(bob), ["one", "two", "three"]);
  assert.deepEqual(alice.last("sealed_back")?.handle, bob.handle);
  assert.equal(room.attached, 2);
});

Deno.test("a newcomer is told nothing of what was said before", () => {
  const { room, members: [alice] } = roomOf(1);
  alice.app(0, "before");
  const bob = Recorder.attach(room, 2);
  assert.deepEqual(bob.kinds(), ["attached"]);
});

Deno.test("messages are forgotten before commits, and who comes back is told which are missing", () => {
  const { members: [alice, bob], rooms } = roomOf(2);
  bob.room.loseConnection(bob.seat);
  alice.commit(1, "the commit");
  for (let i = 0; i < 600; i++) alice.app(2, `message ${i}`);
  assert.ok(rooms.bytes < 2 ** 20);
  bob.events.length = 0;
  bob.attach({ epoch: 1, seq: 1 });
  assert.equal(bob.last("sealed_attached")?.missing, "messages");
  assert.deepEqual(texts(bob).slice(0, 1), ["the commit"]);
  assert.equal(texts(bob).at(-1), "message 599");
  assert.equal(texts(bob).length, 511);
});

Deno.test("who is behind by more commits than are remembered must join again", () => {
  const { members: [alice, bob] } = roomOf(2);
  bob.room.loseConnection(bob.seat);
  for (let epoch = 1; epoch <= 300; epoch++) alice.commit(epoch, `commit ${epoch}`);
  bob.events.length = 0;
  bob.attach({ epoch: 1, seq: 1 });
  assert.deepEqual(bob.kinds(), ["attached"]);
  bob.attach({ epoch: 1, seq: 1 });
  assert.equal(bob.last("sealed_attached")?.missing, "epochs");
});

Deno.test("large commits take half of a room's memory, and leave the rest to what is said", () => {
  const { clock, members: [alice, bob] } = roomOf(2);
  bob.room.loseConnection(bob.seat);
  const bodies = ["first", "second", "third"];
  for (const [n, text] of bodies.entries()) {
    alice.room.commit(alice.seat, {
      kind: "sealed_commit",
      ask: alice.next(),
      room: 1,
      epoch: 1 + n,
      members: [alice.handle, bob.handle],
      locked: false,
      body: bodyOf(text, 200_000),
    });
    clock.turn(10_000);
  }
  const missingAt = (epoch: number) => {
    bob.attach({ epoch, seq: epoch });
    return bob.last("sealed_attached")?.missing;
  };
  assert.equal(missingAt(1), "epochs", "the first is gone: three have more than 512 KiB");
  assert.equal(missingAt(2), "nothing");
});

Deno.test("large bodies fill the ring to a mebibyte and no further, and a room that is gone leaves none", () => {
  const { members: [alice, bob], rooms } = roomOf(2);
  for (let i = 0; i < 12; i++) alice.app(1, `${i}`, 262_172);
  assert.ok(rooms.bytes <= 2 ** 20, `${rooms.bytes} bytes`);
  for (const member of [alice, bob]) member.room.leave(member.seat);
  assert.equal(rooms.size, 0);
  assert.equal(rooms.bytes, 0);
});

Deno.test("messages older than twice the hold time are forgotten", () => {
  const { clock, members: [alice, bob] } = roomOf(2, { graceMs: 60_000 });
  alice.app(1, "old");
  clock.turn(120_001);
  bob.events.length = 0;
  bob.attach({ epoch: 1, seq: 1 });
  assert.equal(bob.last("sealed_attached")?.missing, "messages");
  assert.deepEqual(texts(bob), []);
});

Deno.test("a quiet room forgets them too, and nobody has to come back for it", () => {
  const { clock, members: [alice], rooms } = roomOf(2, { graceMs: 60_000 });
  const before = rooms.bytes;
  alice.app(1, "old");
  rooms.forgetOld();
  assert.ok(rooms.bytes > before, "a message that is still needed stays");
  clock.turn(120_001);
  rooms.forgetOld();
  assert.equal(rooms.bytes, before);
});

Deno.test("one who was in an epoch that the room never had must join again", () => {
  const { members: [, bob] } = roomOf(2);
  bob.attach({ epoch: 9, seq: 1 });
  assert.equal(bob.last("sealed_attached")?.missing, "epochs");
});
