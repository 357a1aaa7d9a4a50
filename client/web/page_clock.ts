/// <reference lib="dom" />
// The clock of a page. A browser holds back the timers of a tab that nobody sees, by a second and later by a minute; who
// only lets others have a turn must not wait for that, or the server would take the page for dead.

import { type Clock, SYSTEM_CLOCK } from "../base/clock.ts";

/** The clock of this machine; a wait of 0 ms is over in the next task, in a hidden tab too. */
export const PAGE_CLOCK: Clock = {
  ...SYSTEM_CLOCK,
  wait: (milliseconds, signal) =>
    milliseconds === 0 ? nextTask() : SYSTEM_CLOCK.wait(milliseconds, signal),
};

function nextTask(): Promise<void> {
  const { port1, port2 } = new MessageChannel();
  return new Promise((resolve) => {
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(null);
  });
}
