// Who is kept out of a sealed room for a while, since the others found their commit unsound. By address, so that coming
// over a new connection is no way around it; in that room alone, so that nobody can have others of the same address
// kept out of theirs.

import { SEALED_PENALTY_MS } from "../config/limits.ts";

interface Kept {
  readonly until: number;
  readonly times: number;
}

const KEPT_MAX = 1_000;

/** The penalties of one room; all times are monotonic ms. */
export class Penalties {
  readonly #kept = new Map<unknown, Kept>();

  /** `who` (an address, or whatever else stands for one) is kept out, longer each time. */
  add(who: unknown, now: number): void {
    const { first, most } = SEALED_PENALTY_MS;
    const times = (this.#kept.get(who)?.times ?? 0) + 1;
    this.#kept.delete(who);
    this.#kept.set(who, { until: now + Math.min(most, first * 2 ** (times - 1)), times });
    if (this.#kept.size > KEPT_MAX) this.#kept.delete(this.#kept.keys().next().value);
  }

  /** How long `who` has to wait; 0 = not at all. */
  waitMs(who: unknown, now: number): number {
    return Math.max(0, (this.#kept.get(who)?.until ?? 0) - now);
  }
}
