import assert from "node:assert/strict";
import { LimitError } from "../../../shared/base/errors.ts";
import { Recorder, roomOf } from "../../helpers/peers/sealed_room.ts";

Deno.test("an epoch that more than half of the members cannot come into is gone, and they bring back their own", () => {
  const { clock, room, members: [alice, bob, carol, mallory] } = roomOf(4);
  mallory.commit(3, "leads nowhere");
  for (const member of [alice, bob]) {
    member.join();
    clock.turn(10_000);
    assert.notEqual(member.last("sealed_declined"), undefined);
  }
  assert.equal(alice.last("sealed_none"), undefined, "half is not enough");
  carol.join();
  clock.turn(10_000);
  for (const member of [alice, bob, carol, mallory]) {
    assert.equal(member.last("sealed_none")?.ask, 0);
  }
  bob.create(3, 4, [alice, bob, carol, mallory].map(({ handle }) => handle));
  alice.create(3, 4);
  assert.equal(alice.last("sealed_conflict")?.epoch, 3);
  bob.commit(3, "it goes on");
  assert.deepEqual(
    [alice.last("sealed_frame")?.seq, alice.last("sealed_frame")?.epoch],
    [5, 3],
  );
  assert.equal(room.attached, 4);
});

Deno.test("neither newcomers, nor one member alone, nor those who could not before the last commit throw an epoch out", () => {
  const { clock, room, members: [alice, bob, carol] } = roomOf(3);
  for (const n of [7, 8, 9]) {
    Recorder.attach(room, n, { epoch: 2, seq: 2 }).join();
    clock.turn(10_000);
  }
  assert.equal(alice.last("sealed_none"), undefined);
  alice.join();
  clock.turn(10_000);
  bob.commit(2, "somebody can");
  bob.join();
  clock.turn(10_000);
  assert.equal(alice.last("sealed_none"), undefined);
  const alone = roomOf(2);
  alone.room.loseConnection(alone.members[1].seat);
  alone.members[0].join();
  alone.clock.turn(10_000);
  assert.equal(alone.members[0].last("sealed_none"), undefined);
  assert.equal(carol.last("sealed_none"), undefined);
});

Deno.test("after a restart, where nobody can enter what was brought back, those count who say that they are members", () => {
  const { clock, room } = roomOf(0);
  const mallory = Recorder.attach(room, 9, { epoch: 99, seq: 999 });
  mallory.create(99, 999);
  const [alice, bob] = [1, 2].map((n) => Recorder.attach(room, n, { epoch: 5, seq: 80 })) as [
    Recorder,
    Recorder,
  ];
  for (const member of [alice, bob]) {
    assert.equal(member.last("sealed_attached")?.missing, "epochs");
    member.join();
    clock.turn(2_000);
  }
  assert.equal(alice.last("sealed_none")?.ask, 0);
  assert.throws(() => mallory.create(100, 1_000), /its members do/);
  alice.create(5, 80, [alice.handle, bob.handle]);
  bob.join();
  alice.give();
  bob.commit(5, "bob is back");
  assert.equal(alice.last("sealed_frame")?.seq, 81);
  assert.throws(() => mallory.app(6, "and I?"), LimitError);
});

Deno.test("two members alone cannot take the room from those who were away: a list needs more than half of the one before", () => {
  const { clock, room, members: [alice, bob, carol, dave] } = roomOf(4);
  const eve = Recorder.attach(room, 5);
  eve.enter(3, dave);
  for (const one of [alice, bob, carol, dave]) one.vote(4, true);
  for (const one of [alice, bob, carol]) room.loseConnection(one.seat);
  dave.commit(4, "the others are gone", [alice, bob, carol].map(({ handle }) => handle));
  eve.vote(5, true);
  for (const one of [alice, bob, carol]) {
    one.attach({ epoch: 4, seq: 4 });
    assert.equal(one.last("sealed_attached")?.missing, "epochs");
    one.join();
    clock.turn(4_000);
  }
  assert.equal(carol.last("sealed_none")?.ask, 0);
  assert.throws(() => dave.create(6, 6), /its members do/);
  carol.create(4, 4, [alice, bob, carol, dave, eve].map(({ handle }) => handle));
  assert.notEqual(carol.last("sealed_done"), undefined);
});

Deno.test("a commit that lists others than the room has is refused: nobody is added but by its own commit", () => {
  const { room, members: [alice, bob] } = roomOf(2);
  const [guest, other] = [7, 8].map((n) => Recorder.attach(room, n)) as [Recorder, Recorder];
  const [a, b, g, o] = [alice, bob, guest, other].map(({ handle }) => handle) as [
    Uint8Array,
    Uint8Array,
    Uint8Array,
    Uint8Array,
  ];
  for (const members of [[a, b, g], [b], [a, a, b], []]) {
    assert.throws(() => alice.commitAs(members, 1), /names members that the room does not have/);
  }
  guest.join();
  bob.give();
  for (const members of [[a, b, g, o], [a, g], [g], [a, b]]) {
    guest.commitAs(members, 1);
    assert.equal(guest.all("sealed_conflict").length > 0, true);
  }
  assert.equal(alice.last("sealed_check_please"), undefined);
  assert.equal(alice.last("sealed_frame"), undefined);
});

Deno.test("who only says that it is a member has no vote, no voice and no file, and is asked for nothing", () => {
  const { room, clock, members: [alice, bob] } = roomOf(2);
  const liars = [11, 12, 13, 14, 15, 16].map((n) =>
    Recorder.attach(room, n, { epoch: 1, seq: 1 })
  ) as [Recorder, ...Recorder[]];
  alice.commit(1, "sound");
  for (const liar of liars) {
    liar.vote(2, false);
    assert.throws(() => liar.app(2, "spam"), LimitError);
    assert.throws(() => liar.pull(alice, 1), LimitError);
  }
  assert.equal(bob.last("sealed_void"), undefined);
  const carol = Recorder.attach(room, 3);
  carol.enter(2, alice);
  clock.turn(10_000);
  assert.equal(alice.last("sealed_evict_please"), undefined);
  for (const liar of liars) {
    const kinds = new Set(liar.kinds());
    assert.deepEqual([...kinds], ["attached", "done"]);
  }
  const late = Recorder.attach(room, 17, { epoch: 1, seq: 1 });
  assert.deepEqual(late.kinds(), ["attached"], "nor is it told what it says that it missed");
});
