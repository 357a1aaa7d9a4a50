import assert from "node:assert/strict";
import type { Slot } from "../../../server/cluster/client_numbers.ts";
import { ReplayGuard } from "../../../server/cluster/replay_guard.ts";

const SLOT = 7 as Slot;

Deno.test("a stranger is known once it repeats the sign it was asked for, and then its words count once", () => {
  const fresh = new ReplayGuard();
  assert.equal(fresh.judge(SLOT, 1), "stranger");
  const sign = fresh.ask(SLOT, 0) as Uint8Array;
  assert.equal(fresh.meet(SLOT, { sign: new Uint8Array(sign.length), count: 5 }), false);
  assert.equal(fresh.meet(8 as Slot, { sign, count: 5 }), false);
  assert.equal(fresh.judge(SLOT, 5), "stranger");
  assert.equal(fresh.meet(SLOT, { sign, count: 5 }), true);
  assert.deepEqual([4, 5, 6, 6, 9, 8].map((count) => fresh.judge(SLOT, count)), [
    "repeat",
    "repeat",
    "new",
    "repeat",
    "new",
    "repeat",
  ]);
  assert.equal(fresh.meet(SLOT, { sign, count: 1 }), false, "a sign counts once");
});

Deno.test("who is lost is a stranger again, and is asked for another sign", () => {
  const fresh = new ReplayGuard();
  const sign = fresh.ask(SLOT, 0) as Uint8Array;
  assert.ok(fresh.meet(SLOT, { sign, count: 5 }));
  fresh.lose(SLOT);
  assert.equal(fresh.judge(SLOT, 6), "stranger");
  assert.equal(fresh.meet(SLOT, { sign, count: 6 }), false);
  assert.notDeepEqual(fresh.ask(SLOT, 1_000), sign);
});

Deno.test("old words of strangers cause few questions and few answers", () => {
  const fresh = new ReplayGuard();
  const asks = Array.from({ length: 100 }, (_, n) => fresh.ask(SLOT, n * 10));
  assert.equal(asks.filter((sign) => sign !== undefined).length, 2);
  const answers = Array.from({ length: 100 }, (_, n) => fresh.mayAnswer(SLOT, n * 10));
  assert.equal(answers.filter(Boolean).length, 4);
});
