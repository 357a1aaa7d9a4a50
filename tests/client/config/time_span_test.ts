import assert from "node:assert/strict";
import { parseMoment } from "../../../client/config/time_span.ts";
import { UsageError } from "../../../shared/base/errors.ts";

const NOW = new Date(2026, 10, 25, 14, 30, 15);
const HOUR = 3_600_000;

function span(text: string) {
  return parseMoment(text)(NOW);
}

Deno.test("so long ago is counted from now", () => {
  assert.equal(span("2h").start, NOW.getTime() - 2 * HOUR);
  assert.equal(span("90m").start, NOW.getTime() - 1.5 * HOUR);
  assert.equal(span("1w").start, NOW.getTime() - 168 * HOUR);
});

Deno.test("a day is the whole day on this machine, a minute the whole minute", () => {
  const midnight = new Date(2026, 10, 25).getTime();
  assert.deepEqual(span("today"), { start: midnight, end: new Date(2026, 10, 26).getTime() });
  assert.deepEqual(span("2026-11-25"), span("today"));
  assert.equal(span("yesterday").end, midnight);
  const minute = new Date(2026, 10, 25, 14, 30).getTime();
  assert.deepEqual(span("2026-11-25 14:30"), { start: minute, end: minute + 60_000 });
  assert.deepEqual(span("2026-11-25T14:30:15"), {
    start: NOW.getTime(),
    end: NOW.getTime() + 1_000,
  });
});

Deno.test("a zone counts where one is given, as history itself prints it", () => {
  const at = Date.UTC(2026, 10, 25, 13, 30, 0);
  assert.equal(span("2026-11-25T13:30:00Z").start, at);
  assert.equal(span("2026-11-25T14:30:00+01:00").start, at);
  assert.deepEqual(span("2026-11-25T13:30:00.123Z"), { start: at + 123, end: at + 124 });
});

Deno.test("what is no time is refused, days that there are not too", () => {
  const wrong = ["", "2x", "tomorrow", "2026-13-01", "2026-02-30", "25.11.2026", "14:30", "1 h"];
  for (const text of wrong) assert.throws(() => parseMoment(text), UsageError, text);
});
