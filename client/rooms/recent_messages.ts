// The last messages of a room, for those who quote or change one. In memory only.

import { SAID_REMEMBERED } from "../base/limits.ts";

/** A message as it stands now. `sender` and `text` are NOT sanitized. */
export interface RecentMessage {
  readonly sequence: number;
  readonly sender: string;
  readonly text: string;
  /** Whether it is ours, said in this session: only those can be changed. */
  readonly own: boolean;
}

/** The last SAID_REMEMBERED messages of one room. */
export class RecentMessages {
  readonly #messages = new Map<number, RecentMessage>();

  /** One more was said. */
  add(message: RecentMessage): void {
    this.#messages.set(message.sequence, message);
    if (this.#messages.size <= SAID_REMEMBERED) return;
    this.#messages.delete(this.#messages.keys().next().value as number);
  }

  /** Message `sequence`; undefined where it is not known (any more). */
  find(sequence: number): RecentMessage | undefined {
    return this.#messages.get(sequence);
  }

  /** Our own last one. */
  get lastOwn(): RecentMessage | undefined {
    return [...this.#messages.values()].findLast(({ own }) => own);
  }

  /** Message `sequence` has another text now, or was taken back. */
  revise(sequence: number, text: string | null): void {
    const message = this.#messages.get(sequence);
    if (message === undefined) return;
    if (text === null) this.#messages.delete(sequence);
    else this.#messages.set(sequence, { ...message, text });
  }

  /** None is known. */
  clear(): void {
    this.#messages.clear();
  }
}
