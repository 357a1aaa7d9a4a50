// Handshakes cost more than anything else that a stranger can ask for, so they wait for members: few are computed at a
// time, what members sent is handled between any two, and sources take turns, whatever number of connections each has.

import { setImmediate } from "node:timers";
import { sourceOf } from "./ip_network.ts";

/** Runs handshakes, `atOnce` at a time. */
export class HandshakeQueue {
  readonly #atOnce: number;
  /** Those that wait, by source; the source whose turn is next comes first. */
  readonly #waiting = new Map<string, (() => void)[]>();
  #running = 0;

  constructor(atOnce: number) {
    this.#atOnce = atOnce;
  }

  /** Runs `work` for a connection from `address` when its turn comes; gives its result. */
  async run<T>(address: string, work: () => Promise<T>): Promise<T> {
    await this.#turn(sourceOf(address));
    try {
      // Behind the reads that are ready: members come first.
      await new Promise<void>((resolve) => void setImmediate(resolve));
      return await work();
    } finally {
      this.#running--;
      this.#startNext();
    }
  }

  #turn(source: string): Promise<void> {
    return new Promise((resolve) => {
      const waiting = this.#waiting.get(source);
      if (waiting === undefined) this.#waiting.set(source, [resolve]);
      else waiting.push(resolve);
      this.#startNext();
    });
  }

  #startNext(): void {
    if (this.#running >= this.#atOnce) return;
    const [first] = this.#waiting;
    if (first === undefined) return;
    const [source, waiting] = first;
    const start = waiting.shift();
    this.#waiting.delete(source);
    if (waiting.length > 0) this.#waiting.set(source, waiting);
    this.#running++;
    start?.();
  }
}
