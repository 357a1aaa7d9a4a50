// A handshake that is refused.

/** Words of the wire for why a handshake is refused. docs/PROTOCOL.md §3.3. */
export type RefusalReason =
  | "expected_handshake"
  | "missing_public_key"
  | "invalid_public_key"
  | "unauthorized"
  | "invalid_name"
  | "invalid_room"
  | "too_many_rooms"
  | "excluded"
  | "removed"
  | "server_full"
  | "server_stopping";

/** Thrown inside a handshake; the connection answers with it and closes. */
export class Refusal extends Error {
  readonly reason: RefusalReason;
  /** The whole answer where it is not a v1 handshake_error, which undefined stands for. */
  readonly bytes: Uint8Array | undefined;

  constructor(reason: RefusalReason, bytes?: Uint8Array) {
    super(reason);
    this.reason = reason;
    this.bytes = bytes;
  }
}
