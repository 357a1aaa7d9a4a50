import assert from "node:assert/strict";
import type { SealedRoom } from "../../../server/sealed/sealed_room.ts";
import { Recorder, roomOf } from "../../helpers/peers/sealed_room.ts";

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
