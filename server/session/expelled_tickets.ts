// Tickets of sessions that were ended against their client's will: their clients come again at once, or never. Where too
// many are remembered, the source that had most of them pays with its oldest.

import { encodeBase64 } from "../../shared/base/base64.ts";
import { EXPELLED_BUDGET } from "../config/limits.ts";
import { type BudgetPayer, type BudgetShare, FairBudget } from "../limits/fair_budget.ts";
import { siteOf } from "../limits/ip_network.ts";
import { fitsTicket, type SessionTicket } from "./session_ticket.ts";

/** Tickets that nobody comes back with. */
export class ExpelledTickets {
  readonly #budget = new FairBudget(EXPELLED_BUDGET);
  readonly #sources = new Map<string, TicketsOfSource>();
  readonly #all = new Map<string, SessionTicket>();

  /** Remembers the ticket of a client at `address`. */
  add(ticket: SessionTicket, address: string): void {
    const source = siteOf(address);
    let tickets = this.#sources.get(source);
    if (tickets === undefined) {
      tickets = new TicketsOfSource(this.#budget, source, {
        forget: (id) => this.#all.delete(id),
        onEmpty: () => this.#sources.delete(source),
      });
      this.#sources.set(source, tickets);
    }
    const id = encodeBase64(ticket.id);
    this.#all.set(id, ticket);
    tickets.add(id);
  }

  /** Whether this is one of them; the secrets are compared in constant time. */
  has(id: Uint8Array, secret: Uint8Array): boolean {
    const ticket = this.#all.get(encodeBase64(id));
    return ticket !== undefined && fitsTicket(ticket, secret);
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
