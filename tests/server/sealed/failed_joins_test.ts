import assert from "node:assert/strict";
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
  bob.create(3, 4);
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
    Recorder.attach(room, n).join();
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
  alone.room.loseLink(alone.members[1].seat);
  alone.members[0].join();
  alone.clock.turn(10_000);
  assert.equal(alone.members[0].last("sealed_none"), undefined);
  assert.equal(carol.last("sealed_none"), undefined);
});
