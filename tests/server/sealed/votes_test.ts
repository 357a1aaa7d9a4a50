import assert from "node:assert/strict";
import { LimitError } from "../../../shared/base/errors.ts";
import { Recorder, roomOf, textOf } from "../../helpers/peers/sealed_room.ts";

const texts = (member: Recorder) => member.all("sealed_frame").map(({ body }) => textOf(body));

Deno.test("a commit that more than half find unsound is void, with all that was built on it", () => {
  const { members: [alice, bob, carol, mallory], counters } = roomOf(4);
  mallory.commit(3, "bad");
  mallory.app(4, "on it");
  alice.vote(4, false);
  assert.equal(alice.last("sealed_void"), undefined);
  bob.vote(4, false);
  for (const member of [alice, bob, carol]) {
    const { kind, seq, last, epoch } = member.last("sealed_void") ?? {};
    assert.deepEqual([kind, seq, last, epoch], ["sealed_void", 4, 5, 3]);
  }
  assert.equal(counters.sealedVoids, 1);
  alice.commit(3, "good");
  assert.deepEqual([alice.last("sealed_frame")?.seq, alice.last("sealed_frame")?.epoch], [6, 3]);
});

Deno.test("half is not enough, and the sender has no vote", () => {
  const { members: [alice, bob, carol] } = roomOf(3);
  carol.commit(2, "questionable");
  carol.vote(3, false);
  alice.vote(3, false);
  bob.vote(3, true);
  assert.equal(alice.last("sealed_void"), undefined);
  bob.vote(3, false);
  assert.equal(alice.last("sealed_void")?.epoch, 2);
});

Deno.test("the sender of a voided commit is let go, and the same commit is never taken again", () => {
  const { room, members: [alice, bob] } = roomOf(2);
  const mallory = Recorder.attach(room, 9);
  mallory.enter(1, bob, "garbage");
  alice.vote(2, false);
  bob.vote(2, false);
  assert.deepEqual(mallory.drops, ["voided"]);
  assert.equal(mallory.seat.peer, undefined);
  assert.equal(alice.last("sealed_evict_please"), undefined, "its leaf never came into the group");
  assert.throws(() => bob.commit(1, "garbage"), LimitError);
  Recorder.attach(room, 8).enter(1, alice, "sound");
  assert.equal(texts(alice).at(-1), "sound");
});

Deno.test("a member whose commit was voided is still in the group, so others are asked to remove it", () => {
  const { members: [alice, bob, mallory] } = roomOf(3);
  mallory.commit(2, "bad");
  alice.vote(3, false);
  bob.vote(3, false);
  const asked = [alice, bob].filter((member) => member.last("sealed_evict_please") !== undefined);
  assert.equal(asked.length, 1);
  assert.deepEqual(asked[0]?.last("sealed_evict_please")?.handles, [mallory.handle]);
});

Deno.test("votes count for ten seconds, and from nobody who came later", () => {
  const { room, clock, members: [alice, bob] } = roomOf(2);
  alice.commit(1, "fine");
  const late = Recorder.attach(room, 3, { epoch: 2, seq: 2 });
  late.vote(2, false);
  assert.equal(alice.last("sealed_void"), undefined);
  clock.turn(10_000);
  bob.vote(2, false);
  assert.equal(alice.last("sealed_void"), undefined);
});

Deno.test("who lost its connection has no say: those who are here decide", () => {
  const { members: [alice, bob, carol, mallory] } = roomOf(4);
  mallory.commit(3, "bad");
  alice.vote(4, false);
  bob.room.loseConnection(bob.seat);
  assert.equal(alice.last("sealed_void"), undefined, "one of two");
  carol.room.loseConnection(carol.seat);
  assert.equal(alice.last("sealed_void")?.epoch, 3);
});

Deno.test("who comes back from an epoch that is void now is told so before what follows it", () => {
  const { members: [alice, bob, carol, mallory] } = roomOf(4);
  mallory.commit(3, "bad");
  carol.room.loseConnection(carol.seat);
  for (const member of [alice, bob]) member.vote(4, false);
  alice.commit(3, "good");
  carol.events.length = 0;
  carol.attach({ epoch: 4, seq: 4 });
  assert.equal(carol.last("sealed_attached")?.missing, "nothing");
  assert.deepEqual(carol.kinds(), ["attached", "void", "frame"]);
});

Deno.test("who never saw what is void now is told of the sequences that are missing", () => {
  const { members: [alice, bob, carol, mallory] } = roomOf(4);
  carol.room.loseConnection(carol.seat);
  alice.app(3, "before");
  mallory.commit(3, "bad");
  for (const member of [alice, bob]) member.vote(5, false);
  alice.app(3, "after");
  carol.events.length = 0;
  carol.attach({ epoch: 3, seq: 3 });
  assert.deepEqual(texts(carol), ["before", "after"]);
  assert.deepEqual(carol.kinds(), ["attached", "frame", "void", "frame"]);
});

Deno.test("a commit cannot escape its vote behind others: while sixteen wait for agreement, no other is ordered", () => {
  const { clock, members: [alice, bob, mallory] } = roomOf(3);
  for (let n = 0; n < 16; n++) mallory.commit(2 + n, `garbage ${n}`);
  assert.throws(() => mallory.commit(18, "one more"), /have not agreed to those before/);
  for (const member of [alice, bob]) member.vote(3, false);
  assert.equal(alice.last("sealed_void")?.last, 18);
  for (let n = 0; n < 40; n++) {
    alice.commit(2 + n, `sound ${n}`);
    bob.vote(19 + n, true);
  }
  clock.turn(10_000);
  assert.equal(alice.all("sealed_frame").length, 56);
});
