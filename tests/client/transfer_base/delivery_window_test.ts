import assert from "node:assert/strict";
import { DeliveryWindow } from "../../../client/transfer_base/delivery_window.ts";

/** Sends chunks over a way of so many ms a chunk and so many ms of delay; the longest time that one was on its way. */
function longestMs(way: { readonly chunkMs: number; readonly delayMs: number }, chunks = 400) {
  let now = 0;
  const window = new DeliveryWindow({ now: () => now, most: 64 });
  const flights: { key: string; sentAt: number; comesAt: number }[] = [];
  let free = 0;
  let longest = 0;
  for (let sent = 0; sent < chunks;) {
    while (window.hasRoom && sent < chunks) {
      free = Math.max(now, free) + way.chunkMs;
      flights.push({ key: `${sent++}`, sentAt: now, comesAt: free + way.delayMs });
      window.sent(flights.at(-1)?.key ?? "");
    }
    const flight = flights.shift();
    if (flight === undefined) break;
    now = flight.comesAt;
    // What was measured first has no history to go by.
    if (Number(flight.key) > 20) longest = Math.max(longest, now - flight.sentAt);
    window.came(flight.key);
  }
  const idealMs = chunks * way.chunkMs + way.delayMs;
  return { longest, size: window.size, efficiency: idealMs / now };
}

Deno.test("at 4 Mbit/s a chunk is on its way for a third of a second at most, and the way is never idle", () => {
  const { longest, efficiency } = longestMs({ chunkMs: 65.5, delayMs: 10 });
  assert.ok(longest < 330, `${longest} ms`);
  assert.ok(efficiency > 0.95, `${efficiency}`);
});

Deno.test("a fast way with a long delay is used to three quarters at least", () => {
  const { efficiency } = longestMs({ chunkMs: 2.6, delayMs: 100 });
  assert.ok(efficiency > 0.75, `${efficiency}`);
});

Deno.test("a very slow way carries one chunk at a time", () => {
  const { size, longest } = longestMs({ chunkMs: 1_000, delayMs: 20 }, 60);
  assert.ok(size <= 2 && longest <= 2_020, `${size} chunks, ${longest} ms`);
});

Deno.test("what is lost with a connection makes room again", () => {
  const window = new DeliveryWindow({ now: () => 0, most: 64 });
  for (const key of ["a", "b"]) window.sent(key);
  assert.equal(window.hasRoom, false);
  window.forget();
  assert.ok(window.hasRoom);
  window.came("a");
});

Deno.test("an answer about one chunk stands for all that left before it, and each is told that it came", () => {
  let now = 0;
  const window = new DeliveryWindow({ now: () => now, most: 64 });
  const came: string[] = [];
  for (const key of ["a", "b"]) window.sent(key, () => came.push(key));
  now = 10;
  window.cameUpTo("b");
  assert.deepEqual(came, ["a", "b"]);
  assert.ok(window.size > 2 && window.hasRoom);
  window.cameUpTo("a");
  assert.deepEqual(came, ["a", "b"], "each once");
});

Deno.test("with answers for 8 chunks at once a line waits at 4 Mbit/s no longer than with one for each", () => {
  let now = 0;
  const window = new DeliveryWindow({ now: () => now, most: 64 });
  let free = 0;
  let sent = 0;
  let longest = 0;
  const flights: { key: string; comesAt: number }[] = [];
  while (sent < 400) {
    while (window.hasRoom) {
      free = Math.max(now, free) + 65.5;
      flights.push({ key: `${sent++}`, comesAt: free });
      window.sent(flights.at(-1)?.key ?? "");
    }
    // As the server does: 8 of them, or what came within 5 ms of the first.
    const first = flights[0]?.comesAt ?? now;
    const answered = flights.filter(({ comesAt }) => comesAt <= first + 5).slice(0, 8);
    flights.splice(0, answered.length);
    now = first + 5 + 20;
    if (sent > 20) longest = Math.max(longest, free - now);
    window.cameUpTo(answered.at(-1)?.key ?? "");
  }
  assert.ok(longest < 330, `${longest} ms`);
});
