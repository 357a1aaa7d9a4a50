// Whose turn the thread is. A read that finds bytes waiting is done at once, so a client that never stops sending would
// keep the others from ever being heard; therefore reading goes on in a later turn of the event loop. That alone is not
// enough: while there is always work, Deno asks the system only every 61st turn what came over sockets (tokio's
// `event_interval`). A timer that has ended proves that it was asked.

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

  get #soFar(): number {
    return this.#since === undefined ? this.#worked : this.#worked + this.#now() - this.#since;
  }

  async #pass(): Promise<void> {
    const { isOver } = this;
    await new Promise<void>((resolve) => isOver ? setTimeout(resolve) : setImmediate(resolve));
    this.#next = undefined;
    this.#worked = isOver ? 0 : this.#soFar;
    this.#since = undefined;
  }
}

/** Those of this process. */
export const threadTurns = new ThreadTurns();
