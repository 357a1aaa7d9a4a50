import assert from "node:assert/strict";
import { RequestBudget } from "../../../server/limits/request_budget.ts";
import {
  PACE_BURST,
  PACE_BYTES,
  PACE_PARTS,
  PACE_PATIENCE_MS,
  PACE_PAUSE_MAX_MS,
  PACE_PER_SECOND,
} from "../../../server/config/limits.ts";
import { LimitError } from "../../../shared/base/errors.ts";

function spend(pace: RequestBudget, count: number): void {
  for (let n = 0; n < count; n++) pace.spend();
}

Deno.test("a burst is looked at without a pause, what follows it at the pace", () => {
  const pace = new RequestBudget(0);
  spend(pace, PACE_BURST);
  assert.equal(pace.wait(0), 0);
  pace.spend();
  assert.equal(pace.wait(0), 1_000 / PACE_PER_SECOND);
});

Deno.test("large requests count as several small ones: who sends as many bytes in fewer of them gets no further", () => {
  const pace = new RequestBudget(0);
  pace.begin(3 * PACE_BYTES);
  spend(pace, PACE_BURST / 4);
  assert.equal(pace.wait(0), 0);
  pace.spend();
  assert.equal(pace.wait(0), 4 * 1_000 / PACE_PER_SECOND);
  const small = new RequestBudget(0);
  small.begin(100);
  spend(small, 0.9 * PACE_BURST);
  assert.equal(small.wait(0), 0, "a line is little more than a request without a byte");
});

Deno.test("the budget refills with time, up to the burst and no further", () => {
  const pace = new RequestBudget(0);
  spend(pace, PACE_BURST + PACE_PER_SECOND);
  assert.equal(pace.wait(0), 1_000);
  assert.equal(pace.wait(1_000), 0);
  assert.equal(pace.wait(3_600_000), 0);
  spend(pace, PACE_BURST + 1);
  assert.equal(pace.wait(3_600_000), 1_000 / PACE_PER_SECOND);
});

Deno.test("a receiver that asks for no more than it gets is never slowed down, however fast that is", () => {
  const [receiver, idler] = [new RequestBudget(0), new RequestBudget(0)];
  for (let now = 0; now <= 2 * PACE_PATIENCE_MS; now += 10) {
    spend(receiver, 10);
    for (let part = 0; part < 10 * PACE_PARTS; part++) receiver.earnPart();
    assert.equal(receiver.wait(now), 0);
  }
  // What is earned is never more than the burst.
  for (let part = 0; part < 10 * PACE_BURST * PACE_PARTS; part++) idler.earnPart();
  spend(idler, PACE_BURST + 1);
  assert.ok(idler.wait(0) > 0);
});

Deno.test("no pause is longer than the most, whatever is owed", () => {
  const pace = new RequestBudget(0);
  spend(pace, 100_000);
  assert.equal(pace.wait(0), PACE_PAUSE_MAX_MS);
});

Deno.test("who sends more than the pace for too long is given up, and who stops in time is not", () => {
  const stubborn = new RequestBudget(0);
  const patient = new RequestBudget(0);
  for (let now = 0; now <= PACE_PATIENCE_MS; now += 1_000) {
    spend(stubborn, now === 0 ? 2 * PACE_BURST : 2 * PACE_PER_SECOND);
    stubborn.wait(now);
  }
  stubborn.spend();
  assert.throws(() => stubborn.wait(PACE_PATIENCE_MS + 1), LimitError);

  spend(patient, PACE_BURST + 1);
  assert.ok(patient.wait(0) > 0);
  // More than half of the burst is back: the count of its patience starts anew.
  assert.equal(patient.wait(PACE_PATIENCE_MS / 2), 0);
  spend(patient, 3 * PACE_BURST);
  assert.ok(patient.wait(PACE_PATIENCE_MS + 1) > 0);
});
