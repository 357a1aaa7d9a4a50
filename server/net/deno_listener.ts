// Plain TCP, and TLS where the runtime has no server side of node:tls.

import type { TlsFiles } from "../config/tls_files.ts";
import {
  type Arrival,
  type Listener,
  type ListenOptions,
  serveOne,
  type Service,
} from "./listener.ts";
import { type Connection, lost, throwLost } from "./connection.ts";
import { ReadBuffer } from "./read_buffer.ts";
import { listenError } from "./listen_error.ts";

export const ACCEPT_PAUSE_MS = 50;

export function openTls({ host: hostname, port }: ListenOptions, { cert, key }: TlsFiles): DenoTls {
  return Deno.listenTls({ hostname, port, cert, key });
}

type DenoTls = Deno.TlsListener;

export class DenoListener implements Listener {
  readonly tls: boolean;
  readonly #host: string;
  #renewed: TlsFiles | undefined;
  #listener: Deno.Listener<Deno.TcpConn> | DenoTls;

  constructor({ host: hostname, port }: ListenOptions, listener?: DenoTls) {
    this.tls = listener !== undefined;
    this.#host = hostname;
    this.#listener = listener ?? Deno.listen({ hostname, port });
  }

  get address(): Deno.NetAddr {
    return this.#listener.addr as Deno.NetAddr;
  }

  async serve(service: Service): Promise<void> {
    for (;;) {
      const listener = this.#listener;
      let conn: Deno.TcpConn | Deno.TlsConn;
      try {
        conn = await listener.accept();
      } catch (error) {
        if (this.#renewed !== undefined) {
          await this.#reopen(this.#renewed);
          continue;
        }
        if (error instanceof Deno.errors.BadResource) return;
        if (error instanceof Deno.errors.Interrupted) return;
        // Out of handles, or a peer that went away in the queue: the listener itself is still good.
        await new Promise((resolve) => setTimeout(resolve, ACCEPT_PAUSE_MS));
        continue;
      }
      void serveOne(new DenoConnection(conn), service);
    }
  }

  renew(tls: TlsFiles): void {
    refuseUnusable(tls);
    this.#renewed = tls;
    closeQuietly(this.#listener);
  }

  close(): void {
    this.#renewed = undefined;
    closeQuietly(this.#listener);
  }

  // This kind of listener keeps the certificate that it began with: another one takes its port, once it is free.
  async #reopen(tls: TlsFiles): Promise<void> {
    while (this.#renewed !== undefined) {
      try {
        this.#listener = openTls({ host: this.#host, port: this.address.port, tls }, tls);
        this.#renewed = undefined;
      } catch {
        await new Promise((resolve) => setTimeout(resolve, ACCEPT_PAUSE_MS));
      }
    }
  }
}

/** Arrival and link in one, since Deno's connections are. */
export class DenoConnection implements Arrival, Connection {
  readonly address: string;
  readonly since = performance.now();
  readonly #conn: Deno.TcpConn | Deno.TlsConn;
  readonly #buffer = new ReadBuffer();

  constructor(conn: Deno.TcpConn | Deno.TlsConn) {
    this.#conn = conn;
    this.address = (conn.remoteAddr as Deno.NetAddr).hostname;
  }

  async secure(): Promise<Connection> {
    if ("handshake" in this.#conn) await this.#conn.handshake();
    else this.#conn.setNoDelay(true);
    return this;
  }

  // Not async: what waits for a quiet peer would take three times as much.
  read(): Promise<Uint8Array | null> {
    const take = (count: number | null) => count === null ? null : this.#buffer.take(count);
    return this.#conn.read(this.#buffer.room).then(take, throwLost);
  }

  async write(bytes: Uint8Array): Promise<void> {
    try {
      for (let at = 0; at < bytes.length;) {
        at += await this.#conn.write(at === 0 ? bytes : bytes.subarray(at));
      }
    } catch (cause) {
      throw lost(cause);
    }
  }

  close(): void {
    closeQuietly(this.#conn);
  }
}

function closeQuietly(resource: { close(): void }): void {
  try {
    resource.close();
  } catch (error) {
    // Closed already, by a deadline or by the peer.
    if (!(error instanceof Deno.errors.BadResource)) throw error;
  }
}

// Refuses at once what would fail at the first client.
export function refuseUnusable(tls: TlsFiles): void {
  const options = { host: "127.0.0.1", port: 0, tls };
  try {
    openTls(options, tls).close();
  } catch (cause) {
    throw listenError(options, cause);
  }
}
