// Time as sealed rooms see it.

/** Two clocks and a timer; tests bring their own. */
export interface SealedClock {
  /** Monotonic ms. */
  now(): number;
  /** ms since 1970. */
  utc(): number;
  /** Calls `run` once, after `ms`. Returns what calls it off. */
  after(ms: number, run: () => void): () => void;
}

/** The machine's. */
export const SYSTEM_CLOCK: SealedClock = {
  now: () => performance.now(),
  utc: () => Date.now(),
  after(ms, run) {
    const timer = setTimeout(run, ms);
    return () => clearTimeout(timer);
  },
};
