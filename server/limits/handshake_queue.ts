// Handshakes cost more than anything else that a stranger can ask for, so members go first: few handshakes are computed
// at a time, members' messages are handled between any two, and sources take turns however many connections each has.

import { setImmediate } from "node:timers";
import { sourceOf } from "./ip_network.ts";

/** How a queue runs its handshakes. */
export interface HandshakeQueueOptions {
  /** Pauses after each handshake for as long as it took, so that members get half of the thread that serves them. */
  readonly rests?: boolean;
}

/** Runs handshakes, `atOnce` at a time. */
export class HandshakeQueue {
  readonly #atOnce: number;
  readonly #rests: boolean;
  /** Waiting handshakes by source; the source whose turn is next comes first. */
  readonly #waiting = new Map<string, (() => void)[]>();
  #running = 0;

  constructor(atOnce: number, { rests = false }: HandshakeQueueOptions = {}) {
    this.#atOnce = atOnce;
    this.#rests = rests;
  }

  /** Runs `work` for a connection from `address` when its turn comes; gives its result. */
  async run<T>(address: string, work: () => Promise<T>): Promise<T> {
    await this.#turn(sourceOf(address));
    try {
      // After the reads that are ready: members come first.
      await new Promise<void>((resolve) => void setImmediate(resolve));
      return await this.#timed(work);
    } finally {
      this.#running--;
      this.#startNext();
    }
  }

  async #timed<T>(work: () => Promise<T>): Promise<T> {
    const began = performance.now();
    try {
      return await work();
    } finally {
      const took = performance.now() - began;
      if (this.#rests && this.#waiting.size > 0) {
        await new Promise((resolve) => setTimeout(resolve, took));
      }
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
