import assert from "node:assert/strict";
import { MemoryBus } from "../../../server/room/memory_bus.ts";
import { Room } from "../../../server/room/room.ts";
import { MEMBERS_PART_MAX } from "../../../shared/base/limits.ts";
import { makeRelay, memoryAccount, seat } from "../../helpers/peers/relay.ts";

Deno.test("events have places without gaps, chats a sequence of their own, and all hear the same", async () => {
  const relay = await makeRelay(["--rate-limit", "off"]);
  const [alice, bob] = [seat(relay), seat(relay, { name: "bob" })];
  for (const [n, who] of [alice, bob, alice].entries()) {
    who.ask({ kind: "chat", room: who.room(), text: `${n}`, action: false, reply: 0 });
  }
  alice.ask({ kind: "rename", name: "carol" });
  const places = (events: readonly object[]) =>
    events.flatMap((event) => "at" in event && "client" in event ? [event.at] : []);
  assert.deepEqual(places(alice.port.events), [1, 2, 3, 4, 5, 6]);
  assert.deepEqual(places(bob.port.events), [2, 3, 4, 5, 6]);
  assert.deepEqual(bob.take("chat").map(({ sequence }) => sequence), [1, 2, 3]);
});

Deno.test("who was away gets what it missed, in order and once, or is told that some is gone", async () => {
  const relay = await makeRelay(["--rate-limit", "off"]);
  const alice = seat(relay);
  const room = relay.rooms.open("lobby");
  const say = (text: string) =>
    alice.ask({ kind: "chat", room: room.id, text, action: false, reply: 0 });
  for (let n = 0; n < 10; n++) say(`${n}`);
  const { events, complete } = room.missed(6);
  assert.deepEqual(events.map(({ event }) => event.kind === "chat" && event.text), [
    "5",
    "6",
    "7",
    "8",
    "9",
  ]);
  assert.equal(complete, true);
  assert.deepEqual(room.missed(room.at), { events: [], after: room.at, complete: true });
  assert.deepEqual(
    room.missed(room.at + 1_000).events,
    [],
    "a place that is none yet misses nothing",
  );
  for (let n = 0; n < 300; n++) say("x".repeat(4_000));
  assert.equal(room.missed(6).complete, false);
});

Deno.test("names that look alike cannot both be in a room; who comes second gets the next free one", async () => {
  const relay = await makeRelay();
  const names = ["bob", "Bob", "b\u043eb", "bob"].map((name) =>
    seat(relay, { name }).session.memberships[0]?.name
  );
  assert.deepEqual(names, ["bob", "Bob-2", "b\u043eb-3", "bob-4"]);
  const room = relay.rooms.open("lobby");
  assert.equal(room.freeName("alice"), "alice");
  assert.equal(room.size, 4);
});

Deno.test("a name is free again as soon as its owner left, and an empty room is forgotten", async () => {
  const relay = await makeRelay();
  const alice = seat(relay);
  relay.expire(alice.session);
  assert.equal(relay.gauges.rooms, 0);
  assert.equal(seat(relay).session.memberships[0]?.name, "alice");
  assert.equal(relay.rooms.open("lobby").at, 1, "and begins anew");
});

Deno.test("a list of many members comes in parts that each fit, and an empty one as one part", () => {
  const { budget: memory } = memoryAccount();
  const room = new Room({ id: 1, title: "lobby", bus: new MemoryBus(), memoryMs: 0, memory });
  assert.deepEqual(room.list, [{ kind: "members", room: 1, list: [], more: false }]);
  for (let client = 1; client <= 2 * MEMBERS_PART_MAX + 1; client++) {
    room.publish({ kind: "joined", client, name: `m${client}`, time: 0, old: false });
  }
  const parts = room.list;
  assert.deepEqual(parts.map(({ list, more }) => [list.length, more]), [
    [MEMBERS_PART_MAX, true],
    [MEMBERS_PART_MAX, true],
    [1, false],
  ]);
  assert.deepEqual(
    parts.flatMap(({ list }) => list).map(([id]) => id),
    Array.from({ length: 2 * MEMBERS_PART_MAX + 1 }, (_, n) => n + 1),
  );
});

Deno.test("the buffer of a chunk is given back only where all who get it are on this server", async () => {
  const relay = await makeRelay();
  const bob = seat(relay, { name: "bob" });
  const buffers: unknown[] = [];
  bob.port.deliver = (broadcast) => {
    if ("isBulk" in broadcast) buffers.push(broadcast.v2.buffer);
    return true;
  };
  const [room, data] = [relay.rooms.open("lobby"), new Uint8Array(32_768)];
  const about = { client: 9, name: "alice", time: 0, file: "f", index: 0, last: true };
  const elsewhere = bob.session.id + 1;
  for (const clients of [[bob.session.id, elsewhere], [bob.session.id]]) {
    room.handOn(clients, { kind: "chunk", ...about, data });
  }
  assert.deepEqual(buffers.map((buffer) => buffer === data.buffer), [false, true]);
});
