import assert from "node:assert/strict";
import fc from "fast-check";
import { RatePacer } from "../../../client/session/rate_pacer.ts";
import { RateLimit } from "../../../server/limits/rate_limit.ts";

Deno.test("a pacer without a rate never waits", () => {
  const pacer = new RatePacer(undefined);
  for (let i = 0; i < 100; i++) pacer.count(0);
  assert.equal(pacer.delay(0), 0);
});

Deno.test("a message counts from when the server took it", () => {
  const pacer = new RatePacer({ messages: 2, seconds: 1 });
  const first = pacer.count(0);
  pacer.count(100);
  first(300);
  assert.equal(pacer.delay(400), 700);
  assert.equal(pacer.delay(1_100), 0);
  pacer.reset();
  assert.equal(pacer.delay(400), 0);
});

Deno.test("a server with the same limit drops nothing of one who keeps to the pacer", () => {
  const step = fc.record({ there: fc.nat(900), back: fc.nat(900), idle: fc.nat(400) });
  fc.assert(fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
    const rate = { messages: 3, seconds: 2 };
    const [pacer, limit] = [new RatePacer(rate), new RateLimit(rate)];
    let now = 0;
    for (const { there, back, idle } of steps) {
      now += idle + pacer.delay(now + idle);
      const taken = pacer.count(now);
      assert.equal(limit.take(now + there), 0);
      now += there + back;
      taken(now);
    }
  }));
});
