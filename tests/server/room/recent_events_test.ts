import assert from "node:assert/strict";
import fc from "fast-check";
import { EncodedEvent } from "../../../server/delivery/encoded_event.ts";
import { RecentEvents } from "../../../server/room/recent_events.ts";
import { FairBudget } from "../../../server/limits/fair_budget.ts";
import { memoryAccount } from "../../helpers/peers/relay.ts";
import { ROOM_MEMORY_BYTES, ROOM_MEMORY_EVENTS } from "../../../server/config/limits.ts";

const AGE_MS = 120_000;

function chatAt(at: number, text = "x"): EncodedEvent {
  const event = {
    kind: "chat",
    room: 2,
    at,
    client: 1,
    name: "alice",
    time: 0,
    request: at,
  } as const;
  return new EncodedEvent({ ...event, sequence: at, text, action: false, reply: 0 }, "lobby");
}

/** Memory of a room in which so many events happened, all at time 0. */
function remembering(count: number, text?: string): RecentEvents {
  const memory = new RecentEvents(AGE_MS, memoryAccount());
  for (let at = 1; at <= count; at++) memory.add(chatAt(at, text), at, 0);
  return memory;
}

function placesOf(memory: RecentEvents, seen: number, last: number): number[] {
  return memory.since(seen, last).events.map(({ event }) => "at" in event ? event.at : NaN);
}

Deno.test("since() gives what happened behind a place, in order, and whether it is all", () => {
  const memory = remembering(5);
  assert.deepEqual(placesOf(memory, 2, 5), [3, 4, 5]);
  assert.equal(memory.since(2, 5).complete, true);
  assert.equal(memory.since(2, 5).after, 2);
  assert.deepEqual(placesOf(memory, 5, 5), []);
  assert.equal(memory.since(5, 5).complete, true);
  assert.deepEqual(placesOf(memory, 0, 5), [1, 2, 3, 4, 5]);
});

Deno.test("what is remembered comes back as it was, also where it takes more than one record", () => {
  const memory = new RecentEvents(AGE_MS, memoryAccount());
  const said = ["", "grüße 👋", "z".repeat(200_000)].map((text, n) => chatAt(n + 1, text));
  said.forEach((chat, n) => memory.add(chat, n + 1, 0));
  const { events } = memory.since(0, said.length);
  assert.deepEqual(events.map(({ event }) => event), said.map(({ event }) => event));
  assert.deepEqual(events.map(({ v2 }) => v2), said.map(({ v2 }) => v2));
  assert.deepEqual(events.map(({ v1 }) => v1), said.map(({ v1 }) => v1));
});

Deno.test("memory is bounded in number: the oldest go, and who needed them is told so", () => {
  const last = ROOM_MEMORY_EVENTS + 100;
  const memory = remembering(last);
  const missed = memory.since(0, last);
  assert.equal(missed.events.length, ROOM_MEMORY_EVENTS);
  assert.deepEqual([missed.complete, missed.after], [false, 100]);
  assert.equal(memory.since(100, last).complete, true);
});

Deno.test("memory is bounded in bytes", () => {
  const text = "y".repeat(4_096);
  const last = 2 * ROOM_MEMORY_BYTES / text.length;
  const missed = remembering(last, text).since(0, last);
  const bytes = missed.events.reduce(
    (sum, { v2 }) => sum + v2.bytes,
    0,
  );
  assert.ok(bytes <= ROOM_MEMORY_BYTES, `${bytes} bytes are kept`);
  assert.ok(bytes > ROOM_MEMORY_BYTES - 2 * text.length, "and no fewer than may be");
  assert.equal(missed.complete, false);
});

Deno.test("memory is bounded in age, also in a room where nothing happens any more", () => {
  const memory = new RecentEvents(AGE_MS, memoryAccount());
  memory.add(chatAt(1), 1, 0);
  memory.add(chatAt(2), 2, AGE_MS / 2);
  memory.forget(AGE_MS);
  assert.deepEqual(placesOf(memory, 0, 2), [1, 2]);
  memory.forget(AGE_MS + 1);
  assert.deepEqual(placesOf(memory, 0, 2), [2]);
  assert.equal(memory.since(0, 2).complete, false);
  memory.forget(2 * AGE_MS);
  assert.deepEqual(memory.since(1, 2), { events: [], after: 2, complete: false });
});

Deno.test("with an age of 0 nothing is kept", () => {
  const memory = new RecentEvents(0, memoryAccount());
  memory.add(chatAt(1), 1, 0);
  assert.deepEqual(memory.since(0, 1), { events: [], after: 1, complete: false });
});

Deno.test("whatever happened when: events come in order, without gaps, and end with the last", () => {
  const gaps = fc.array(fc.integer({ min: 0, max: AGE_MS / 3 }), { minLength: 1, maxLength: 300 });
  fc.assert(fc.property(gaps, fc.nat(), (gaps, asked) => {
    const memory = new RecentEvents(AGE_MS, memoryAccount());
    let now = 0;
    for (const [index, gap] of gaps.entries()) memory.add(chatAt(index + 1), index + 1, now += gap);
    const seen = asked % (gaps.length + 1);
    const { after, complete } = memory.since(seen, gaps.length);
    const places = placesOf(memory, seen, gaps.length);
    assert.deepEqual(places, places.map((_, index) => after + 1 + index));
    assert.equal(after + places.length, gaps.length);
    assert.equal(complete, after <= seen);
  }));
});

Deno.test("where all rooms remember too much, the heaviest source forgets its older half", () => {
  const budget = new FairBudget({ most: 10_000, reserve: 1_000 });
  const heavy = new RecentEvents(AGE_MS, { budget, source: "192.0.2.66" });
  const small = new RecentEvents(AGE_MS, { budget, source: "192.0.2.1" });
  small.add(chatAt(1, "x".repeat(900)), 1, 0);
  for (let at = 1; at <= 20; at++) heavy.add(chatAt(at, "x".repeat(900)), at, 0);
  assert.ok(budget.used <= 10_000);
  assert.equal(small.all.length, 1);
  assert.ok(heavy.all.length >= 4 && heavy.all.at(-1)?.at === 20);
  heavy.close();
  small.close();
  assert.equal(budget.used, 0);
});
