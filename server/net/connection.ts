// One accepted connection as bytes in and bytes out.

/** One accepted connection: bytes in, bytes out. */
export interface Connection {
  /** The peer's address without its port. */
  readonly address: string;
  /** When it was accepted; monotonic, ms. */
  readonly since: number;
  /** The next bytes, valid until the next call; null at the end. Throws LinkLost when the link is gone. */
  read(): Promise<Uint8Array | null>;
  /** Writes all of `bytes`. Throws LinkLost when the link is gone. */
  write(bytes: Uint8Array): Promise<void>;
  /** Closes both directions at once, what waits to be written as well; idempotent. */
  close(): void;
}

/** A link ended other than by its peer's goodbye: the network's affair, never a fault of ours. */
export class ConnectionLost extends Error {
  override readonly name = "LinkLost";
}

export function throwLost(cause: unknown): never {
  throw lost(cause);
}

export function lost(cause: unknown): ConnectionLost {
  return new ConnectionLost("The link to the peer is gone", { cause });
}
