import assert from "node:assert/strict";
import fc from "fast-check";
import { type ConnectionSlot, ConnectionSlots } from "../../../server/limits/connection_slots.ts";

Deno.test("admit() counts in all and by source, an IPv6 network as one, and gives places back once", () => {
  const places = new ConnectionSlots({ most: 4, perSource: 2 });
  const [first] = [places.admit("2001:db8::1"), places.admit("2001:db8::2")];
  assert.equal(places.admit("2001:db8::3"), undefined, "another address of the same customer");
  assert.ok(places.admit("2001:db8:0:1::1"), "its neighbour");
  assert.ok(places.admit("192.0.2.1"));
  assert.equal(places.admit("192.0.2.2"), undefined, "full");
  first?.release();
  first?.release();
  assert.equal(places.taken, 3);
  assert.ok(places.admit("192.0.2.2"));
});

Deno.test("the last slots are for sources that have one or none", () => {
  const slots = new ConnectionSlots({ most: 64, perSource: 32 });
  for (const source of ["192.0.2.66", "192.0.2.67"]) {
    for (let n = 0; n < 30; n++) slots.admit(source);
  }
  assert.equal(slots.admit("192.0.2.66"), undefined);
  assert.ok(slots.admit("192.0.2.1"));
});

Deno.test("an IPv6 /48 has eight times what one source has, and is one where the last slots are given away", () => {
  const address = (n: number) => `2001:db8:7:${n.toString(16)}::1`;
  const slots = new ConnectionSlots({ most: 64, perSource: 2 });
  const taken = Array.from({ length: 40 }, (_, n) => slots.admit(address(n)));
  assert.equal(taken.filter((slot) => slot !== undefined).length, 16);
  taken[0]?.release();
  assert.ok(slots.admit(address(50)));
  const wide = new ConnectionSlots({ most: 64, perSource: 32 });
  const all = Array.from({ length: 64 }, (_, n) => wide.admit(address(n)));
  assert.equal(all.filter((slot) => slot !== undefined).length, 60);
  assert.ok(wide.admit("2001:db8:8::1"));
  for (const slot of all) slot?.release();
  assert.equal(wide.taken, 1);
});

Deno.test("beyond the caps as many may come as are held, and nobody where nobody is", () => {
  const places = new ConnectionSlots({ most: 2, perSource: undefined });
  places.admit("a");
  const b = places.admit("b");
  assert.equal(places.admit("c"), undefined);
  const held = places.hold("b");
  b?.release();
  const back = places.admit("c");
  assert.equal(back?.forHeld, true);
  assert.equal(places.admit("d"), undefined, "one is held, so one may try");
  held.release();
  back?.settle();
  assert.equal(places.taken, 2);
  assert.equal(places.admit("d"), undefined, "and the place is taken again");
});

Deno.test("a source at its cap may come beyond it as far as it is held itself", () => {
  const places = new ConnectionSlots({ most: 10, perSource: 1 });
  places.hold("a");
  places.admit("b");
  assert.equal(places.admit("b"), undefined, "nobody of that source is held");
  assert.equal(places.admit("a")?.forHeld, true);
  assert.equal(places.admit("a"), undefined);
});

/** A server with two slots: one is of a stranger, one of a session that is held for `address`. */
function fullFor(address: string, limits = { most: 2, perSource: 64 }) {
  const slots = new ConnectionSlots(limits);
  slots.admit("198.51.100.1");
  const own = slots.admit(address);
  const held = slots.hold(address);
  own?.release();
  return { slots, held };
}

/** A connection of a slot, and how often it was closed. */
function connectionOf(slot: ConnectionSlot | undefined) {
  const connection = { closed: 0, close: () => void connection.closed++ };
  slot?.isOf?.(connection);
  return connection;
}

for (const [network, home] of [["IPv4", "192.0.2.1"], ["IPv6", "2001:db8:7:1::1"]] as const) {
  Deno.test(`strangers who have the place of a held session give way to who comes from its own source (${network})`, () => {
    const { slots, held } = fullFor(home);
    const stranger = slots.admit("203.0.113.1");
    const strangers = connectionOf(stranger);
    assert.equal(slots.admit("203.0.113.2"), undefined, "as many may come as are held");
    const back = slots.admit(home);
    assert.equal(back?.forHeld, true);
    assert.equal(strangers.closed, 1);
    assert.equal(slots.admit("203.0.113.2"), undefined, "and no stranger takes it again");
    assert.equal(slots.admit(home), undefined, "one is held, so one may come");
    stranger?.release();
    held.release();
    back?.settle();
    assert.equal(slots.taken, 2);
  });
}

Deno.test("neighbors in a full IPv6 /48 keep nobody out whose session is held in its own /64", () => {
  const address = (n: number) => `2001:db8:7:${n.toString(16)}::1`;
  const slots = new ConnectionSlots({ most: 1_000, perSource: 1 });
  const [own] = Array.from({ length: 8 }, (_, n) => slots.admit(address(n)));
  slots.hold(address(0));
  own?.release();
  const neighbor = connectionOf(slots.admit(address(100)));
  assert.equal(slots.admit(address(101)), undefined, "the site is full");
  assert.equal(slots.admit(address(0))?.forHeld, true);
  assert.equal(neighbor.closed, 1);
});

Deno.test("who comes back to its source takes nothing from strangers while there is room", () => {
  const { slots } = fullFor("192.0.2.1");
  slots.hold("192.0.2.2");
  const moved = connectionOf(slots.admit("203.0.113.1"));
  assert.ok(slots.admit("192.0.2.1"));
  assert.equal(moved.closed, 0);
  assert.ok(slots.admit("192.0.2.2"));
  assert.equal(moved.closed, 1, "each source has its place");
});

Deno.test("the stranger that has a place for longest gives way, and none that has resumed a session", () => {
  const { slots } = fullFor("192.0.2.1");
  const others = [2, 3, 4].map((n) => slots.hold(`192.0.2.${n}`));
  const guests = [1, 2, 3, 4].map((n) => slots.admit(`203.0.113.${n}`));
  const [first, second, third, fourth] = guests.map(connectionOf);
  others[0]?.release();
  guests[0]?.settle();
  assert.ok(slots.admit("192.0.2.1"));
  assert.deepEqual([first, second, third, fourth].map((one) => one?.closed), [0, 1, 0, 0]);
});

Deno.test("who was let in for a session that went on to another source gives way as well", () => {
  const { slots, held } = fullFor("192.0.2.1");
  slots.hold("192.0.2.2");
  const silent = connectionOf(slots.admit("192.0.2.1"));
  const moved = slots.admit("203.0.113.1");
  held.release();
  moved?.settle();
  slots.hold("203.0.113.1");
  moved?.release();
  assert.ok(slots.admit("203.0.113.1"));
  assert.equal(silent.closed, 0);
  assert.ok(slots.admit("192.0.2.2"));
  assert.equal(silent.closed, 1);
});

Deno.test("a member behind a proxy comes back while strangers have all common places", () => {
  const { slots } = fullFor("192.0.2.1");
  const stranger = connectionOf(slots.admit("203.0.113.1"));
  const unnamed = slots.admitUnknown();
  assert.equal(unnamed?.forHeld, true);
  assert.equal(slots.admitUnknown(), undefined, "no more than are held");
  unnamed?.release();
  assert.equal(slots.admit("192.0.2.1")?.forHeld, true);
  assert.equal(stranger.closed, 1);
  assert.ok(slots.admitUnknown(), "the place of who is named is free again");
});

Deno.test("whatever comes, is held, comes back and goes, the caps hold for who showed no ticket", () => {
  const steps = fc.array(fc.tuple(fc.nat(3), fc.nat(2), fc.nat(20)), { maxLength: 200 });
  fc.assert(fc.property(steps, (all) => {
    const limits = { most: 5, perSource: 3 };
    const places = new ConnectionSlots(limits);
    let ordinary: { place: ConnectionSlot; source: string; isHeld: boolean }[] = [];
    const guests: { place: ConnectionSlot; source: string; closed: number }[] = [];
    const heldOf = (source?: string) =>
      ordinary.filter((one) => one.isHeld && (source ?? one.source) === one.source).length;
    const guestsOf = (source?: string) =>
      guests.filter((one) => one.closed === 0 && (source ?? one.source) === one.source).length;
    for (const [what, origin, pick] of all) {
      const source = `192.0.2.${origin}`;
      if (what === 0) {
        const isExpected = guestsOf(source) < heldOf(source);
        const place = places.admit(source);
        assert.ok(place !== undefined || !isExpected, "a source comes back as far as it is held");
        if (place?.forHeld) {
          const guest = { place, source, closed: 0, close: () => void guest.closed++ };
          place.isOf?.(guest);
          guests.push(guest);
          assert.ok(guestsOf() <= heldOf(), "and no more come than are held");
        } else if (place !== undefined) ordinary.push({ place, source, isHeld: false });
      } else if (what === 1) {
        const lost = ordinary.splice(pick % Math.max(1, ordinary.length), 1);
        // A session's own place ends once it is held.
        for (const one of lost) {
          ordinary.push({ place: places.hold(one.source), source: one.source, isHeld: true });
          one.place.release();
        }
      } else if (what === 2) guests.splice(0, 1).forEach(({ place }) => place.release());
      else {
        ordinary.splice(pick % Math.max(1, ordinary.length), 1).forEach(({ place }) =>
          place.release()
        );
      }
      assert.ok(ordinary.length <= limits.most);
      assert.ok(places.taken === ordinary.length + guests.length);
    }
    for (const { place } of ordinary) place.release();
    for (const { place } of guests) place.release();
    ordinary = [];
    assert.equal(places.taken, 0);
  }));
});
