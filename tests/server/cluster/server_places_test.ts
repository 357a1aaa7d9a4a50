import assert from "node:assert/strict";
import type { Slot } from "../../../server/cluster/client_numbers.ts";
import { type ServerLoad, ServerPlaces } from "../../../server/cluster/server_places.ts";

const OWN: ServerLoad = { host: "a.example.org", port: 5050, members: 0, takes: true };

/** Servers with so many members each; an odd one out by `changes`. */
function placesOf(members: readonly number[], changes: Partial<ServerLoad> = {}): ServerPlaces {
  const places = new ServerPlaces(() => 0);
  members.forEach((count, n) => {
    const load = { host: `b${n}.example.org`, port: 5050, members: count, takes: true };
    places.note(n + 1 as Slot, { ...load, ...(n === 0 ? changes : {}) }, 0);
  });
  return places;
}

const hosts = (places: ServerPlaces, now = 1_000) =>
  places.list(OWN, now).map(({ host }) => host.split(".")[0]);

Deno.test("the list has the others that take clients, in one order, each once", () => {
  const places = placesOf([1, 1, 1]);
  assert.deepEqual(hosts(places), ["b0", "b1", "b2"]);
  places.note(9 as Slot, { ...OWN, host: "b1.example.org" }, 0);
  places.note(8 as Slot, OWN, 0);
  places.note(2 as Slot, { ...OWN, host: "b1.example.org", members: 50 }, 500);
  assert.deepEqual(hosts(places), ["b0", "b1", "b2"]);
  assert.deepEqual(hosts(placesOf([1, 1], { takes: false })), ["b1"]);
});

Deno.test("a server that said goodbye, or is silent, is dropped; where nobody can be heard none is", () => {
  const places = placesOf([1, 1]);
  places.drop(1 as Slot);
  assert.deepEqual(hosts(places), ["b1"]);
  assert.deepEqual(hosts(places, 8_000), []);
  places.holdOn(7_000);
  assert.deepEqual(hosts(places, 8_000), ["b1"]);
  places.holdOn(15_000);
  assert.deepEqual(hosts(places, 15_000), [], "one that was dropped does not come back by it");
});

Deno.test("the list has a bound", () => {
  assert.equal(placesOf(Array(40).fill(1)).list(OWN, 0).length, 16);
});

Deno.test("a server far above its share passes clients on until it is near it, and not before", () => {
  const places = placesOf([0, 0]);
  const count = (members: number) => places.surplus({ ...OWN, members }, 0)?.count;
  assert.equal(count(5), undefined, "a handful is nothing to move");
  assert.equal(count(30), 1);
  assert.equal(count(3_000), 20, "never more than the others take beside their work");
  const nearly = placesOf([100, 100]);
  assert.equal(nearly.surplus({ ...OWN, members: 130 }, 0), undefined);
  assert.equal(nearly.surplus({ ...OWN, members: 200 }, 0)?.count, 2);
  assert.equal(nearly.surplus({ ...OWN, members: 115 }, 0)?.count, 1, "goes on, once begun");
  assert.equal(nearly.surplus({ ...OWN, members: 105 }, 0), undefined);
  assert.equal(nearly.surplus({ ...OWN, members: 115 }, 0), undefined, "and does not begin again");
});

Deno.test("clients go to the emptier ones, never to one that is full, drains or is silent", () => {
  const at = (random: number, members: readonly number[], changes?: Partial<ServerLoad>) => {
    const places = new ServerPlaces(() => random);
    members.forEach((count, n) =>
      places.note(n + 1 as Slot, {
        host: `b${n}`,
        port: 1,
        members: count,
        takes: true,
        ...(n === 0 ? changes : {}),
      }, 0)
    );
    return places.surplus({ ...OWN, members: 500 }, 0)?.to.host;
  };
  assert.equal(at(0, [0, 90]), "b0");
  assert.equal(at(0.999, [0, 90]), "b0");
  assert.equal(at(0.9999, [0, 90]), "b1", "hardly ever");
  assert.equal(at(0, [0, 90], { takes: false }), "b1");
});

Deno.test("a server that drains passes on all it has; alone it keeps them", () => {
  const draining = { ...OWN, members: 3, takes: false };
  assert.equal(placesOf([50]).surplus(draining, 0)?.count, 1);
  assert.equal(placesOf([50]).surplus({ ...draining, members: 0 }, 0), undefined);
  assert.equal(placesOf([50]).surplus(draining, 9_000), undefined);
  assert.equal(placesOf([]).surplus(draining, 0), undefined);
  assert.equal(placesOf([]).surplus({ ...OWN, members: 500 }, 0), undefined);
});
