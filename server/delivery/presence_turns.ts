// Joins and leaves while a crowd comes or goes. If 5,000 members come back into rooms of fifty, 125,000 writes would
// carry nothing else, and cost as much as letting the members in. So presence is written at once to a limited number of
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
  /** When each one's turn is, in the order of the turns. */
  readonly #waiting = new Map<PresenceReader, number>();

  /** `now`: monotonic, ms. `after` calls once, after so many ms. */
  constructor(
    now: () => number,
    after: (ms: number, look: () => void) => void = (ms, look) => void setTimeout(look, ms),
  ) {
    this.#now = now;
    this.#after = after;
  }

  /** Whether one more client gets its presence at once; if so, it is counted. */
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

  /** `reader`, who does not wait yet, is told when its turn comes. */
  tellLater(reader: PresenceReader): void {
    this.#waiting.set(reader, this.#now() + PRESENCE.waitMs);
    if (this.#waiting.size === 1) this.#lookIn(PRESENCE.waitMs);
  }

  #lookIn(ms: number): void {
    this.#after(ms, () => this.#tellDue());
  }

  /** A few at a time: lines of talk are written in between. */
  #tellDue(): void {
    const now = this.#now();
    const told: PresenceReader[] = [];
    for (const [reader, due] of this.#waiting) {
      if (due > now || told.length === PRESENCE.inTurn) {
        this.#lookIn(Math.max(PRESENCE.lookMs, due - now));
        break;
      }
      this.#waiting.delete(reader);
      told.push(reader);
    }
    for (const reader of told) reader.tellPresence();
  }
}
