import assert from "node:assert/strict";
import { EncodedEvent } from "../../../server/delivery/encoded_event.ts";
import { FairBudget } from "../../../server/limits/fair_budget.ts";
import { FrameRing } from "../../../server/sealed/frame_ring.ts";
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
