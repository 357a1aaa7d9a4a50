import assert from "node:assert/strict";
import { LimitError } from "../../../shared/base/errors.ts";
import { SESSION_ROOMS_MAX } from "../../../shared/base/limits.ts";
import { roomBounds, RoomQuota } from "../../../server/limits/room_quota.ts";
import { configOf, makeRelay, seat } from "../../helpers/peers/relay.ts";

Deno.test("the share of one source is two rooms a connection, never less than one session may be in, none without a cap", () => {
  assert.equal(roomBounds(configOf()).share, 128);
  assert.equal(roomBounds(configOf(["--max-per-address", "1"])).share, SESSION_ROOMS_MAX);
  assert.equal(roomBounds(configOf(["--max-per-address", "off"])).share, Infinity);
});

Deno.test("take() counts by source, gives back what ended, and keep() never refuses", () => {
  const shares = new RoomQuota({ most: 100, share: 2 });
  const [end] = [shares.take("2001:db8::1"), shares.take("2001:db8::2")];
  assert.throws(() => shares.take("2001:db8::3"), LimitError);
  assert.ok(shares.take("192.0.2.1"));
  shares.keep("2001:db8::4");
  end();
  assert.throws(() => shares.take("2001:db8::3"), /at most 2 made from one address/);
  shares.take(undefined);
});

Deno.test("the last rooms are for those who made one or none, and the bound holds for all", () => {
  const rooms = new RoomQuota({ most: 32, share: 20 });
  for (let n = 0; n < 20; n++) rooms.take("192.0.2.66");
  for (let n = 0; n < 10; n++) rooms.take("192.0.2.67");
  assert.throws(() => rooms.take("192.0.2.67"), /at most 32 are allowed/);
  rooms.take("192.0.2.1");
  rooms.take("192.0.2.2");
  assert.throws(() => rooms.take("192.0.2.3"), /at most 32 are allowed/);
});

Deno.test("an IPv6 /48 makes eight times the rooms of one source, and leaves the last ones to others", () => {
  const address = (n: number) => `2001:db8:7:${n.toString(16)}::1`;
  const few = new RoomQuota({ most: 1_000, share: 2 });
  const ends = Array.from({ length: 16 }, (_, n) => few.take(address(n)));
  assert.throws(() => few.take(address(99)), /at most 2 made from one address/);
  ends[0]?.();
  few.take(address(99));
  const many = new RoomQuota({ most: 64, share: 32 });
  for (let n = 0; n < 60; n++) many.take(address(n));
  assert.throws(() => many.take(address(60)), /at most 64 are allowed/);
  many.take("2001:db8:8::1");
});

Deno.test("one address fills a small part of --max-rooms only, and others still find a place", async () => {
  const relay = await makeRelay(["--rate-limit", "off", "--max-rooms", "200"]);
  const address = "192.0.2.66";
  const flood = Array.from(
    { length: 5 },
    (_, n) => seat(relay, { name: `m${n}`, rooms: [], address }),
  );
  for (const [n, one] of flood.entries()) {
    for (let room = 0; room < SESSION_ROOMS_MAX; room++) {
      one.ask({ kind: "join", title: `flood ${n} ${room}` });
    }
  }
  assert.equal(relay.gauges.rooms, 128);
  assert.match(flood[4]?.take("declined")[0]?.why ?? "", /at most 128 made from one address/);
  const alice = seat(relay, { rooms: [], address: "192.0.2.1" });
  alice.ask({ kind: "join", title: "a room of ours" });
  assert.equal(alice.session.memberships.length, 1);
  // Rooms that are there are no new ones, whoever comes in.
  flood[4]?.ask({ kind: "join", title: "a room of ours" });
  assert.equal(flood[4]?.session.memberships.length, 1);
  for (const one of flood) relay.expire(one.session);
  assert.equal(relay.gauges.rooms, 1);
  flood[0]?.session.enter(relay.rooms.open("flood again", address));
  assert.equal(relay.gauges.rooms, 2, "and its share is free again");
});
