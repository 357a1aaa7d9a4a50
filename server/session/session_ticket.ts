// The ticket of a session: the proof by which its client takes it up again.

import { timingSafeEqual } from "node:crypto";
import { smallBytes } from "../../shared/base/bytes.ts";
import { SESSION_SECRET_BYTES } from "../../shared/base/limits.ts";

/** Proof of who may take up a held session. */
export interface SessionTicket {
  readonly id: Uint8Array;
  readonly secret: Uint8Array;
  /** The secret before this one, good until the client has shown that it knows the new one. */
  readonly previous?: Uint8Array;
}

/**
 * The ticket with a fresh secret; `shown`, by which the client came, is still good. Shown once more before the client has
 * shown the fresh one, it brings that same one again: a hello that took long on its way must not void the secret that the
 * client has read meanwhile.
 */
export function renewed(ticket: SessionTicket, shown: Uint8Array): SessionTicket {
  const { id, previous } = ticket;
  if (previous !== undefined && timingSafeEqual(previous, shown)) return ticket;
  return { id, secret: crypto.getRandomValues(smallBytes(SESSION_SECRET_BYTES)), previous: shown };
}

/** Whether `secret` is one of the ticket's, its present or its previous one; compared in constant time. */
export function fitsTicket(
  { secret: current, previous = current }: SessionTicket,
  secret: Uint8Array,
): boolean {
  const isCurrent = timingSafeEqual(current, secret);
  return timingSafeEqual(previous, secret) || isCurrent;
}
