// Why a handshake is refused.

/** Why a handshake is refused, as it is sent. docs/PROTOCOL.md §3.3. */
export type RefusalReason =
  | "expected_handshake"
  | "missing_public_key"
  | "invalid_public_key"
  | "unauthorized"
  | "too_many_attempts"
  | "invalid_name"
  | "invalid_room"
  | "too_many_rooms"
  | "excluded"
  | "removed"
  | "server_full"
  | "unavailable"
  | "server_stopping"
  | "server_busy";

/** Thrown inside a handshake; the server answers with it and closes the connection. */
export class Refusal extends Error {
  readonly reason: RefusalReason;
  /** The whole answer; undefined = a v1 handshake_error. */
  readonly bytes: Uint8Array | undefined;

  constructor(reason: RefusalReason, bytes?: Uint8Array) {
    super(reason);
    this.reason = reason;
    this.bytes = bytes;
  }
}
