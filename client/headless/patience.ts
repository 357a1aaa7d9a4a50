// Bounded waits of scripts.

import { ConnectionError, TimeoutError } from "../../shared/base/errors.ts";
import type { Chat } from "../chat/chat.ts";
import type { Clock } from "../base/clock.ts";

/** A wait of `seconds` in all; undefined = for ever. */
export class Patience {
  readonly seconds: number | undefined;
  readonly #clock: Clock;
  readonly #end: number;

  constructor(seconds: number | undefined, clock: Clock) {
    this.seconds = seconds;
    this.#clock = clock;
    this.#end = seconds === undefined ? Infinity : clock.now() + 1_000 * seconds;
  }

  /** What `wanted` gives, or "late" when the time is over first. */
  async within<T>(wanted: Promise<T>): Promise<T | "late"> {
    if (this.seconds === undefined) return await wanted;
    const done = new AbortController();
    const left = Math.max(0, this.#end - this.#clock.now());
    const late = this.#clock.wait(left, done.signal).then(() => "late" as const);
    return await Promise.race([wanted, late]).finally(() => done.abort());
  }
}

/** The chat's end, as a promise. */
export function endOf(chat: Chat): Promise<void> {
  return new Promise((resolve) => {
    if (chat.ending.aborted) return resolve();
    chat.ending.addEventListener("abort", () => resolve(), { once: true });
  });
}

/** Waits for a session; false where the chat ended instead. Throws ConnectionError when the time is over first. */
export async function connectedInTime(chat: Chat, patience: Patience): Promise<boolean> {
  const outcome = await patience.within(Promise.race([chat.whenConnected(), endOf(chat)]));
  if (outcome === "late") {
    throw new ConnectionError(
      `Not sent: there was no connection to the server within ${patience.seconds} s`,
    );
  }
  return chat.connected;
}

/** The error of a time that is over. */
export function timeOver(patience: Patience, what: string): TimeoutError {
  return new TimeoutError(`${what} within ${patience.seconds} s`);
}
