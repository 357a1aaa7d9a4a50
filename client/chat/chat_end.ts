// How a chat ends: its user leaves, or it fails. What is told of unsent messages depends on which.

/** The end of one chat, before and after it came. */
export class ChatEnd {
  readonly #leaving = new AbortController();
  #failed = false;

  /** Aborts when the user leaves. */
  get signal(): AbortSignal {
    return this.#leaving.signal;
  }

  /** Whether it has come. */
  get over(): boolean {
    return this.signal.aborted || this.#failed;
  }

  /** Whether the user wanted it: then what was sent is on its way, and nobody waits for its answer. */
  get wanted(): boolean {
    return this.signal.aborted && !this.#failed;
  }

  /** Another attempt cannot mend what is wrong. */
  fail(): void {
    this.#failed = true;
  }

  /** The user leaves. False where they have left already. */
  leave(): boolean {
    const first = !this.signal.aborted;
    this.#leaving.abort();
    return first;
  }
}
