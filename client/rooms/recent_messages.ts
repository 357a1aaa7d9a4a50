// The last messages of a room, for quotes and edits; in memory only.

import type { SequenceNumber } from "../../shared/messages/ids.ts";
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

  /** Adds a message; the oldest one is dropped above the bound. */
  add(message: RecentMessage): void {
    this.#messages.set(message.sequence, message);
    if (this.#messages.size <= SAID_REMEMBERED) return;
    this.#messages.delete(this.#messages.keys().next().value as number);
  }

  /** Message `sequence`; undefined if it is not, or no longer, known. */
  find(sequence: SequenceNumber): RecentMessage | undefined {
    return this.#messages.get(sequence);
  }

  /** The user's last message. */
  get lastOwn(): RecentMessage | undefined {
    return [...this.#messages.values()].findLast(({ own }) => own);
  }

  /** Gives message `sequence` another text; null deletes it. */
  revise(sequence: SequenceNumber, text: string | null): void {
    const message = this.#messages.get(sequence);
    if (message === undefined) return;
    if (text === null) this.#messages.delete(sequence);
    else this.#messages.set(sequence, { ...message, text });
  }

  /** Forgets all messages. */
  clear(): void {
    this.#messages.clear();
  }
}
