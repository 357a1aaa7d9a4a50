import assert from "node:assert/strict";
import fc from "fast-check";
import { RateLimit } from "../../../server/limits/rate_limit.ts";

Deno.test("take() lets so many through at once, and says how long the next must wait", () => {
  const limit = new RateLimit({ messages: 3, seconds: 5 });
  assert.deepEqual([0, 100, 200].map((now) => limit.take(now)), [0, 0, 0]);
  assert.equal(limit.take(300), 4_700);
  assert.equal(limit.take(4_999), 1);
  assert.equal(limit.take(5_000), 0);
  assert.equal(limit.take(5_050), 50);
});

Deno.test("take() that refuses costs nothing: who keeps on asking waits no longer", () => {
  const limit = new RateLimit({ messages: 1, seconds: 1 });
  limit.take(0);
  for (let now = 1; now < 1_000; now++) assert.equal(limit.take(now), 1_000 - now);
  assert.equal(limit.take(1_000), 0);
});

Deno.test("no window of the given length ever sees more than the rate", () => {
  const gaps = fc.array(fc.integer({ min: 0, max: 700 }), { maxLength: 200 });
  fc.assert(fc.property(fc.integer({ min: 1, max: 12 }), gaps, (messages, gaps) => {
    const limit = new RateLimit({ messages, seconds: 1 });
    const passed: number[] = [];
    let now = 0;
    for (const gap of gaps) {
      now += gap;
      if (limit.take(now) === 0) passed.push(now);
    }
    for (const from of passed) {
      const inWindow = passed.filter((at) => at >= from && at < from + 1_000);
      assert.ok(inWindow.length <= messages, `${inWindow.length} from ${from} on`);
    }
  }));
});

Deno.test("take() of several passes as soon as one may, and all of them are paid for by time", () => {
  const limit = new RateLimit({ messages: 3, seconds: 5 });
  assert.equal(limit.take(0, 7), 0);
  assert.equal(
    limit.wait(0),
    10_000,
    "three at once, three after 5 s, one after 10 s: two are free then",
  );
  assert.equal(limit.take(9_999), 1);
  assert.deepEqual([limit.take(10_000), limit.take(10_000)], [0, 0]);
  assert.equal(limit.wait(10_000), 5_000);
});
