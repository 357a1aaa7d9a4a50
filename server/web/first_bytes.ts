// Reads the first bytes of a connection without consuming them, to find out what it carries.

import { concatBytes } from "../../shared/base/bytes.ts";
import { type Connection, ConnectionLost } from "../net/connection.ts";

/** Bytes that were read from a connection and not taken yet. */
export class FirstBytes {
  readonly #connection: Connection;
  #bytes: Uint8Array = new Uint8Array(0);

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** All bytes that were not taken yet. */
  get bytes(): Uint8Array {
    return this.#bytes;
  }

  /** Reads until at least `count` bytes are there; false where the connection ends before. Throws ConnectionLost. */
  async has(count: number): Promise<boolean> {
    while (this.#bytes.length < count) {
      const chunk = await this.#connection.read();
      if (chunk === null) return false;
      // A copy: the next read may reuse the bytes.
      this.#bytes = concatBytes([this.#bytes, chunk.slice()]);
    }
    return true;
  }

  /** Takes the first `count` bytes. */
  take(count: number): Uint8Array {
    const taken = this.#bytes.subarray(0, count);
    this.#bytes = this.#bytes.subarray(count);
    return taken;
  }

  /** Takes all bytes, reading once where there are none. Throws ConnectionLost, at the end as well. */
  async some(): Promise<Uint8Array> {
    if (!await this.has(1)) throw new ConnectionLost("The connection ended in its first bytes");
    return this.take(this.#bytes.length);
  }
}
