import assert from "node:assert/strict";
import { JoinedRoom } from "../../../client/rooms/joined_room.ts";
import { JoinedRooms } from "../../../client/rooms/joined_rooms.ts";
import { MEMBERS_MAX, type RosterEntry } from "../../../client/rooms/roster.ts";
import { ProtocolError } from "../../../shared/base/errors.ts";

const PART = 10_000;

function part(n: number): RosterEntry[] {
  return Array.from({ length: PART }, (_, index) => ({
    client: (n * PART + index) as RosterEntry["client"],
    name: `member-${n}-${index}`,
    state: "here",
    since: n,
    status: null,
  }));
}

Deno.test("a list of members without end does not grow the client", () => {
  const room = new JoinedRoom("lobby", "alice");
  const before = Deno.memoryUsage().heapUsed;
  for (let n = 0; n < 200; n++) assert.equal(room.takeMembers(part(n), true), false);
  const grown = Deno.memoryUsage().heapUsed - before;
  assert.ok(grown < 100_000_000, `${grown} bytes for 2,000,000 members`);
  assert.equal(room.takeMembers([], false), true);
  assert.equal(room.roster.people.length, MEMBERS_MAX);
});

Deno.test("a server that names rooms without end breaks the protocol", () => {
  const rooms = new JoinedRooms();
  for (let n = 0; n < 32; n++) rooms.add(`room-${n}`, "alice");
  assert.throws(() => rooms.add("one more", "alice"), ProtocolError);
  assert.equal(rooms.all.length, 32);
});

Deno.test("of rooms that were left, the names of the last 256 are kept for Tab", () => {
  const rooms = new JoinedRooms();
  for (let n = 0; n < 300; n++) rooms.noteVisit(`room-${n}`);
  assert.deepEqual([rooms.visited.length, rooms.visited[0]], [256, "room-44"]);
});
