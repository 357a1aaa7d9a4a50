// Sealed rooms that go from one process to the next, as plain data.

import { decode, encode } from "cborg";
import assert from "node:assert/strict";
import type { SealedSnapshot } from "../../../server/sealed/room_contract.ts";
import { LimitError } from "../../../shared/base/errors.ts";
import {
  type OpenRooms,
  openRooms,
  Recorder,
  roomOf,
  textOf,
} from "../../helpers/peers/sealed_room.ts";

const RID = new Uint8Array(16).fill(7);
const texts = (member: Recorder) => member.all("sealed_frame").map(({ body }) => textOf(body));

Deno.test("rooms in another format are refused whole", () => {
  const other = openRooms();
  const state = { ...roomOf(2).rooms.state, format: 2 } as unknown as SealedSnapshot;
  assert.deepEqual([other.rooms.restore(state), other.rooms.size], [false, 0]);
});

/** The rooms of the next process. */
function next({ rooms }: Pick<OpenRooms, "rooms">): OpenRooms {
  const other = openRooms();
  other.rooms.restore(decode(encode(rooms.state)) as SealedSnapshot);
  return other;
}

Deno.test("the next process has the order, the members and what was said, and goes on behind it", () => {
  const before = roomOf(3);
  const { members: [alice, bob] } = before;
  alice.app(2, "one");
  bob.app(2, "two");
  const { rooms } = next(before);
  const room = rooms.open(RID);
  assert.equal(room.number, before.room.number);
  const back = Recorder.attach(room, 1, { epoch: 2, seq: 3 });
  const attached = back.last("sealed_attached");
  assert.deepEqual([attached?.missing, attached?.epoch, attached?.seq], ["nothing", 2, 4]);
  assert.deepEqual(attached?.members.map(([, here]) => here), [true, false, false]);
  assert.deepEqual(texts(back), ["two"]);
  back.app(2, "three");
  assert.equal(back.last("sealed_frame")?.seq, 5);
  back.commit(2, "next epoch");
  assert.deepEqual([back.last("sealed_frame")?.seq, back.last("sealed_frame")?.epoch], [6, 2]);
});

Deno.test("its members are waited for as after a lost connection, and nobody else is one", () => {
  const before = roomOf(2);
  const { rooms, clock, counters } = next(before);
  const room = rooms.open(RID);
  const stranger = Recorder.attach(room, 9, { epoch: 1, seq: 1 });
  assert.throws(() => stranger.app(1, "I am a member"), LimitError);
  const alice = Recorder.attach(room, 1, { epoch: 1, seq: 1 });
  clock.turn(60_001);
  assert.equal(alice.last("sealed_gone")?.left, true);
  assert.deepEqual(alice.last("sealed_evict_please")?.handles, [before.members[1].handle]);
  alice.commit(1, "bob is gone", [before.members[1].handle]);
  assert.equal(counters.sealedEvictions, 1);
  alice.room.leave(alice.seat);
});

Deno.test("what was voided stays so, and who has not heard of it does", () => {
  const before = roomOf(3);
  const { members: [alice, bob, mallory] } = before;
  mallory.commit(2, "bad");
  alice.vote(3, false);
  bob.vote(3, false);
  const { rooms } = next(before);
  const room = rooms.open(RID);
  const late = Recorder.attach(room, 2, { epoch: 3, seq: 3 });
  assert.equal(late.last("sealed_void")?.seq, 3);
  assert.throws(() => late.commit(2, "bad"), LimitError);
});

Deno.test("rooms with nobody to come back are left behind, and what the admin closed stays closed", () => {
  const { rooms } = openRooms();
  const [empty, shut] = [rooms.open(RID), rooms.open(new Uint8Array(16).fill(8))];
  Recorder.attach(empty, 1);
  rooms.shut(shut.number);
  const after = next({ rooms });
  assert.equal(after.rooms.size, 0);
  assert.throws(() => after.rooms.open(shut.rid), LimitError);
  assert.ok(after.rooms.open(RID).number > shut.number, "numbers are not given again");
});
