import assert from "node:assert/strict";
import fc from "fast-check";
import { Progress } from "../../../client/transfer_base/progress.ts";

Deno.test("progress is told at the first percent, after a further percent and 100 ms, and at the end", () => {
  let now = 0;
  const progress = new Progress(10_000, () => now);
  const steps: readonly (readonly [at: number, done: number, told: boolean])[] = [
    [0, 99, false],
    [0, 100, true],
    [99, 5_000, false],
    [100, 5_000, true],
    [5_000, 5_099, false],
    [5_000, 5_100, true],
    [5_001, 10_000, true],
  ];
  for (const [at, done, told] of steps) {
    now = at;
    assert.equal(progress.isWorthTelling(done), told, `${done} bytes at ${at} ms`);
  }
});

Deno.test("whatever the pace, at most one progress a percent and one in 100 ms is told, and the end always", () => {
  const step = fc.tuple(fc.integer({ min: 1, max: 40_000 }), fc.nat(150));
  fc.assert(fc.property(fc.array(step, { minLength: 1, maxLength: 500 }), (steps) => {
    const size = steps.reduce((sum, [bytes]) => sum + bytes, 0);
    let [now, done] = [0, 0];
    const progress = new Progress(size, () => now);
    const told: { readonly now: number; readonly done: number }[] = [];
    for (const [bytes, milliseconds] of steps) {
      now += milliseconds;
      done += bytes;
      if (progress.isWorthTelling(done)) told.push({ now, done });
    }
    assert.equal(told.at(-1)?.done, size);
    for (const [index, { now, done }] of told.slice(0, -1).entries()) {
      const before = told[index - 1];
      assert.ok(done - (before?.done ?? 0) >= size / 100);
      assert.ok(before === undefined || now - before.now >= 100);
    }
  }));
});
