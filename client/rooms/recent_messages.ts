// The last messages of a room, for quotes and edits; in memory only.

import type { SequenceNumber } from "../../shared/messages/ids.ts";
import { BACKLOG_MAX_LINES } from "../../shared/base/limits.ts";
import { SAID_REMEMBERED } from "../base/limits.ts";

/** A message in its present form. `sender` and `text` are NOT sanitized. */
export interface RecentMessage {
  readonly sequence: SequenceNumber;
  readonly sender: string;
  readonly text: string;
  /** Whether the user wrote it in this session: only then can it be changed. */
  readonly own: boolean;
}

/** The last SAID_REMEMBERED messages of one room. */
export class RecentMessages {
  readonly #messages = new Map<number, RecentMessage>();
  #lastOwn: SequenceNumber | undefined;

  /** Adds a message; the oldest one is dropped above the bound. */
  add(message: RecentMessage): void {
    this.#messages.set(message.sequence, message);
    if (message.own) this.#lastOwn = message.sequence;
    if (this.#messages.size <= SAID_REMEMBERED) return;
    this.#messages.delete(this.#messages.keys().next().value as number);
  }

  /** Message `sequence`; undefined if it is not, or no longer, known. */
  find(sequence: SequenceNumber): RecentMessage | undefined {
    return this.#messages.get(sequence);
  }

  /** The number of the last message that the user said, deleted or not. */
  get lastOwn(): SequenceNumber | undefined {
    return this.#lastOwn;
  }

  /** The last message that somebody else said; undefined where there is none. */
  get lastOfOthers(): RecentMessage | undefined {
    return [...this.#messages.values()].findLast(({ own }) => !own);
  }

  /** All that is known, oldest first. */
  get all(): readonly RecentMessage[] {
    return [...this.#messages.values()];
  }

  /** The user's messages that can still be changed, oldest first. */
  get own(): RecentMessage[] {
    return [...this.#messages.values()].filter(({ own }) => own);
  }

  /** Gives message `sequence` another text, of its sender under the name of now; null deletes it. */
  revise(sequence: SequenceNumber, sender: string, text: string | null): void {
    const message = this.#messages.get(sequence);
    if (message === undefined) return;
    if (text === null) this.#messages.delete(sequence);
    else this.#messages.set(sequence, { ...message, sender, text });
  }

  /** Forgets all messages. */
  clear(): void {
    this.#messages.clear();
    this.#lastOwn = undefined;
  }
}

/** Which of the last messages of a room were shown, also over a new session. */
export class HeardMessages {
  readonly #keys = new Set<string>();

  /** True the first time; by number and time, since another room of that name begins with 1 again. */
  take({ sequence, time }: { readonly sequence: SequenceNumber; readonly time: number }): boolean {
    const key = `${sequence} ${time}`;
    if (this.#keys.has(key)) return false;
    this.#keys.add(key);
    const [oldest] = this.#keys;
    if (this.#keys.size > 2 * BACKLOG_MAX_LINES && oldest !== undefined) this.#keys.delete(oldest);
    return true;
  }
}
