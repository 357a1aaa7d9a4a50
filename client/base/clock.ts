// Time as the client sees it; injected, so that tests decide when it passes.

import { TIMER_MAX_MS } from "../../shared/base/limits.ts";

/** What tells the time and lets it pass. */
export interface Clock {
  /** Milliseconds of a monotonic clock. */
  now(): number;
  /** Milliseconds since 1970, which go on while the machine sleeps. */
  date(): number;
  /** The date and time as the wire writes it: ISO 8601 in UTC. */
  utc(): string;
  /** Resolves after so many milliseconds, TIMER_MAX_MS at most, or at once when `signal` aborts; never rejects. */
  wait(milliseconds: number, signal?: AbortSignal): Promise<void>;
}

/** The clock of this machine. */
export const SYSTEM_CLOCK: Clock = {
  now: () => performance.now(),
  date: () => Date.now(),
  utc: () => new Date().toISOString(),
  wait(milliseconds, signal) {
    if (signal?.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        signal?.removeEventListener("abort", done);
        resolve();
      };
      const timer = setTimeout(done, Math.min(milliseconds, TIMER_MAX_MS));
      signal?.addEventListener("abort", done);
    });
  },
};
