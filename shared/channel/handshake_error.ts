// What can go wrong in a handshake, and what a refused peer is told. docs/PROTOCOL.md §5.5 has the table.

import { type CmdchatErrorOptions, CryptoError, ProtocolError } from "../base/errors.ts";
import type { Fingerprint } from "../crypto/fingerprint.ts";

/** Lowest and highest session version that a side speaks. */
export type VersionRange = readonly [min: number, max: number];

/** Versions this code speaks. */
export const OUR_VERSIONS: VersionRange = [2, 2];

/**
 * Kinds of failure that are nobody's key: `frame` is no JSON object of a type that belongs here, `field` has a
 * field missing or wrong, `version` has no version in common, `no-v2` has no v2 at all, `refused` by the server.
 */
export type HandshakeFailure = "frame" | "field" | "version" | "no-v2" | "refused";

/** The peer's handshake message cannot be used. */
export class HandshakeError extends ProtocolError {
  readonly failure: HandshakeFailure;

  constructor(failure: HandshakeFailure, message: string, options?: CmdchatErrorOptions) {
    super(message, options);
    this.failure = failure;
  }
}

/** The server cannot answer in time now, and says when to come back. Nobody has proved yet who says so. */
export class ServerBusyError extends HandshakeError {
  /** At most BUSY_PAUSE_MAX_MS. */
  readonly pauseMs: number;

  constructor(pauseMs: number) {
    super("refused", "Cannot open a session now: too many clients are coming in at once", {
      hint: "the client tries again by itself",
    });
    this.pauseMs = pauseMs;
  }
}

/** The server is about to end, and lets nobody in. Nobody has proved yet who says so. */
export class ServerStoppingError extends HandshakeError {}

/** What an identity error carries. */
export interface IdentityErrorOptions extends CmdchatErrorOptions {
  /** Whether the other one is only remembered, and not named by the user: then they may be asked. */
  readonly isRemembered?: boolean;
  /** Who answered. */
  readonly seen: Fingerprint;
}

/** The server is not the expected one: somebody intercepts the connection, or the server has a new identity. */
export class IdentityError extends CryptoError {
  readonly seen: Fingerprint;
  /** Whether the expected one is only remembered, and not named by the user. */
  readonly isRemembered: boolean;

  constructor(message: string, options: IdentityErrorOptions) {
    super(message, options);
    this.seen = options.seen;
    this.isRemembered = options.isRemembered ?? false;
  }
}

/** Reasons a v2 server gives for turning a client away, with the words that the client shows. */
export const REFUSAL_REASONS = {
  expected_handshake: "the first message was not a handshake",
  bad_handshake: "the handshake has a field that cannot be used",
  unsupported_version: "no session version in common",
  unusable_keys: "the key shares cannot be used",
  server_stopping: "the server is stopping",
} as const;

/** One of the reasons of the table. */
export type RefusalReason = keyof typeof REFUSAL_REASONS;

/** Whether a text that came from a peer is one of our reasons. */
export function isRefusalReason(text: unknown): text is RefusalReason {
  return typeof text === "string" && Object.hasOwn(REFUSAL_REASONS, text);
}

/** The reason to send for an error that ServerHandshake.receive() threw. */
export function refusalReasonFor(error: unknown): RefusalReason {
  if (error instanceof HandshakeError) {
    if (error.failure === "version") return "unsupported_version";
    return error.failure === "frame" ? "expected_handshake" : "bad_handshake";
  }
  return error instanceof CryptoError ? "unusable_keys" : "bad_handshake";
}

/** "2 to 3", or "2" when both ends are the same. */
export function describeVersions([min, max]: VersionRange): string {
  return min === max ? `${min}` : `${min} to ${max}`;
}
