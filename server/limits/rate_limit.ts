// How many messages of one client pass in a sliding window.

import type { Rate } from "../../shared/base/rate.ts";

/** Lets `messages` through in any window of `seconds`; remembers when each one passed. */
export class RateLimit {
  readonly #rate: Rate;
  /** Allocated with the first message: most of 10,000 sessions send none. */
  #times: Float64Array | undefined;
  #next = 0;

  constructor(rate: Rate) {
    this.#rate = rate;
  }

  /** 0 where a message may pass at `now` (ms, monotonic); otherwise the ms until the next one may. */
  wait(now: number): number {
    return Math.max(0, this.#nextAt - now);
  }

  /**
   * The same, and counts the message where it may pass. A message that counts as several passes as soon as one may; the
   * next one then waits until all of them have left the window.
   */
  take(now: number, count = 1): number {
    const wait = this.wait(now);
    if (wait > 0) return wait;
    const times = this.#times ??= new Float64Array(this.#rate.messages).fill(-Infinity);
    for (let taken = 0; taken < count; taken++) {
      times[this.#next] = Math.max(now, this.#nextAt);
      this.#next = (this.#next + 1) % times.length;
    }
    return 0;
  }

  get #nextAt(): number {
    return (this.#times?.[this.#next] ?? -Infinity) + this.#rate.seconds * 1_000;
  }
}
