// Waits of scripts, with a bound.

import { ConnectionError, TimeoutError } from "../../shared/base/errors.ts";
import type { Chat } from "../chat/chat.ts";
import type { Clock } from "../base/clock.ts";

/** A total of `seconds` to wait; undefined = forever. */
export class Patience {
  readonly seconds: number | undefined;
  readonly #clock: Clock;
  readonly #end: number;

  constructor(seconds: number | undefined, clock: Clock) {
    this.seconds = seconds;
    this.#clock = clock;
    this.#end = seconds === undefined ? Infinity : clock.now() + 1_000 * seconds;
  }

  /** The value of `awaited`, or "late" if the time runs out first. */
  async within<T>(awaited: Promise<T>): Promise<T | "late"> {
    if (this.seconds === undefined) return await awaited;
    const done = new AbortController();
    const left = Math.max(0, this.#end - this.#clock.now());
    const late = this.#clock.wait(left, done.signal).then(() => "late" as const);
    return await Promise.race([awaited, late]).finally(() => done.abort());
  }
}

/** Resolves when the chat ends. */
export function endOf(chat: Chat): Promise<void> {
  return new Promise((resolve) => {
    if (chat.ending.aborted) return resolve();
    chat.ending.addEventListener("abort", () => resolve(), { once: true });
  });
}

/** Waits for a session; false if the chat ends first. Throws ConnectionError if the time runs out. */
export async function connectedInTime(chat: Chat, patience: Patience): Promise<boolean> {
  const outcome = await patience.within(Promise.race([chat.whenConnected(), endOf(chat)]));
  if (outcome === "late") {
    throw new ConnectionError(
      `Not sent: there was no connection to the server within ${patience.seconds} s`,
    );
  }
  return chat.connected;
}

/** The error after a timeout. */
export function timeOver(patience: Patience, what: string): TimeoutError {
  return new TimeoutError(`${what} within ${patience.seconds} s`);
}
