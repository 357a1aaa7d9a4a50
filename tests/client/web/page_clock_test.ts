import assert from "node:assert/strict";
import { PAGE_CLOCK } from "../../../client/web/page_clock.ts";

Deno.test("a turn for others needs no timer, which a hidden tab gets once a minute, and is none of the same task", async () => {
  const { setTimeout } = globalThis;
  let timers = 0;
  globalThis.setTimeout = ((...given: Parameters<typeof setTimeout>) => {
    timers++;
    return setTimeout(...given);
  }) as typeof setTimeout;
  try {
    let microtasks = 0;
    let isOver = false;
    const turn = PAGE_CLOCK.wait(0).then(() => isOver = true);
    while (!isOver && microtasks < 1_000) {
      microtasks++;
      await Promise.resolve();
    }
    assert.equal(isOver, false);
    await turn;
    assert.equal(timers, 0);
    await PAGE_CLOCK.wait(1);
    assert.equal(timers, 1);
  } finally {
    globalThis.setTimeout = setTimeout;
  }
});
