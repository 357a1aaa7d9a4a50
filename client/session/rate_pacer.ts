// Keeps within the server's rate limit, so that nothing is dropped.

import { RATE_LIMIT_MESSAGES, RATE_LIMIT_SECONDS } from "../../shared/base/limits.ts";
import type { Rate } from "../../shared/base/rate.ts";

/** The limit that counts until the server has told its own. */
export const DEFAULT_RATE: Rate = { messages: RATE_LIMIT_MESSAGES, seconds: RATE_LIMIT_SECONDS };

/** Our messages in a sliding window; a message counts from when the server is known to have taken it. */
export class RatePacer {
  #rate: Rate | undefined;
  #times: { at: number }[] = [];

  constructor(rate: Rate | undefined) {
    this.#rate = rate;
  }

  /** The server's limit; undefined = none. */
  set rate(rate: Rate | undefined) {
    this.#rate = rate;
  }

  /** The server's limit; undefined = none. */
  get rate(): Rate | undefined {
    return this.#rate;
  }

  /** Milliseconds to wait before the next message may go at `now`. */
  delay(now: number): number {
    if (this.#rate === undefined) return 0;
    const { messages, seconds } = this.#rate;
    const windowMs = seconds * 1_000;
    this.#times = this.#times.filter(({ at }) => at + windowMs > now);
    if (this.#times.length < messages) return 0;
    const times = this.#times.map(({ at }) => at).sort((a, b) => a - b);
    return Math.max(0, (times[times.length - messages] as number) + windowMs - now);
  }

  /** A message goes at `now`; the function it returns is called when the server has taken it. */
  count(now: number): (later: number) => void {
    const entry = { at: now };
    this.#times.push(entry);
    return (later) => entry.at = later;
  }

  /** A new session starts with an empty window. */
  reset(): void {
    this.#times = [];
  }
}
