import assert from "node:assert/strict";
import { turnTime } from "../../../server/delivery/turn_time.ts";

/** Lets the clock of the system go on. */
function work(): void {
  const start = performance.now();
  while (performance.now() === start);
}

Deno.test("the time of a turn stays while its work goes on, and is that of the clock when it began", () => {
  const before = performance.now();
  const time = turnTime();
  assert.ok(time >= before && time <= performance.now());
  work();
  assert.equal(turnTime(), time);
});

Deno.test("the time of a turn holds for what waited already, and not for what comes later", async () => {
  await Promise.resolve();
  let waited: number | undefined;
  queueMicrotask(() => waited = turnTime());
  const time = turnTime();
  work();
  await Promise.resolve();
  assert.equal(waited, time);
  assert.ok(turnTime() > time);
});
