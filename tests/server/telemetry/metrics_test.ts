import assert from "node:assert/strict";
import { Metrics } from "../../../server/telemetry/metrics.ts";

const GAUGES = {
  connections: 3,
  members: 2,
  held: 1,
  rooms: 4,
  sealedRooms: 1,
  sealedBytes: 6,
  outboxBytes: 5,
};

/** The line's fields. */
function fieldsOf(line: string): Record<string, number> {
  const [title, ...pairs] = line.split(" ");
  assert.equal(title, "metrics");
  return Object.fromEntries(pairs.map((pair) => {
    const [name, value] = pair.split("=");
    return [name, Number(value)];
  }));
}

Deno.test("line() has every gauge and every counter, as numbers and nothing else", () => {
  const metrics = new Metrics();
  metrics.counters.messagesIn = 7;
  const fields = fieldsOf(metrics.line(GAUGES));
  for (const [name, value] of Object.entries({ ...GAUGES, ...metrics.counters })) {
    assert.equal(fields[name], value, name);
  }
  assert.ok(Object.values(fields).every(Number.isFinite));
  assert.ok((fields["rssBytes"] ?? 0) > 1_000_000);
});

Deno.test("rates are of the time since the last line, totals of the whole run", () => {
  const metrics = new Metrics();
  metrics.counters.messagesIn = 1_000;
  const first = fieldsOf(metrics.line(GAUGES));
  assert.ok((first["messagesInPerSecond"] ?? 0) > 0);
  const second = fieldsOf(metrics.line(GAUGES));
  assert.equal(second["messagesInPerSecond"], 0);
  assert.equal(second["messagesIn"], 1_000);
});

Deno.test("an event loop that is held up shows in the next line, and only there", async () => {
  const metrics = new Metrics();
  const watching = new AbortController();
  metrics.watchLag(watching.signal);
  await new Promise((resolve) => setTimeout(resolve, 20));
  const until = performance.now() + 900;
  while (performance.now() < until);
  await new Promise((resolve) => setTimeout(resolve, 20));
  const lag = fieldsOf(metrics.line(GAUGES))["lagMs"] ?? 0;
  assert.ok(lag > 300, `${lag} ms`);
  assert.ok((fieldsOf(metrics.line(GAUGES))["lagMs"] ?? 0) < lag);
  watching.abort();
});
