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
  wait(now: number): number {
    return Math.max(0, this.#oldest + this.#windowMs - now);
  }

  /**
   * The same, and takes it where it may pass. One that counts as several passes as soon as one may, and the next waits
   * until all of them have had their time.
   */
  take(now: number, count = 1): number {
    const wait = this.wait(now);
    if (wait > 0) return wait;
    for (let taken = 0; taken < count; taken++) {
      this.#times[this.#next] = Math.max(now, this.#oldest + this.#windowMs);
      this.#next = (this.#next + 1) % this.#times.length;
    }
    return 0;
  }

  get #oldest(): number {
    return this.#times[this.#next] as number;
  }
}
