// What waits for one client alone while its session is held: bounded in bytes, and counted with all that waits.

import { MAILBOX_MAX_BYTES } from "../config/limits.ts";
import type { EncodedEvent } from "../delivery/encoded_event.ts";
import type { BudgetAccount, BudgetPayer, BudgetShare } from "../limits/fair_budget.ts";

/** What a mailbox is made of. */
export interface MailboxOptions extends BudgetAccount {
  /** The budget made it give up what it kept, which is here to be returned to its senders. */
  readonly onLost: (lost: readonly EncodedEvent[]) => void;
}

/** Messages for a client that is away. */
export class Mailbox implements BudgetPayer {
  readonly #options: MailboxOptions;
  #kept: EncodedEvent[] = [];
  #bytes = 0;
  /** Undefined while nothing is kept. */
  #share: BudgetShare | undefined;

  constructor(options: MailboxOptions) {
    this.#options = options;
  }

  /** Keeps one more message; false where that is too much for one client. */
  add(message: EncodedEvent): boolean {
    const { bytes } = message.v2;
    if (this.#bytes + bytes > MAILBOX_MAX_BYTES) return false;
    const { budget, source } = this.#options;
    const share = this.#share ??= budget.open(source, this);
    this.#kept.push(message);
    this.#bytes += bytes;
    budget.take(share, bytes);
    return true;
  }

  /** All that was kept, in order; nothing is kept any longer. */
  empty(): EncodedEvent[] {
    const kept = this.#kept;
    this.#kept = [];
    if (this.#share === undefined) return kept;
    this.#options.budget.give(this.#share, this.#bytes);
    this.#options.budget.close(this.#share);
    this.#share = undefined;
    this.#bytes = 0;
    return kept;
  }

  /** Called by the budget. */
  pay(): void {
    this.#options.onLost(this.empty());
  }
}
