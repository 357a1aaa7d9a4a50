import assert from "node:assert/strict";
import { DECLINED_REMEMBERED } from "../../../server/config/limits.ts";
import { RequestNumbers } from "../../../server/session/request_numbers.ts";

Deno.test("take() gives each number once, in order and without gaps", () => {
  const numbers = new RequestNumbers();
  assert.deepEqual([1, 2, 2, 4, 3].map((id) => numbers.take(id)), [true, true, false, false, true]);
  assert.equal(numbers.isRepeat(3), true);
  assert.equal(numbers.isRepeat(4), false);
});

Deno.test("after the server of a session is lost, one request may have any number", () => {
  const numbers = new RequestNumbers();
  numbers.acceptsAny = true;
  assert.equal(numbers.take(40), true);
  assert.equal(numbers.take(42), false);
  assert.equal(numbers.take(41), true);
});

Deno.test("a repeat is answered as the request was, also by the next process", () => {
  const numbers = new RequestNumbers();
  numbers.take(1);
  numbers.take(2);
  numbers.decline(2, "no");
  const next = new RequestNumbers();
  next.restore(numbers.last, numbers.declined);
  for (const one of [numbers, next]) {
    assert.deepEqual(one.answerTo(1), { kind: "done", id: 1 });
    assert.deepEqual(one.answerTo(2), { kind: "declined", id: 2, why: "no" });
    assert.equal(one.isRepeat(2), true);
  }
});

Deno.test("the oldest declined requests are forgotten", () => {
  const numbers = new RequestNumbers();
  for (let id = 1; id <= DECLINED_REMEMBERED + 1; id++) numbers.decline(id, "no");
  assert.equal(numbers.declined.length, DECLINED_REMEMBERED);
  assert.equal(numbers.answerTo(1)?.kind, "done");
});

Deno.test("the next server does what is undecided when it is repeated, and answers all else as it was answered", async () => {
  const numbers = new RequestNumbers();
  const never = new Promise<number>(() => {});
  const { promise: soon, resolve } = Promise.withResolvers<boolean>();
  for (let id = 1; id <= 5; id++) numbers.take(id);
  void numbers.decideLater(2, never, { again: true });
  void numbers.decideLater(3, soon);
  void numbers.decideLater(5, never);
  numbers.decline(4, "no");
  assert.equal(numbers.isDeciding, true);
  resolve(true);
  await soon;
  await new Promise((next) => setTimeout(next));
  const { unsettled } = numbers;
  assert.deepEqual(unsettled.open, [2]);
  assert.deepEqual(unsettled.declined.map(([id]) => id), [4, 5]);
  const next = new RequestNumbers();
  next.follow({ request: numbers.last, unsettled });
  assert.deepEqual([1, 2, 3, 4, 5, 6].map((id) => next.isRepeat(id)), [
    true,
    false,
    true,
    true,
    true,
    false,
  ]);
  assert.deepEqual(next.answerTo(3), { kind: "done", id: 3 });
  assert.deepEqual(next.answerTo(4), { kind: "declined", id: 4, why: "no" });
  // Nobody can tell whether that was done, which is no confirmation.
  assert.equal(next.answerTo(5)?.kind, "declined");
  // It may move on before its client has repeated anything.
  assert.deepEqual(next.unsettled, unsettled);
  assert.equal(next.take(2), true);
  assert.equal(next.isRepeat(2), true, "once");
  assert.deepEqual(next.unsettled.open, []);
  assert.equal(next.last, 5);
  assert.equal(next.take(6), true);
});
