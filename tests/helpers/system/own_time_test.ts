import assert from "node:assert/strict";
import { skipWithoutProc } from "../repo/skip.ts";
import { StallMeter, startOwnTimer, startStopwatch, threadMs } from "./own_time.ts";

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
  const began = performance.now();
  const { total } = meter;
  const more = meter.total - total;
  // None is counted twice: what comes in addition took place meanwhile.
  assert.ok(more <= performance.now() - began, `${more} ms more`);
});

/** Works for as long as takes `ms` of a processor's time. */
function work(ms: number): void {
  const own = () =>
    Number(Deno.readTextFileSync("/proc/thread-self/schedstat").split(" ")[0]) / 1e6;
  for (const end = own() + ms; own() < end;);
}

const testLinux = skipWithoutProc();

testLinux("a stopwatch counts what a thread does and what it waits for", async () => {
  // For this thread alone: another one that is kept waiting meanwhile would be left out as well.
  const elapsed = startStopwatch();
  work(100);
  const worked = elapsed();
  await new Promise((resolve) => setTimeout(resolve, 100));
  const both = elapsed();
  assert.ok(worked > 80 && both > 160, `${worked} ms, then ${both} ms`);
});

testLinux("a stopwatch gives no less than what a process did meanwhile", async () => {
  const busy = new Deno.Command(Deno.execPath(), {
    args: ["eval", "for (;;);"],
    stdin: "null",
  }).spawn();
  try {
    await new Promise((resolve) => setTimeout(resolve, 500));
    // It is left out twice that this one was kept waiting.
    const [elapsed, before] = [startStopwatch(busy.pid, busy.pid), threadMs(busy.pid)];
    while (threadMs(busy.pid) - before < 200) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    const ms = elapsed();
    assert.ok(ms > 190, `${ms} ms`);
  } finally {
    busy.kill("SIGKILL");
    await busy.status;
  }
});

testLinux(
  "a stopwatch leaves out for how long others had the processors that a thread was ready for",
  async () => {
    // More that never rest than there are processors.
    const busy = Array.from(
      { length: 4 * navigator.hardwareConcurrency },
      () =>
        new Deno.Command(Deno.execPath(), {
          args: ["eval", "for (;;);"],
          stdin: "null",
        }).spawn(),
    );
    try {
      // Each has begun: a machine that is busy takes seconds to start them.
      while (busy.some(({ pid }) => threadMs(pid) < 100)) {
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      const elapsed = startStopwatch();
      const began = performance.now();
      // As much work as takes 400 ms here, of which others have the most.
      standStill(400);
      const [ms, wall] = [elapsed(), performance.now() - began];
      assert.ok(ms < 0.7 * wall, `${ms} of ${wall} ms`);
    } finally {
      for (const child of busy) child.kill("SIGKILL");
      await Promise.all(busy.map(({ status }) => status));
    }
  },
);
