// Notices a server that is gone although the link still stands: by silence, and by a wake from sleep.

import { HEARTBEAT_SWEEP_MS } from "../../shared/base/limits.ts";
import { SILENCE_SHOWN_MS, WAKE_ANSWER_MS, WAKE_JUMP_MS } from "../base/limits.ts";
import type { Clock } from "../base/clock.ts";

/** What a heartbeat watches over. */
export interface HeartbeatOptions {
  readonly clock: Clock;
  /** Milliseconds of silence after which the server counts as gone. */
  readonly patienceMs: number;
  /** The same where an answer is due, if there is another server to go to; undefined = there is none. */
  readonly answerMs?: number | undefined;
  /** Asks the server for a sign of life; undefined where the wire has no word for it. */
  readonly ask: (() => void) | undefined;
  /** Called once, when the server is gone. */
  readonly onDead: () => void;
  /** Called when `silentMs` has another value: once a second while the server is silent, and when it no longer is. */
  readonly onSilence: () => void;
}

/** Watches until `signal` aborts. `heard` is called with each sign of life. */
export class Heartbeat {
  readonly #options: HeartbeatOptions;
  #heardAt: number;
  /** When it was asked after a wake. */
  #askedAt: number | undefined;
  /** Since when an answer is due. */
  #dueAt: number | undefined;
  #answerMs: number | undefined;

  constructor(options: HeartbeatOptions) {
    this.#options = options;
    this.#heardAt = options.clock.now();
    this.#answerMs = options.answerMs;
  }

  /** From now on there is another server to go to, where an answer is due for so long. */
  set answerMs(ms: number) {
    this.#answerMs = ms;
  }

  /** The server gave a sign of life. */
  heard(): void {
    const wasSilent = this.silentMs !== undefined;
    this.#heardAt = this.#options.clock.now();
    this.#askedAt = undefined;
    this.#dueAt = undefined;
    if (wasSilent) this.#options.onSilence();
  }

  /** Something was sent that the server answers. */
  expect(): void {
    this.#dueAt ??= this.#options.clock.now();
  }

  /** The user is about to send: a link on which nothing was heard lately is tried now, so that a dead one shows. */
  nudge(): void {
    const quiet = this.#options.clock.now() - this.#heardAt;
    if (this.#dueAt === undefined && quiet >= SILENCE_SHOWN_MS) this.#options.ask?.();
  }

  /** The machine or the page woke up: the server is asked, and is gone where it does not answer soon. */
  wake(): void {
    if (this.#askedAt === undefined) this.#ask();
  }

  /** For how long nothing was heard although an answer is due; undefined where all is well. */
  get silentMs(): number | undefined {
    const { clock, ask, patienceMs } = this.#options;
    const now = clock.now();
    // Where the wire has no word to ask with, the server speaks by itself, three times within the patience.
    const due = this.#dueAt ?? (ask === undefined ? this.#heardAt + patienceMs / 3 : now);
    return now - due >= SILENCE_SHOWN_MS ? now - (this.#dueAt ?? this.#heardAt) : undefined;
  }

  /** Looks once a second. A machine that slept wakes with a jump of the date: then the connection is tried at once. */
  async watch(signal: AbortSignal): Promise<void> {
    const { clock, onDead } = this.#options;
    let before = clock.date();
    while (!signal.aborted) {
      await clock.wait(HEARTBEAT_SWEEP_MS, signal);
      if (signal.aborted) return;
      const date = clock.date();
      if (date - before > WAKE_JUMP_MS) this.wake();
      before = date;
      if (this.#isDead()) return onDead();
      if (this.silentMs !== undefined) this.#options.onSilence();
    }
  }

  #ask(): void {
    if (this.#options.ask === undefined) return;
    this.#askedAt = this.#options.clock.now();
    this.#options.ask();
  }

  #isDead(): boolean {
    const now = this.#options.clock.now();
    const { patienceMs } = this.#options;
    const answerMs = this.#answerMs ?? Infinity;
    if (now - this.#heardAt > patienceMs) return true;
    if (this.#dueAt !== undefined && now - this.#dueAt > answerMs) return true;
    return this.#askedAt !== undefined && now - this.#askedAt > WAKE_ANSWER_MS;
  }
}
