// Who came and who went, while a crowd does. Where 5,000 members come back into rooms of fifty, 125,000 writes would say no
// more than this, and take as much of the processor as all that lets them in. So presence leaves at once for so many
// clients a second; for the others it waits until something else is written to them, or a second has passed.

import { PRESENCE } from "../config/limits.ts";

/** A client who is to be told. Never throws. */
export interface PresenceReader {
  /** Writes what waits. */
  tellPresence(): void;
}

/** Whose turn it is. */
export class PresenceTurns {
  readonly #now: () => number;
  readonly #after: (ms: number, look: () => void) => void;
  /** When the second began in which `#told` clients were told at once. */
  #since = -Infinity;
  #told = 0;
  /** In the order of their turns. */
  #waiting: { readonly reader: PresenceReader; readonly due: number }[] = [];

  /** `now`: monotonic, ms. `after` calls once, after so many ms. */
  constructor(
    now: () => number,
    after: (ms: number, look: () => void) => void = (ms, look) => void setTimeout(look, ms),
  ) {
    this.#now = now;
    this.#after = after;
  }

  /** Whether one more client is told at once; it counts as told then. */
  mayTellNow(): boolean {
    const now = this.#now();
    if (now - this.#since >= PRESENCE.waitMs) {
      this.#since = now;
      this.#told = 0;
    }
    if (this.#told >= PRESENCE.atOnce) return false;
    this.#told++;
    return true;
  }

  /** `reader` is told when its turn comes. */
  tellLater(reader: PresenceReader): void {
    const due = this.#now() + PRESENCE.waitMs;
    if (this.#waiting.push({ reader, due }) === 1) this.#lookIn(PRESENCE.waitMs);
  }

  #lookIn(ms: number): void {
    this.#after(ms, () => this.#tellDue());
  }

  /** A few at a time: lines of talk are written in between. */
  #tellDue(): void {
    const now = this.#now();
    const some = this.#waiting.slice(0, PRESENCE.inTurn);
    const notDue = some.findIndex(({ due }) => due > now);
    const count = notDue < 0 ? some.length : notDue;
    this.#waiting = this.#waiting.slice(count);
    const [next] = this.#waiting;
    if (next !== undefined) this.#lookIn(Math.max(PRESENCE.lookMs, next.due - now));
    for (const { reader } of some.slice(0, count)) reader.tellPresence();
  }
}
