import assert from "node:assert/strict";
import { StallMeter, startOwnTimer } from "./own_time.ts";

/** Keeps this process from everything else. */
function standStill(ms: number): void {
  const end = performance.now() + ms;
  while (performance.now() < end);
}

Deno.test("a wait leaves out the time in which the process stood still", async () => {
  const over = Promise.withResolvers<void>();
  const began = performance.now();
  startOwnTimer(200, over.resolve);
  await new Promise((resolve) => setTimeout(resolve, 0));
  standStill(400);
  await over.promise;
  // One tick at most of the 200 ms passed while it stood still.
  assert.ok(performance.now() - began >= 400 + 100);
});

Deno.test("a wait that is stopped is never over", async () => {
  const timer = startOwnTimer(1, () => assert.fail("over"));
  timer.stop();
  await new Promise((resolve) => setTimeout(resolve, 20));
});

Deno.test("the meter says how long the process stood still, in all and at the longest", () => {
  using meter = new StallMeter();
  standStill(300);
  assert.ok(meter.longest >= 200 && meter.longest <= meter.total, `${meter.longest}`);
  const { total } = meter;
  assert.ok(meter.total - total < 50);
});
