// What waits for one client alone while its connection is lost: bounded in bytes, and counted with all that is unsent.

import { MAILBOX_MAX_BYTES, OUTBOX_TOTAL_MAX_BYTES } from "../config/limits.ts";
import { framedBytes } from "../../shared/channel/record_batch.ts";
import type { EncodedEvent } from "../delivery/encoded_event.ts";
import type { OutboxBudget } from "../delivery/outbox.ts";

/** Messages for a client that is away. */
export class Mailbox {
  readonly #budget: OutboxBudget;
  #kept: EncodedEvent[] = [];
  #bytes = 0;

  constructor(budget: OutboxBudget) {
    this.#budget = budget;
  }

  /** Keeps one more; false where that is too much. */
  add(broadcast: EncodedEvent): boolean {
    const size = framedBytes(broadcast.v2);
    const tooMuch = this.#bytes + size > MAILBOX_MAX_BYTES ||
      this.#budget.queuedBytes + size > OUTBOX_TOTAL_MAX_BYTES;
    if (tooMuch) return false;
    this.#kept.push(broadcast);
    this.#bytes += size;
    this.#budget.queuedBytes += size;
    return true;
  }

  /** All that was kept, in order; nothing is kept any more. */
  empty(): EncodedEvent[] {
    const kept = this.#kept;
    this.#kept = [];
    this.#budget.queuedBytes -= this.#bytes;
    this.#bytes = 0;
    return kept;
  }
}
