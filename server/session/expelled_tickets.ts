// Tickets of sessions that were ended against their client's will: their clients come again at once, or never. Where too
// many are remembered, the source that had most of them pays with its oldest.

import { encodeBase64 } from "../../shared/base/base64.ts";
import { smallCopy } from "../../shared/base/bytes.ts";
import { sha256 } from "../../shared/crypto/hkdf.ts";
import { EXPELLED_BUDGET } from "../config/limits.ts";
import { type BudgetPayer, type BudgetShare, FairBudget } from "../limits/fair_budget.ts";
import { siteOf } from "../limits/ip_network.ts";
import { isOneOf } from "../cluster/cluster_contract.ts";

/** One of them: where its client came from, and SHA-256 of its secrets. */
export type ExpelledTicket = readonly [
  source: string,
  id: Uint8Array,
  digests: readonly Uint8Array[],
];

/** Tickets that nobody comes back with. */
export class ExpelledTickets {
  readonly #budget = new FairBudget(EXPELLED_BUDGET);
  readonly #sources = new Map<string, TicketsOfSource>();
  readonly #all = new Map<string, ExpelledTicket>();

  /** All of them, the oldest first. */
  get all(): readonly ExpelledTicket[] {
    return [...this.#all.values()];
  }

  /** Remembers the ticket of a client of this address, or this site. */
  add([address, ticket, digests]: ExpelledTicket): void {
    const id = encodeBase64(ticket);
    if (this.#all.has(id)) return;
    const source = siteOf(address);
    let tickets = this.#sources.get(source);
    if (tickets === undefined) {
      tickets = new TicketsOfSource(this.#budget, source, {
        forget: (id) => this.#all.delete(id),
        onEmpty: () => this.#sources.delete(source),
      });
      this.#sources.set(source, tickets);
    }
    this.#all.set(id, [source, smallCopy(ticket), digests.map(smallCopy)]);
    tickets.add(id);
  }

  /** Whether this is one of them; the secrets are compared in constant time. */
  has(id: Uint8Array, secret: Uint8Array): boolean {
    const [, , digests = []] = this.#all.get(encodeBase64(id)) ?? [];
    return isOneOf(digests, sha256(secret));
  }
}

interface TicketEvents {
  readonly forget: (id: string) => void;
  /** None is left. */
  readonly onEmpty: () => void;
}

class TicketsOfSource implements BudgetPayer {
  readonly #budget: FairBudget;
  readonly #share: BudgetShare;
  readonly #ids = new Set<string>();
  readonly #events: TicketEvents;

  constructor(budget: FairBudget, source: string, events: TicketEvents) {
    this.#budget = budget;
    this.#share = budget.open(source, this);
    this.#events = events;
  }

  add(id: string): void {
    this.#ids.add(id);
    this.#budget.take(this.#share, 1);
  }

  /** Called by the budget. */
  pay(): void {
    const [oldest] = this.#ids;
    if (oldest === undefined) return;
    this.#ids.delete(oldest);
    this.#events.forget(oldest);
    this.#budget.give(this.#share, 1);
    if (this.#ids.size > 0) return;
    this.#budget.close(this.#share);
    this.#events.onEmpty();
  }
}
