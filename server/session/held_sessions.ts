// Sessions whose connection was lost, each waiting a while for its client to come back.

import { encodeBase64 } from "../../shared/base/base64.ts";
import { EXPECTED_BACK_MAX_MS, EXPECTED_BACK_MS, HANDSHAKE_PATIENCE_MS } from "../config/limits.ts";
import type { ConnectionSlot } from "../limits/connection_slots.ts";
import { BUSY_PAUSE_LONGEST } from "../limits/handshake_queue.ts";
import { siteOf } from "../limits/ip_network.ts";
import { type ExpelledTicket, ExpelledTickets } from "./expelled_tickets.ts";
import type { Session } from "./session.ts";
import type { SessionHost } from "./session_host.ts";
import { digestsOf, fitsTicket } from "./session_ticket.ts";

interface Held {
  readonly session: Session;
  /** Monotonic ms at which the wait began, and at which it is over. */
  readonly since: number;
  readonly until: number;
  readonly slot: ConnectionSlot;
}

/** Sessions that can be taken up again: held ones, and those whose dead connection was not noticed yet. */
export class HeldSessions {
  readonly #host: SessionHost;
  readonly #known = new Map<string, Session>();
  readonly #held = new Map<number, Held>();
  readonly #expelled = new ExpelledTickets();
  /** Until when clients of these sites were told to wait, where some are expected back; monotonic ms. */
  readonly #told = new Map<string, number>();

  constructor(host: SessionHost) {
    this.#host = host;
  }

  /** Number of held sessions. */
  get size(): number {
    return this.#held.size;
  }

  /** Notes who may come back, and with which ticket. */
  know(session: Session): void {
    if (session.ticket !== undefined) this.#known.set(encodeBase64(session.ticket.id), session);
  }

  /** The session of a ticket, for another server that has checked the secret. */
  named(id: Uint8Array): Session | undefined {
    return this.#known.get(encodeBase64(id));
  }

  /** The session of a ticket; undefined where there is none or the secret is wrong (compared in constant time). */
  find(id: Uint8Array, secret: Uint8Array): Session | undefined {
    const session = this.#known.get(encodeBase64(id));
    return session?.ticket !== undefined && fitsTicket(session.ticket, secret)
      ? session
      : undefined;
  }

  /** Remembers that an admin ended a session, so that its client does not reconnect on its own, here or elsewhere. */
  noteExpelled({ ticket, address }: Session): void {
    if (ticket === undefined) return;
    const [source, digests] = [siteOf(address), digestsOf(ticket)];
    this.bar([source, ticket.id, digests]);
    this.#host.cluster?.sendAll({
      kind: "barred",
      source,
      ticket: ticket.id,
      digests: [...digests],
    });
  }

  /** Remembers the ticket of a session that an admin ended at another server, or before this process. */
  bar(ticket: ExpelledTicket): void {
    this.#expelled.add(ticket);
  }

  /** The tickets of sessions that an admin ended. */
  get barred(): readonly ExpelledTicket[] {
    return this.#expelled.all;
  }

  /** Whether this ticket is of a session that an admin ended. */
  wasExpelled(id: Uint8Array, secret: Uint8Array): boolean {
    return this.#expelled.has(id, secret);
  }

  /** Holds a session whose connection was lost at `now`, monotonic ms. False where it cannot be held. */
  hold(session: Session, now: number): boolean {
    const { config } = this.#host;
    // Ended against its client's will.
    if (this.#host.session(session.id) !== session) return false;
    if (session.ticket === undefined || config.hold === 0 || this.#host.stopping) return false;
    // A held session counts as a connection: dropping connections must not get around the caps. It takes the slot
    // beside its own, which still counts: a server that is full would otherwise hold nobody.
    const slot = this.#host.keepSlot(session.address);
    const until = now + config.hold * 1_000;
    this.#held.set(session.id, { session, slot, since: now, until });
    return true;
  }

  /** Holds a session of the process before this one, whose client comes back to this one at once, or when it is told to. */
  expect(session: Session, now: number): boolean {
    if (!this.hold(session, now)) return false;
    this.#told.set(siteOf(session.address), 0);
    return true;
  }

  /** A client of `address` was told to come back after `pauseMs`: whoever is expected of its site is not away by then. */
  toldToWait(address: string, pauseMs: number, now: number): void {
    if (this.#told.size === 0) return;
    const site = siteOf(address);
    const until = this.#told.get(site);
    if (until === undefined) return;
    const latest = now + pauseMs * BUSY_PAUSE_LONGEST + HANDSHAKE_PATIENCE_MS;
    this.#told.set(site, Math.max(until, latest));
  }

  /** Ends the wait of a session that is back. */
  release(session: Session): void {
    this.#held.get(session.id)?.slot.release();
    this.#held.delete(session.id);
  }

  /** Forgets a session that is gone for good. */
  forget(session: Session): void {
    this.release(session);
    if (session.ticket !== undefined) this.#known.delete(encodeBase64(session.ticket.id));
  }

  /** Ends the sessions whose wait is over at `now`; who was expected back by then is away. */
  sweep(now: number): void {
    let isExpecting = false;
    for (const { session, since, until } of this.#held.values()) {
      if (now >= until) this.#host.expire(session);
      else if (!session.expected) continue;
      else if (now >= this.#expectedUntil(session, since)) session.missed();
      else isExpecting = true;
    }
    if (!isExpecting) this.#told.clear();
  }

  #expectedUntil({ address }: Session, since: number): number {
    const told = this.#told.size === 0 ? 0 : this.#told.get(siteOf(address)) ?? 0;
    return Math.min(Math.max(since + EXPECTED_BACK_MS, told), since + EXPECTED_BACK_MAX_MS);
  }
}
