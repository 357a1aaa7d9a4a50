// Messages of one client in a sliding window.

import type { Rate } from "../shared/option_values.ts";

/** Lets `messages` through in any window of `seconds`; remembers the time of each that it let through. */
export class RateLimit {
  readonly #times: Float64Array;
  readonly #windowMs: number;
  #next = 0;

  constructor(rate: Rate) {
    this.#times = new Float64Array(rate.messages).fill(-Infinity);
    this.#windowMs = rate.seconds * 1_000;
  }

  /** 0 where a message may pass at `now` (ms, monotonic); otherwise the ms until the next may. */
  take(now: number): number {
    const oldest = this.#times[this.#next] as number;
    const wait = oldest + this.#windowMs - now;
    if (wait > 0) return wait;
    this.#times[this.#next] = now;
    this.#next = (this.#next + 1) % this.#times.length;
    return 0;
  }
}
