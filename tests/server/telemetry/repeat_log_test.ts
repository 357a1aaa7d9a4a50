import assert from "node:assert/strict";
import { RepeatLog } from "../../../server/telemetry/repeat_log.ts";

function openLog() {
  const lines: string[] = [];
  const timers: (() => void)[] = [];
  const log = new RepeatLog({
    report: (key, count, detail) => lines.push(`${key} ${count} ${detail}`.trim()),
    later: (run) => timers.push(run),
  });
  return { log, lines, timers };
}

Deno.test("note() reports the first event of a key at once, and the others as one line a minute", () => {
  const { log, lines, timers } = openLog();
  for (let n = 0; n < 100; n++) log.note("a", `${n}`);
  log.note("b");
  assert.deepEqual(lines.splice(0), ["a 1 0", "b 1"]);
  assert.equal(timers.length, 1);
  timers.shift()?.();
  assert.deepEqual(lines.splice(0), ["a 99 99"]);
  log.note("a");
  assert.deepEqual(lines, ["a 1"]);
  assert.equal(timers.length, 1);
});

Deno.test("a thousand keys cause seventeen lines at once, and seventeen a minute at most", () => {
  const { log, lines, timers } = openLog();
  for (let n = 0; n < 1_000; n++) log.note(`key ${n}`);
  assert.equal(lines.length, 17);
  assert.equal(lines.at(-1), "others 1");
  timers.shift()?.();
  assert.equal(lines.at(-1), "others 983");
  assert.equal(lines.length, 18);
});
