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
