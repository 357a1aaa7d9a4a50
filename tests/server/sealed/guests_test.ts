import assert from "node:assert/strict";
import { TurnsInVain } from "../../../server/sealed/guests.ts";
import type { SealedRoom } from "../../../server/sealed/sealed_room.ts";
import { SourceRate } from "../../../server/limits/source_rate.ts";
import { JOIN_RATE } from "../../../server/config/limits.ts";
import { Seat } from "../../../server/sealed/seat.ts";
import { handleOf, Recorder, roomOf } from "../../helpers/peers/sealed_room.ts";

let lastNumber = 10;

/** So many guests that wait for their turn, each at the address that `source` gives. */
function waitingGuests(room: SealedRoom, count: number, source: (n: number) => string): Recorder[] {
  return Array.from({ length: count }, (_, n) => {
    const guest = Recorder.attach(room, ++lastNumber, undefined, source(n));
    guest.join();
    return guest;
  });
}

function come(room: SealedRoom, source: string): Recorder {
  return Recorder.attach(room, ++lastNumber, undefined, source);
}

function cutOf(guests: readonly Recorder[]): number {
  return guests.filter(({ drops }) => drops.length > 0).length;
}

Deno.test("four /64 of one IPv6 /48 that take all places for guests keep nobody else out", () => {
  lastNumber = 10;
  const { room } = roomOf(1);
  const crowd = waitingGuests(room, 64, (n) => `2001:db8:7:${n % 4}::/64`);
  const others = Array.from({ length: 20 }, (_, n) => come(room, `192.0.2.${n}`));
  assert.equal(cutOf(crowd), 20);
  assert.equal(cutOf(others), 0);
  assert.deepEqual(crowd[63]?.drops, ["crowded"], "whoever came last goes first");
  assert.deepEqual(crowd[0]?.drops, [], "whoever waits for longest stays");
});

Deno.test("a neighbor in that /48 comes in as well, and the /64 that has most guests pays", () => {
  lastNumber = 10;
  const { room } = roomOf(1);
  const few = waitingGuests(room, 15, () => "2001:db8:7:1::/64");
  const neighbors = waitingGuests(room, 33, (n) => `2001:db8:7:${100 + n}::/64`);
  const most = waitingGuests(room, 16, () => "2001:db8:7:2::/64");
  const neighbor = come(room, "2001:db8:7:99::/64");
  assert.deepEqual([few, neighbors, most, [neighbor]].map(cutOf), [0, 0, 1, 0]);
  assert.throws(() => come(room, "2001:db8:7:2::/64"), /others are waiting/);
  assert.throws(() => come(room, "2001:db8:7:1::/64"), /others are waiting/);
});

Deno.test("a crowd cuts no guest of another network, though that one waits for nothing", () => {
  lastNumber = 10;
  const { room, clock } = roomOf(1);
  const quiet = [come(room, "192.0.2.1"), come(room, "2001:db8:8:1::/64")];
  clock.turn(60_000);
  waitingGuests(room, 62, (n) => `2001:db8:7:${n % 6}::/64`);
  for (let n = 0; n < 10; n++) {
    try {
      come(room, `2001:db8:7:${20 + n}::/64`).join();
    } catch {
      // All of its own site wait.
    }
  }
  assert.equal(cutOf(quiet), 0);
});

Deno.test("where no network has more guests than another, one that waits for nothing makes room", () => {
  lastNumber = 10;
  const { room, clock } = roomOf(1);
  const quiet = come(room, "192.0.2.1");
  clock.turn(4_999);
  const crowd = waitingGuests(room, 63, (n) => `198.51.100.${n}`);
  assert.throws(() => come(room, "192.0.2.2"), /others are waiting/);
  clock.turn(1);
  come(room, "192.0.2.2");
  assert.deepEqual([cutOf(crowd), cutOf([quiet])], [0, 1]);
});

/** One of that source comes in, and goes for good; false where the room does not let it in. */
function comesAndGoes(room: SealedRoom, member: Recorder, source: string): boolean {
  // A handle has one byte here.
  lastNumber = 10 + (lastNumber + 1) % 200;
  const guest = Recorder.attach(room, lastNumber, undefined, source);
  const { epoch = 0 } = room.state?.order ?? {};
  try {
    guest.enter(epoch, member);
  } catch (error) {
    assert.match(String(error), /your address has come in too often/);
    room.leave(guest.seat);
    return false;
  }
  const seq = room.state?.order.seq ?? 0;
  member.vote(seq, true);
  room.leave(guest.seat);
  member.commit(epoch + 1, "evict", [guest.handle]);
  member.events.length = 0;
  return true;
}

Deno.test("a source that comes and goes without end comes in every five seconds in the long run, and keeps nobody else out", () => {
  lastNumber = 10;
  const rate = new SourceRate(JOIN_RATE);
  const { room, clock, members: [alice] } = roomOf(1, { entrances: () => rate });
  const cycle = (count: number, source: string) =>
    Array.from({ length: count }, () => comesAndGoes(room, alice, source)).filter(Boolean).length;
  assert.equal(cycle(200, "192.0.2.1"), JOIN_RATE.messages);
  assert.equal(cycle(1, "192.0.2.2"), 1);
  clock.turn(60_000);
  assert.equal(cycle(100, "192.0.2.1"), 12);
  // Whoever is in the group and comes back shows no name.
  const guest = Recorder.attach(room, 9, undefined, "192.0.2.3");
  guest.enter(room.state?.order.epoch ?? 0, alice);
  guest.attach({ epoch: 0, seq: 0 }, "192.0.2.1");
  guest.join();
  assert.deepEqual(guest.drops, []);
});

Deno.test("a room remembers a thousand sources that wasted turns, and forgets the one that did so longest ago", () => {
  const turns = new TurnsInVain();
  const seatAt = (n: number) => {
    const seat = new Seat(handleOf(1));
    seat.cameFrom(`192.0.${n >> 8}.${n & 255}`);
    return seat;
  };
  for (let n = 0; n < 1_000; n++) turns.count(seatAt(n));
  turns.count(seatAt(0));
  assert.deepEqual([0, 1].map((n) => turns.ofSource(seatAt(n))), [2, 1]);
  turns.count(seatAt(1_000));
  assert.deepEqual([0, 1, 2, 1_000].map((n) => turns.ofSource(seatAt(n))), [2, 0, 1, 1]);
});
