// Notices a server that is gone although the link still stands: by silence, and by a wake from sleep.

import { HEARTBEAT_SWEEP_MS } from "../../shared/base/limits.ts";
import { WAKE_ANSWER_MS, WAKE_JUMP_MS } from "../base/limits.ts";
import type { Clock } from "../base/clock.ts";

/** What a heartbeat watches over. */
export interface HeartbeatOptions {
  readonly clock: Clock;
  /** Milliseconds of silence after which the server counts as gone. */
  readonly patienceMs: number;
  /** Asks the server for a sign of life; undefined where the wire has no word for it. */
  readonly ask: (() => void) | undefined;
  /** Called once, when the server is gone. */
  readonly onDead: () => void;
}

/** Watches until `signal` aborts. `heard` is called with each sign of life. */
export class Heartbeat {
  readonly #options: HeartbeatOptions;
  #heardAt: number;
  #askedAt: number | undefined;

  constructor(options: HeartbeatOptions) {
    this.#options = options;
    this.#heardAt = options.clock.now();
  }

  /** The server gave a sign of life. */
  heard(): void {
    this.#heardAt = this.#options.clock.now();
    this.#askedAt = undefined;
  }

  /** Looks once a second. A machine that slept wakes with a jump of the date: then the connection is tried at once. */
  async watch(signal: AbortSignal): Promise<void> {
    const { clock, onDead } = this.#options;
    let before = clock.date();
    while (!signal.aborted) {
      await clock.wait(HEARTBEAT_SWEEP_MS, signal);
      if (signal.aborted) return;
      const date = clock.date();
      if (date - before > WAKE_JUMP_MS) this.#ask();
      before = date;
      if (this.#isDead()) return onDead();
    }
  }

  #ask(): void {
    if (this.#options.ask === undefined) return;
    this.#askedAt = this.#options.clock.now();
    this.#options.ask();
  }

  #isDead(): boolean {
    const now = this.#options.clock.now();
    if (now - this.#heardAt > this.#options.patienceMs) return true;
    return this.#askedAt !== undefined && now - this.#askedAt > WAKE_ANSWER_MS;
  }
}
