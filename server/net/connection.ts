// One accepted connection, as bytes in and bytes out.

/** One accepted connection, after its TLS handshake. */
export interface Connection {
  /** The peer's address without its port. */
  readonly address: string;
  /** When it was accepted; monotonic, ms. */
  readonly since: number;
  /** The next bytes, valid until the next call; null at the end. Throws ConnectionLost. */
  read(): Promise<Uint8Array | null>;
  /** Writes all of `bytes`; the caller may reuse them once this has resolved. Throws ConnectionLost. */
  write(bytes: Uint8Array): Promise<void>;
  /** Closes both directions at once and drops unwritten bytes; idempotent. */
  close(): void;
}

/** A connection that ended without a proper close by its peer. The network caused it, not a bug of the server. */
export class ConnectionLost extends Error {
  override readonly name = "ConnectionLost";
}

/** The error for what the system reported of a connection. */
export function lost(cause: unknown): ConnectionLost {
  return new ConnectionLost("The connection to the peer is lost", { cause });
}

/** The same, thrown: for `catch` of a promise. */
export function throwLost(cause: unknown): never {
  throw lost(cause);
}
