import assert from "node:assert/strict";
import type { SealedRoom } from "../../../server/sealed/sealed_room.ts";
import { openRooms, Recorder, roomOf } from "../../helpers/peers/sealed_room.ts";

Deno.test("one member is asked to remove who is gone after the grace time, and the next five seconds later", () => {
  const { clock, members: [alice, bob, carol] } = roomOf(3);
  carol.room.loseConnection(carol.seat);
  clock.turn(59_999);
  assert.equal(alice.last("sealed_evict_please"), undefined);
  clock.turn(1);
  assert.equal(alice.last("sealed_gone")?.left, true);
  assert.deepEqual(alice.last("sealed_evict_please")?.handles, [carol.handle]);
  assert.equal(bob.last("sealed_evict_please"), undefined);
  clock.turn(5_000);
  assert.deepEqual(bob.last("sealed_evict_please")?.handles, [carol.handle]);
});

Deno.test("after all were asked in vain there is a pause, and then they are asked again", () => {
  const { clock, members: [alice, bob, carol] } = roomOf(3);
  carol.room.leave(carol.seat);
  clock.turn(10_000);
  assert.deepEqual([alice, bob].map((member) => member.all("sealed_evict_please").length), [1, 1]);
  clock.turn(59_999);
  assert.equal(alice.all("sealed_evict_please").length, 1);
  clock.turn(1);
  assert.equal(alice.all("sealed_evict_please").length, 2);
});

Deno.test("who says that it leaves is to be removed at once, and a commit that does ends the asking", () => {
  const { clock, members: [alice, bob, carol], counters } = roomOf(3);
  bob.room.leave(bob.seat);
  carol.room.leave(carol.seat);
  assert.deepEqual(alice.last("sealed_evict_please")?.handles, [bob.handle, carol.handle]);
  alice.commit(2, "without them", [bob.handle, carol.handle]);
  alice.events.length = 0;
  clock.turn(600_000);
  assert.deepEqual(alice.kinds(), []);
  assert.equal(counters.sealedEvictions, 2);
  assert.equal(clock.timers, 0);
});

Deno.test("who comes back before it was removed is not removed", () => {
  const { clock, members: [alice, bob] } = roomOf(2);
  bob.room.loseConnection(bob.seat);
  clock.turn(60_000);
  assert.equal(alice.all("sealed_evict_please").length, 1);
  bob.attach({ epoch: 1, seq: 1 });
  clock.turn(120_000);
  assert.equal(alice.all("sealed_evict_please").length, 1);
});

Deno.test("a commit cannot take the place of one who has a link", () => {
  const { members: [alice, bob] } = roomOf(2);
  alice.commit(1, "throws bob out", [bob.handle]);
  assert.notEqual(bob.seat.peer, undefined);
  assert.notEqual(bob.last("sealed_frame"), undefined);
});

Deno.test("somebody who never came into the group comes and goes without a handle being told", () => {
  const { room, clock, members: [alice] } = roomOf(1);
  const bob = Recorder.attach(room, 2);
  bob.room.leave(bob.seat);
  clock.turn(1_000);
  assert.deepEqual(alice.kinds(), ["guests", "guests"]);
});

Deno.test("a room is forgotten when nobody is there or waited for, with its timers", () => {
  const { clock, rooms, members: [alice, bob] } = roomOf(2);
  alice.room.loseConnection(alice.seat);
  bob.room.leave(bob.seat);
  assert.equal(rooms.size, 1, "alice may come back");
  clock.turn(60_000);
  assert.equal(rooms.size, 0);
  assert.equal(clock.timers, 0);
});

Deno.test("a handle has one connection: the one before is let go", () => {
  const { room, members: [alice, bob] } = roomOf(2);
  const again = Recorder.attach(room, 2, { epoch: 1, seq: 1 });
  assert.deepEqual(bob.drops, ["replaced"]);
  alice.app(1, "hi");
  assert.equal(bob.last("sealed_frame"), undefined);
  assert.notEqual(again.last("sealed_frame"), undefined);
});

Deno.test("after a restart of the server the first brings the room back, with those who are not here yet", () => {
  const { room, clock } = roomOf(0);
  const alice = Recorder.attach(room, 1, { epoch: 5, seq: 80 });
  assert.deepEqual(alice.kinds(), ["none"]);
  alice.create(5, 80, [1, 2, 3].map((n) => new Uint8Array(16).fill(n)));
  const bob = Recorder.attach(room, 3, { epoch: 5, seq: 80 });
  assert.equal(bob.last("sealed_attached")?.missing, "nothing");
  assert.equal(bob.last("sealed_attached")?.members.length, 3);
  alice.app(5, "on we go");
  assert.equal(bob.last("sealed_frame")?.seq, 81);
  clock.turn(60_000);
  assert.deepEqual(alice.last("sealed_evict_please")?.handles, [new Uint8Array(16).fill(2)]);
});

Deno.test("a member's later state corrects what was brought back, until something was ordered", () => {
  const { room, clock } = roomOf(0);
  const alice = Recorder.attach(room, 1, { epoch: 5, seq: 80 });
  const handles = [1, 2].map((n) => new Uint8Array(16).fill(n));
  alice.create(5, 80, handles);
  const stranger = Recorder.attach(room, 4, { epoch: 9, seq: 99 });
  assert.equal(stranger.last("sealed_attached")?.missing, "epochs");
  const bob = Recorder.attach(room, 2, { epoch: 6, seq: 82 });
  assert.equal(bob.last("sealed_none")?.ask, 1);
  assert.throws(() => stranger.create(9, 99, handles), /its members do/);
  bob.create(6, 82, [...handles, new Uint8Array(16).fill(3)]);
  const told = alice.last("sealed_attached");
  assert.deepEqual([told?.ask, told?.epoch, told?.seq, told?.missing], [0, 6, 82, "epochs"]);
  bob.app(6, "ordered");
  const carol = Recorder.attach(room, 3, { epoch: 7, seq: 90 });
  assert.equal(carol.last("sealed_attached")?.epoch, 6);
  assert.equal(carol.last("sealed_attached")?.missing, "epochs");
  clock.turn(5_000);
});

Deno.test("five seconds after a room was brought back nobody corrects it any more", () => {
  const { room, clock } = roomOf(0);
  const handles = [new Uint8Array(16).fill(2)];
  Recorder.attach(room, 1, { epoch: 5, seq: 80 }).create(5, 80, handles);
  clock.turn(5_000);
  const bob = Recorder.attach(room, 2, { epoch: 6, seq: 82 });
  assert.equal(bob.last("sealed_attached")?.epoch, 5);
});

Deno.test("a server opens so many sealed rooms and no more", () => {
  const { rooms } = openRooms({ most: 2 });
  for (let n = 0; n < 2; n++) rooms.open(new Uint8Array(16).fill(n));
  rooms.open(new Uint8Array(16).fill(1));
  assert.throws(() => rooms.open(new Uint8Array(16).fill(2)), /at most 2/);
});

Deno.test("one address opens its share of the sealed rooms and no more, until one of them ends", () => {
  const { rooms } = openRooms({ most: 10, share: 2 });
  const open = (n: number, address?: string) => rooms.open(new Uint8Array(16).fill(n), address);
  open(0, "192.0.2.1").tidy();
  open(1, "192.0.2.1");
  open(2, "192.0.2.1");
  assert.throws(() => open(3, "192.0.2.1"), /at most 2 made from one address/);
  assert.equal(
    open(1, "192.0.2.1").number,
    open(1).number,
    "one that is there is made by nobody again",
  );
  open(3, "192.0.2.2");
  open(4);
  open(2).tidy();
  open(5, "192.0.2.1");
  assert.equal(rooms.size, 4);
});

Deno.test("a room has 264 connections and no more, and 64 of them beside its group", () => {
  const come = (room: SealedRoom, count: number) => {
    for (let n = 2; n <= count; n++) {
      const recorder = new Recorder(room, n);
      recorder.handle.set([n >> 8, n]);
      recorder.attach();
    }
  };
  const { room } = roomOf(0);
  come(room, 265);
  assert.throws(() => Recorder.attach(room, 250), /264 connections/);
  const full = roomOf(1);
  come(full.room, 65);
  assert.throws(() => Recorder.attach(full.room, 250), /others are waiting/);
  full.clock.turn(5_000);
  Recorder.attach(full.room, 250);
});

Deno.test("chunks go to who asked for them, as many as were asked for, and to nobody else", () => {
  const { members: [alice, bob, carol], counters } = roomOf(3);
  assert.equal(alice.chunk(bob, "unasked"), false);
  bob.pull(alice, 2);
  assert.equal(alice.last("sealed_pull")?.chunks, 2);
  assert.equal(alice.chunk(bob, "one"), true);
  assert.equal(carol.chunk(bob, "not yours"), false);
  assert.equal(alice.chunk(bob, "two"), true);
  assert.equal(alice.chunk(bob, "three"), false);
  assert.equal(bob.all("sealed_chunk").length, 2);
  assert.deepEqual(bob.last("sealed_chunk")?.from, alice.handle);
  assert.equal(counters.sealedChunks, 2);
});

Deno.test("chunks go neither from nor to a member that was removed since they were asked for", () => {
  const { members: [alice, bob, carol, dave] } = roomOf(4);
  bob.pull(alice, 1);
  carol.pull(dave, 1);
  bob.commit(3, "without alice and carol", [alice.handle, carol.handle]);
  assert.deepEqual([alice.chunk(bob, "late"), dave.chunk(carol, "late")], [false, false]);
  assert.deepEqual([bob, carol].flatMap((each) => each.all("sealed_chunk")), []);
});

Deno.test("a receiver can have asked one sender for 128 chunks at once, and all for 256; what a lost sender owed is forgotten", () => {
  const { members: [alice, bob, carol, dave] } = roomOf(4);
  // What is asked for again counts once: nobody owes more than the most.
  for (let i = 0; i < 20; i++) alice.pull(i % 2 === 0 ? bob : carol, 32);
  const passed = Array.from({ length: 200 }, () => bob.chunk(alice, "x"));
  assert.equal(passed.filter(Boolean).length, 128);
  for (let i = 0; i < 8; i++) alice.pull(bob, 32);
  assert.throws(() => alice.pull(dave, 1), /too much of it/);
  carol.room.loseConnection(carol.seat);
  alice.pull(dave, 32);
  assert.throws(() => alice.pull(carol, 1), /not here/);
});

Deno.test("a chunk for several goes to those of them who asked", () => {
  const { members: [alice, bob, carol, dave] } = roomOf(4);
  alice.pull(bob, 1);
  dave.pull(bob, 1);
  const to = [alice, carol, dave, alice].map(({ handle }) => handle);
  const body = new Uint8Array([1]);
  const chunk = { kind: "sealed_chunk", ask: 1, room: bob.room.number, to, body } as const;
  assert.equal(bob.room.chunk(bob.seat, chunk), true);
  assert.deepEqual([alice, carol, dave].map((each) => each.all("sealed_chunk").length), [1, 0, 1]);
});

Deno.test("of one sender a receiver gets 128 chunks that it asked for, however many more it asks for", () => {
  const { members: [alice, bob] } = roomOf(2);
  for (let n = 0; n < 5; n++) alice.pull(bob, 32);
  let passed = 0;
  while (passed < 200 && bob.chunk(alice, "part")) passed++;
  assert.equal(passed, 128);
});

Deno.test("a group that no member can come back to is forgotten, and a guest may make another", () => {
  const { room, members: [alice] } = roomOf(1);
  const bob = Recorder.attach(room, 2);
  room.leave(alice.seat);
  assert.equal(bob.last("sealed_none")?.ask, 0);
  bob.create();
  assert.notEqual(bob.last("sealed_done"), undefined);
});
