// The ticket of a session: the proof by which its client takes it up again.

import { timingSafeEqual } from "node:crypto";
import { smallBytes, smallCopy } from "../../shared/base/bytes.ts";
import { SESSION_ID_BYTES, SESSION_SECRET_BYTES } from "../../shared/base/limits.ts";
import { sha256 } from "../../shared/crypto/hkdf.ts";
import { isOneOf } from "../cluster/cluster_contract.ts";
import { SECRETS_MAX } from "../cluster/cluster_messages.ts";

/** Proof of who may take up a held session. */
export interface SessionTicket {
  readonly id: Uint8Array;
  readonly secret: Uint8Array;
  /** SHA-256 of secrets before it, the newest first: they hold until the client has shown that it knows the new one. */
  readonly former?: readonly Uint8Array[];
}

/** The ticket of a new session. */
export function newTicket(): SessionTicket {
  return {
    id: crypto.getRandomValues(smallBytes(SESSION_ID_BYTES)),
    secret: newSecret(),
  };
}

/**
 * The ticket with a fresh secret; `shown`, by which the client came, still holds. Shown once more before the client has
 * shown the fresh one, it brings that same one again: a hello that took long on its way must not void the secret that the
 * client has read meanwhile.
 */
export function renewed(ticket: SessionTicket, shown: Uint8Array): SessionTicket {
  const { id, former } = ticket;
  const digest = sha256(shown);
  if (former !== undefined && isOneOf(former, digest)) return ticket;
  return { id, secret: newSecret(), former: [smallCopy(digest)] };
}

/**
 * The ticket of a session that another server had, which told of `digests`, those of the secrets that hold, the newest
 * first. What its client was given there after `shown` it may have read: that holds here as well.
 */
export function takenOver(
  id: Uint8Array,
  shown: Uint8Array,
  digests: readonly Uint8Array[],
): SessionTicket {
  const digest = sha256(shown);
  const at = digests.findIndex((one) => timingSafeEqual(one, digest));
  const newer = digests.slice(0, Math.max(0, at)).slice(0, SECRETS_MAX - 2);
  return { id: smallCopy(id), secret: newSecret(), former: [...newer, digest].map(smallCopy) };
}

/** Whether `secret` is one of the ticket's, its present or a former one; compared in constant time. */
export function fitsTicket(ticket: SessionTicket, secret: Uint8Array): boolean {
  return hasDigest(ticket, sha256(secret));
}

/** Whether `digest` is SHA-256 of a secret of the ticket that holds. */
export function hasDigest(ticket: SessionTicket, digest: Uint8Array): boolean {
  return isOneOf(digestsOf(ticket), digest);
}

/** SHA-256 of all secrets of a ticket that hold, the newest first. */
export function digestsOf({ secret, former = [] }: SessionTicket): readonly Uint8Array[] {
  return [sha256(secret), ...former];
}

function newSecret(): Uint8Array {
  return crypto.getRandomValues(smallBytes(SESSION_SECRET_BYTES));
}
