// Divides the thread into turns. A read that finds bytes waiting is done at once, so a client that never stops sending
// would keep the others from ever being heard; therefore reading goes on in a later turn of the event loop. That alone
// is not enough: while there is always work, Deno asks the system only every 61st turn what came over sockets (tokio's
// `event_interval`). A timer that has ended proves that it was asked.
//
// A reader that has more than one message to handle waits in line once a turn is over. If all went on together in the
// next turn, each would be interrupted after one message, and what comes in one read would leave in as many records as
// it has lines.

import { setImmediate } from "node:timers";
import { TURN_MS } from "../config/limits.ts";

/** The turns of one thread. Everybody who reads from clients shares one. */
export class ThreadTurns {
  readonly #now: () => number;
  /** Work since sockets were looked at for certain, in ms; without that of the turn that goes on. */
  #worked = 0;
  /** When the work of this turn began; undefined = it has not. */
  #since: number | undefined;
  #next: Promise<void> | undefined;
  /** Those with more to do than fits; the first may be at work. */
  readonly #line: (() => void)[] = [];

  /** `now`: monotonic, ms. */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** Work begins in this turn, where it has not. */
  begin(): void {
    this.#since ??= this.#now();
  }

  /** Whether others must be heard before more is done. */
  get isOver(): boolean {
    return this.#soFar > TURN_MS;
  }

  /** Resolves in the next turn; after TURN_MS of work, in one for which the sockets were looked at. */
  next(): Promise<void> {
    return this.#next ??= this.#pass();
  }

  /** Whether longer work has to wait in line. */
  get isTaken(): boolean {
    return this.#line.length > 0 || this.isOver;
  }

  /**
   * Resolves when longer work may begin or go on, in a later turn. Callers are served in the order of the calls, one
   * after another until that turn is over, and at least one in each turn. A caller does its work before it awaits
   * anything else. Where its work begins some microtasks later, one or two more are served before it is looked at.
   */
  inLine(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#line.push(resolve) === 1) void this.#serveLine();
    });
  }

  async #serveLine(): Promise<void> {
    while (this.#line.length > 0) {
      await this.next();
      this.begin();
      // Where the heavy outboxes have used up each turn, reads in small numbers would make small writes and more turns.
      const until = this.#now() + TURN_MS / 2;
      // Nobody has a second share of it.
      let others = this.#line.length;
      do {
        this.#line[0]?.();
        // A caller that awaits nothing in between works in the microtask before this one, and stays in the line until
        // then.
        await undefined;
        this.#line.shift();
        others--;
      } while (this.#line.length > 0 && (!this.isOver || (others > 0 && this.#now() < until)));
    }
  }

  get #soFar(): number {
    return this.#since === undefined ? this.#worked : this.#worked + this.#now() - this.#since;
  }

  async #pass(): Promise<void> {
    if (!this.isOver) await new Promise<void>((resolve) => setImmediate(resolve));
    // Asked again: what was read is written after the reader has asked for the next turn.
    const { isOver } = this;
    if (isOver) await new Promise<void>((resolve) => setTimeout(resolve));
    this.#next = undefined;
    this.#worked = isOver ? 0 : this.#soFar;
    this.#since = undefined;
  }
}

/** Those of this process. */
export const threadTurns = new ThreadTurns();
