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

Deno.test("whatever comes, is held, comes back and goes, the caps hold for who showed no ticket", () => {
  const steps = fc.array(fc.tuple(fc.nat(3), fc.nat(2), fc.nat(20)), { maxLength: 200 });
  fc.assert(fc.property(steps, (all) => {
    const limits = { most: 5, perSource: 3 };
    const places = new ConnectionSlots(limits);
    let ordinary: { place: ConnectionSlot; source: string }[] = [];
    const guests: ConnectionSlot[] = [];
    for (const [what, source, pick] of all) {
      const address = `192.0.2.${source}`;
      if (what === 0) {
        const place = places.admit(address);
        if (place?.forHeld) guests.push(place);
        else if (place !== undefined) ordinary.push({ place, source: address });
      } else if (what === 1) {
        const lost = ordinary.splice(pick % Math.max(1, ordinary.length), 1);
        // A session's own place ends once it is held.
        for (const one of lost) {
          ordinary.push({ place: places.hold(one.source), source: one.source });
          one.place.release();
        }
      } else if (what === 2) guests.splice(0, 1).forEach((guest) => guest.release());
      else {
        ordinary.splice(pick % Math.max(1, ordinary.length), 1).forEach(({ place }) =>
          place.release()
        );
      }
      assert.ok(ordinary.length <= limits.most);
      assert.ok(places.taken === ordinary.length + guests.length);
    }
    for (const { place } of ordinary) place.release();
    for (const guest of guests) guest.release();
    ordinary = [];
    assert.equal(places.taken, 0);
  }));
});
