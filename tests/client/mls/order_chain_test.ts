import assert from "node:assert/strict";
import { OrderChain } from "../../../client/mls/order_chain.ts";

const EPOCH = new Uint8Array(32).fill(1);
const LATER = 1_000_000;
const body = (n: number) => new Uint8Array(300).fill(n);

function chainOf(...frames: number[]): OrderChain {
  const chain = new OrderChain();
  chain.begin(10, EPOCH);
  frames.forEach((n, i) => chain.add(11 + i, body(n)));
  return chain;
}

Deno.test("equal orders have equal marks, other orders, bodies and epochs have others", () => {
  const chain = chainOf(1, 2);
  assert.equal(chain.sequence, 12);
  assert.equal(chain.compare(chainOf(1, 2).mark(), LATER), "same");
  assert.equal(chain.compare(chainOf(1).mark(), LATER), "same");
  assert.equal(chain.compare(chainOf(2, 1).mark(), LATER), "different");
  assert.equal(chain.compare(chainOf(1, 3).mark(), LATER), "different");
  const other = new OrderChain();
  other.begin(12, EPOCH);
  assert.equal(chain.compare(other.mark(), LATER), "different");
});

Deno.test("what lies before one's own time, or was forgotten, is unknown", () => {
  const chain = chainOf(1, 2, 3);
  const late = new OrderChain();
  late.begin(13, EPOCH);
  assert.equal(late.compare(chainOf(1).mark(), LATER), "unknown");
  const mark = chain.mark();
  for (let seq = 14; seq < 14 + 1_024; seq++) chain.add(seq, body(4));
  assert.equal(chain.compare(mark, LATER), "unknown");
});

Deno.test("after lost frames nothing can be compared until the next epoch", () => {
  const chain = chainOf(1);
  const whole = chainOf(1, 2, 3, 4);
  chain.skipTo(14);
  chain.add(14, body(4));
  assert.equal(chain.sequence, 14);
  assert.equal(chain.compare(whole.mark(), LATER), "unknown");
  assert.equal(whole.compare(chain.mark(), LATER), "unknown");
  for (const each of [chain, whole]) each.begin(15, new Uint8Array(32));
  assert.equal(whole.compare(chain.mark(), LATER), "same");
});

Deno.test("after a void those who took the commit and those who did not have one chain", () => {
  const took = chainOf(1);
  took.begin(12, new Uint8Array(32).fill(9));
  took.add(13, body(5));
  const refused = chainOf(1, 2, 5);
  for (const chain of [took, refused]) chain.goBack(12, 13);
  assert.equal(took.compare(refused.mark(), LATER), "same");
  for (const chain of [took, refused]) chain.add(14, body(6));
  assert.equal(refused.compare(took.mark(), LATER), "same");
  const early = chainOf();
  early.goBack(5, 20);
  assert.equal(early.sequence, 20);
  assert.equal(took.compare(early.mark(), LATER), "unknown");
});

Deno.test("a message that has seen what comes behind it shows another order", () => {
  const chain = chainOf(1, 2);
  assert.equal(chainOf(1).compare(chain.mark(), 12), "different");
  assert.equal(chain.compare(chainOf(1, 2).mark(), 13), "same");
});
