// Connections to the server: TCP, TLS and WebSocket as one kind of byte stream, and what went wrong in words that help.

import { isIP } from "node:net";
import type { TLSSocket } from "node:tls";
import { mendTlsReading } from "../../shared/base/node_tls_reading.ts";
import { ConnectionError } from "../../shared/base/errors.ts";
import { tlsName } from "../../shared/text/host_and_port.ts";
import { READ_BUFFER_BUSY_BYTES } from "../../shared/base/limits.ts";
import { connectionFault, isCertificateFault } from "./connection_faults.ts";
import type { Connection, Endpoint } from "./endpoint.ts";
import { closeQuietly, dialNode, dialTcp } from "./tunnel.ts";
import { openWebSocket } from "./web_socket.ts";

/** Opens a connection; TLS has verified the server then, unless the endpoint says otherwise. Throws ConnectionError with what to do about it. */
export async function connect(endpoint: Endpoint, signal: AbortSignal): Promise<Connection> {
  signal.throwIfAborted();
  const opening = open(endpoint, signal);
  const aborted = Promise.withResolvers<never>();
  const abort = () => aborted.reject(signal.reason);
  signal.addEventListener("abort", abort);
  try {
    return await Promise.race([opening, aborted.promise]);
  } catch (cause) {
    opening.then((late) => late.close(), () => {});
    if (signal.aborted) throw signal.reason;
    throw cause instanceof ConnectionError ? cause : connectionFault(endpoint, cause);
  } finally {
    signal.removeEventListener("abort", abort);
  }
}

/** Whether something accepts TCP connections there. */
export async function isListening(host: string, port: number): Promise<boolean> {
  try {
    (await Deno.connect({ hostname: host, port })).close();
    return true;
  } catch {
    return false;
  }
}

async function open(endpoint: Endpoint, signal: AbortSignal): Promise<Connection> {
  const stream = await openStream(endpoint, signal);
  if (!endpoint.webSocket) return stream;
  const close = () => stream.close();
  signal.addEventListener("abort", close);
  try {
    signal.throwIfAborted();
    return await openWebSocket(stream, endpoint);
  } catch (error) {
    stream.close();
    throw error;
  } finally {
    signal.removeEventListener("abort", close);
  }
}

async function openStream(endpoint: Endpoint, signal: AbortSignal): Promise<Connection> {
  const { tls } = endpoint;
  const hostname = tlsName(endpoint.host);
  if (tls?.insecure) return await openUnverified(endpoint, signal);
  const conn = await dialTcp(endpoint, signal);
  endpoint.reached?.();
  conn.setNoDelay(true);
  if (tls === undefined) return new StreamConnection(conn, endpoint);
  try {
    const secured = await Deno.startTls(conn, { hostname, caCerts: [...tls.caCerts] });
    await handshake(secured);
    return new StreamConnection(secured, endpoint);
  } catch (cause) {
    closeQuietly(conn);
    if (endpoint.isProvenInside && isCertificateFault(cause)) {
      return await openUnverified(endpoint, signal);
    }
    throw connectionFault(endpoint, cause);
  }
}

async function handshake(conn: Deno.TlsConn): Promise<void> {
  try {
    await conn.handshake();
  } catch (cause) {
    closeQuietly(conn);
    throw cause;
  }
}

/** A connection over Deno's own streams. */
class StreamConnection implements Connection {
  readonly #conn: Deno.TcpConn | Deno.TlsConn;
  readonly #endpoint: Endpoint;
  readonly #buffer = new Uint8Array(READ_BUFFER_BUSY_BYTES);
  #writing: Promise<void> = Promise.resolve();
  #closed = false;

  constructor(conn: Deno.TcpConn | Deno.TlsConn, endpoint: Endpoint) {
    this.#conn = conn;
    this.#endpoint = endpoint;
  }

  async read(): Promise<Uint8Array | undefined> {
    try {
      const count = await this.#conn.read(this.#buffer);
      return count === null ? undefined : this.#buffer.subarray(0, count);
    } catch (cause) {
      if (this.#closed) return undefined;
      throw lost(this.#endpoint, cause);
    }
  }

  write(bytes: Uint8Array): Promise<void> {
    const written = this.#writing.then(() => this.#writeAll(bytes));
    this.#writing = written.catch(() => {});
    return written;
  }

  async finishWriting(): Promise<void> {
    await this.#writing;
    try {
      await this.#conn.closeWrite();
    } catch (cause) {
      throw lost(this.#endpoint, cause);
    }
  }

  close(): void {
    this.#closed = true;
    closeQuietly(this.#conn);
  }

  async #writeAll(bytes: Uint8Array): Promise<void> {
    try {
      for (let at = 0; at < bytes.length;) at += await this.#conn.write(bytes.subarray(at));
    } catch (cause) {
      throw lost(this.#endpoint, cause);
    }
  }
}

// Deno's TLS always verifies; node:tls can be told not to.
async function openUnverified(endpoint: Endpoint, signal: AbortSignal): Promise<Connection> {
  const { connect } = await import("node:tls");
  const name = tlsName(endpoint.host);
  const raw = await dialNode(endpoint, signal);
  endpoint.reached?.();
  const opened = Promise.withResolvers<TLSSocket>();
  const servername = isIP(name) === 0 ? name : "";
  const socket = connect(
    { socket: raw, servername, rejectUnauthorized: false },
    () => opened.resolve(socket),
  );
  mendTlsReading(socket, raw);
  socket.once("error", opened.reject);
  const abort = () => opened.reject(signal.reason);
  signal.addEventListener("abort", abort);
  try {
    return new NodeConnection(await opened.promise, endpoint);
  } catch (cause) {
    socket.destroy();
    raw.destroy();
    throw connectionFault(endpoint, cause);
  } finally {
    signal.removeEventListener("abort", abort);
  }
}

/** A connection over a socket of node:tls. */
class NodeConnection implements Connection {
  readonly isUnverified = true;
  readonly #socket: TLSSocket;
  readonly #endpoint: Endpoint;
  readonly #chunks: AsyncIterator<Uint8Array>;
  #closed = false;

  constructor(socket: TLSSocket, endpoint: Endpoint) {
    this.#socket = socket;
    this.#endpoint = endpoint;
    socket.setNoDelay(true);
    this.#chunks = socket[Symbol.asyncIterator]();
  }

  async read(): Promise<Uint8Array | undefined> {
    try {
      const { value, done } = await this.#chunks.next();
      return done ? undefined : value;
    } catch (cause) {
      if (this.#closed) return undefined;
      throw lost(this.#endpoint, cause);
    }
  }

  write(bytes: Uint8Array): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#socket.write(bytes, (cause) => {
        if (cause) reject(lost(this.#endpoint, cause));
        else resolve();
      });
    });
  }

  finishWriting(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#socket.once("error", (cause) => reject(lost(this.#endpoint, cause)));
      this.#socket.end(resolve);
    });
  }

  close(): void {
    this.#closed = true;
    this.#socket.destroy();
  }
}

function lost(endpoint: Endpoint, cause: unknown): ConnectionError {
  // TLS 1.3 clients learn only now that the server did not like the handshake.
  if (isCertificateFault(cause)) return connectionFault(endpoint, cause);
  return new ConnectionError("The connection to the server broke", { cause });
}
