// The first bytes of a connection: looked at before anything is done with them.

import { concatBytes } from "../../shared/base/bytes.ts";
import { type Connection, ConnectionLost } from "../net/connection.ts";

/** Bytes that a connection gave and nobody took yet. */
export class FirstBytes {
  readonly #connection: Connection;
  #bytes: Uint8Array = new Uint8Array(0);

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** All that came and was not taken. */
  get bytes(): Uint8Array {
    return this.#bytes;
  }

  /** Reads until `count` bytes are there, or more; false where the connection ends before. Throws ConnectionLost. */
  async has(count: number): Promise<boolean> {
    while (this.#bytes.length < count) {
      const chunk = await this.#connection.read();
      if (chunk === null) return false;
      // A copy: the next read may reuse the bytes.
      this.#bytes = concatBytes([this.#bytes, chunk.slice()]);
    }
    return true;
  }

  /** Takes the first `count` bytes away and gives them. */
  take(count: number): Uint8Array {
    const taken = this.#bytes.subarray(0, count);
    this.#bytes = this.#bytes.subarray(count);
    return taken;
  }

  /** Takes all that is there, reading once where nothing is. Throws ConnectionLost, at the end as well. */
  async some(): Promise<Uint8Array> {
    if (!await this.has(1)) throw new ConnectionLost("The connection ended in its first bytes");
    return this.take(this.#bytes.length);
  }
}
