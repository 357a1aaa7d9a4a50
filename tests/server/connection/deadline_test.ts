import assert from "node:assert/strict";
import { Deadline } from "../../../server/connection/deadline.ts";

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

Deno.test("each is closed at its own time, whichever began first, and one that is over stays over", async () => {
  const closed: string[] = [];
  const began = performance.now();
  const until = (name: string, ms: number) =>
    new Deadline({ close: () => void closed.push(name) }, began + ms);
  const late = until("late", 120);
  const soon = until("soon", 20);
  const over = until("over", -1_000);
  assert.deepEqual([closed, over.isOver], [[], false]);
  while (!late.isOver) {
    assert.ok(performance.now() - began < 5_000, "the deadline did not come");
    await pause(5);
  }
  assert.deepEqual(closed, ["over", "soon", "late"]);
  for (const each of [late, soon, over]) each.cancel();
  assert.ok(soon.isOver && over.isOver);
});

Deno.test("where the process stood still past two times, the earlier one is closed first, and may cancel the other", async () => {
  const closed: string[] = [];
  const now = performance.now();
  const [later, latest] = [30, 20].map((ms) =>
    new Deadline({ close: () => void closed.push(`${ms}`) }, now + ms)
  );
  const first = new Deadline({
    close() {
      closed.push("first");
      later?.cancel();
    },
  }, now + 10);
  while (performance.now() < now + 40);
  while (latest?.isOver !== true) await pause(1);
  assert.deepEqual([closed, first.isOver, later?.isOver], [["first", "20"], true, false]);
});

Deno.test("one that was cancelled closes nothing, and the last one leaves no timer", async () => {
  const closed: string[] = [];
  const now = performance.now();
  const until = (name: string, ms: number) =>
    new Deadline({ close: () => void closed.push(name) }, now + ms);
  const cancelled = until("cancelled", 10);
  const other = until("other", 60_000);
  cancelled.cancel();
  cancelled.cancel();
  await pause(40);
  assert.deepEqual([closed, cancelled.isOver, other.isOver], [[], false, false]);
  other.cancel();
});

Deno.test("one may be cancelled, and another begun, while one is closed", async () => {
  const closed: string[] = [];
  const now = performance.now();
  let begun: Deadline | undefined;
  const second = new Deadline({ close: () => void closed.push("second") }, now + 20);
  new Deadline({
    close() {
      closed.push("first");
      second.cancel();
      begun = new Deadline({ close: () => void closed.push("begun") }, performance.now() + 10);
    },
  }, now + 10);
  while (begun?.isOver !== true) {
    assert.ok(performance.now() - now < 5_000, "the deadline did not come");
    await pause(5);
  }
  assert.deepEqual(closed, ["first", "begun"]);
});
