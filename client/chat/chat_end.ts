// How a chat ends: its user leaves, or it fails. What is told of unsent messages depends on which.

import type { CmdchatError } from "../../shared/base/errors.ts";

/** The end of one chat, before and after it came. */
export class ChatEnd {
  readonly #leaving = new AbortController();
  #failed = false;
  #fault: CmdchatError | undefined;

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

  /** Why a program's chat was stopped; undefined where it was not. */
  get fault(): CmdchatError | undefined {
    return this.#fault;
  }

  /** The user leaves, or a program's chat is stopped by `fault`. False where it is over already. */
  leave(fault?: CmdchatError): boolean {
    const first = !this.signal.aborted;
    if (first && fault !== undefined) [this.#fault, this.#failed] = [fault, true];
    this.#leaving.abort();
    return first;
  }
}
