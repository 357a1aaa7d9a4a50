import assert from "node:assert/strict";
import { EncodedEvent } from "../../../server/delivery/encoded_event.ts";
import { FairBudget } from "../../../server/limits/fair_budget.ts";
import { CommitOrder } from "../../../server/sealed/commit_order.ts";
import { FrameRing } from "../../../server/sealed/frame_ring.ts";
import type { RosterChange } from "../../../server/sealed/roster.ts";
import type { SealedRoomId } from "../../../shared/messages/ids.ts";
import type { EventOf } from "../../../shared/messages/messages_v2.ts";

const START = { epoch: 0, seq: 0 };

function message(seq: number, bytes: number): EventOf<"sealed_frame"> {
  return {
    kind: "sealed_frame",
    room: 1 as SealedRoomId,
    seq,
    type: "app",
    epoch: 1,
    from: new Uint8Array(16),
    ask: 0,
    time: 0,
    roster: new Uint8Array(),
    body: new Uint8Array(bytes),
  };
}

Deno.test("a room that begins when all that may be remembered is used remembers what happens in it", () => {
  const budget = new FairBudget({ most: 100_000, reserve: 1_000 });
  const open = (source: string) =>
    new FrameRing({ budget, source }, { start: START, maxAgeMs: 60_000 });
  const add = (ring: FrameRing, seq: number, bytes: number) => {
    const frame = message(seq, bytes);
    ring.add(frame, new EncodedEvent(frame, ""));
  };
  const flood = Array.from({ length: 4 }, () => open("192.0.2.66"));
  for (let seq = 1; seq <= 40; seq++) for (const ring of flood) add(ring, seq, 5_000);
  assert.ok(budget.used > 50_000);
  const late = open("192.0.2.1");
  for (let seq = 1; seq <= 20; seq++) add(late, seq, 2_000);
  assert.equal(late.since(START, { epoch: 1, seq: 20 }).broadcasts.length, 20);
  assert.ok(budget.used <= 100_000);
  for (const ring of [...flood, late]) ring.clear();
  assert.equal(budget.used, 0);
});

Deno.test("a room remembers the last 64 commits that were voided, and refuses these", () => {
  const budget = new FairBudget({ most: 1_000_000, reserve: 1_000 });
  const order = new CommitOrder({
    room: 1,
    start: START,
    memory: { budget, source: "192.0.2.1" },
    maxAgeMs: 60_000,
    utc: () => 0,
    now: () => 0,
  });
  const [sender, voter] = [{}, {}];
  const draftOf = (n: number) => ({
    epoch: 0,
    from: new Uint8Array(16),
    ask: 1,
    body: Uint8Array.of(n),
  });
  const ballot = {
    sender,
    electorate: [voter],
    change: {} as RosterChange,
    needed: 1,
    onAgreed() {},
  };
  for (let n = 0; n < 66; n++) {
    assert.equal(order.objection(draftOf(n)), undefined);
    order.commit(draftOf(n), ballot);
    assert.notEqual(order.vote(voter, { seq: n + 1, ok: false }), undefined);
  }
  const objections = Array.from({ length: 66 }, (_, n) => order.objection(draftOf(n)));
  assert.deepEqual(objections.slice(0, 2), [undefined, undefined]);
  assert.ok(objections.slice(2).every((why) => why === "voided"));
  assert.equal(order.state.voided.length, 64);
  order.clear();
});
