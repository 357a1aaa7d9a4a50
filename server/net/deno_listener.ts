// Plain TCP, and TLS on runtimes whose node:tls has no server side.

import { LISTEN_BACKLOG } from "../config/limits.ts";
import type { TlsFiles } from "../config/tls_files.ts";
import {
  type Arrival,
  type Listener,
  type ListenOptions,
  serveOne,
  type Service,
} from "./listener.ts";
import { type Connection, lost, throwLost } from "./connection.ts";
import { fileHandlesLeft } from "./file_handles.ts";
import { ReadBuffer } from "./read_buffer.ts";
import { listenError } from "./listen_error.ts";

/** The pause after a failed accept, before the next attempt. */
export const ACCEPT_PAUSE_MS = 50;

/** Deno's listener for TLS. */
type DenoTls = Deno.TlsListener;

/** Opens Deno's listener for TLS. Throws what the system reports. */
export function openTls({ host: hostname, port }: ListenOptions, { cert, key }: TlsFiles): DenoTls {
  return Deno.listenTls({ hostname, port, cert, key, tcpBacklog: LISTEN_BACKLOG });
}

/** Accepts with Deno's own sockets. */
export class DenoListener implements Listener {
  readonly tls: boolean;
  readonly #host: string;
  #renewed: TlsFiles | undefined;
  #isAccepting = true;
  #listener: Deno.Listener<Deno.TcpConn> | DenoTls;

  constructor({ host: hostname, port }: ListenOptions, listener?: DenoTls) {
    this.tls = listener !== undefined;
    this.#host = hostname;
    this.#listener = listener ?? Deno.listen({ hostname, port, tcpBacklog: LISTEN_BACKLOG });
  }

  get address(): Deno.NetAddr {
    return this.#listener.addr as Deno.NetAddr;
  }

  get isAccepting(): boolean {
    return this.#isAccepting;
  }

  async serve(service: Service): Promise<void> {
    for (;;) {
      const listener = this.#listener;
      let conn: Deno.TcpConn | Deno.TlsConn;
      try {
        conn = await listener.accept();
        this.#isAccepting = true;
      } catch (error) {
        if (this.#renewed !== undefined) {
          await this.#reopen(this.#renewed);
          continue;
        }
        if (error instanceof Deno.errors.BadResource) return;
        if (error instanceof Deno.errors.Interrupted) return;
        this.#isAccepting = fileHandlesLeft();
        // No file descriptor is left, or the peer closed before it was accepted: the listener itself still works.
        await new Promise((resolve) => setTimeout(resolve, ACCEPT_PAUSE_MS));
        continue;
      }
      serveOne(new DenoConnection(conn), service);
    }
  }

  renew(tls: TlsFiles): void {
    checkTlsFiles(tls);
    this.#renewed = tls;
    closeQuietly(this.#listener);
  }

  close(): void {
    this.#isAccepting = false;
    this.#renewed = undefined;
    closeQuietly(this.#listener);
  }

  // Deno's listener keeps the certificate it was opened with: a new listener takes over the port as soon as it is free.
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

/** Both arrival and connection, as a connection of Deno is. */
class DenoConnection implements Arrival, Connection {
  readonly address: string;
  readonly since = performance.now();
  readonly #conn: Deno.TcpConn | Deno.TlsConn;
  readonly #buffer = new ReadBuffer();
  readonly #take = (count: number | null) => count === null ? null : this.#buffer.take(count);

  constructor(conn: Deno.TcpConn | Deno.TlsConn) {
    this.#conn = conn;
    this.address = (conn.remoteAddr as Deno.NetAddr).hostname;
  }

  secure(): Connection | Promise<Connection> {
    if ("handshake" in this.#conn) return this.#conn.handshake().then(() => this);
    this.#conn.setNoDelay(true);
    return this;
  }

  // Not async: an async function would hold three times the memory while it waits for a quiet peer.
  read(): Promise<Uint8Array | null> {
    return this.#conn.read(this.#buffer.room).then(this.#take, throwLost);
  }

  // Not async either: nearly all writes are done with the first call, and a promise less is a twentieth of it.
  write(bytes: Uint8Array): Promise<void> {
    return this.#conn.write(bytes).then(
      (count) => count === bytes.length ? undefined : this.#writeRest(bytes.subarray(count)),
      throwLost,
    );
  }

  async #writeRest(bytes: Uint8Array): Promise<void> {
    try {
      for (let at = 0; at < bytes.length;) at += await this.#conn.write(bytes.subarray(at));
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
    // The deadline or the peer has already closed it.
    if (!(error instanceof Deno.errors.BadResource)) throw error;
  }
}

/** Fails at once where TLS with these files would fail at the first client. Throws ConfigError. */
export function checkTlsFiles(tls: TlsFiles): void {
  const options = { host: "127.0.0.1", port: 0, tls };
  try {
    openTls(options, tls).close();
  } catch (cause) {
    throw listenError(options, cause);
  }
}
