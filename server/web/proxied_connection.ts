// A connection through a proxy: the proxy's bytes, under the address of the client behind it.

import type { Connection } from "../net/connection.ts";

/** A connection under the address of the client that a trusted proxy names. */
export class ProxiedConnection implements Connection {
  readonly address: string;
  readonly since: number;
  readonly #raw: Connection;

  constructor(raw: Connection, address: string) {
    this.#raw = raw;
    this.address = address;
    this.since = raw.since;
  }

  read(): Promise<Uint8Array | null> {
    return this.#raw.read();
  }

  write(bytes: Uint8Array): Promise<void> {
    return this.#raw.write(bytes);
  }

  close(): void {
    this.#raw.close();
  }
}
