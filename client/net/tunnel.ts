// TCP connections to a server, direct or through a proxy, for Deno's TLS and for that of node:tls. Whatever the client
// dials, it dials here: what may not be looked up is refused before that.

import { connect as connectNode, type Socket } from "node:net";
import { Duplex } from "node:stream";
import { READ_BUFFER_BUSY_BYTES } from "../../shared/base/limits.ts";
import { ConnectionError } from "../../shared/base/errors.ts";
import { isOnion } from "../../shared/text/host_and_port.ts";
import type { Proxy } from "../config/proxy_url.ts";
import { proxyUnreachable } from "./connection_faults.ts";
import { addressOf, asciiHost, type Endpoint } from "./endpoint.ts";
import { askConnect } from "./http_connect.ts";
import { type ProxiedServer, proxyFault, type ProxyStream } from "./proxy_stream.ts";
import { askSocks5 } from "./socks5.ts";

/** A TCP connection that reaches the server. Throws ConnectionError, or what Deno.connect() throws. */
export async function dialTcp(endpoint: Endpoint, signal: AbortSignal): Promise<Deno.TcpConn> {
  const { proxy } = endpoint;
  const { host: hostname, port } = proxy ?? endpoint;
  refuseOnion(hostname, endpoint);
  if (proxy === undefined) return await dialDirectly(endpoint);
  const host = asciiHost(endpoint);
  const conn = await reachingProxy(proxy, Deno.connect({ hostname, port }));
  await closedOnFailure(conn, signal, () => ask(new DenoStream(conn), { endpoint, proxy, host }));
  return conn;
}

/** Connects to the first address that answers. Throws what the last one throws. */
async function dialDirectly({ host, port, addresses }: Endpoint): Promise<Deno.TcpConn> {
  const names = addresses ?? [host];
  for (const hostname of names.slice(0, -1)) {
    try {
      return await Deno.connect({ hostname, port });
    } catch {
      // The last one says why.
    }
  }
  return await Deno.connect({ hostname: names.at(-1) ?? host, port });
}

/** The same as a stream of node:stream. Throws ConnectionError, or what the socket reports. */
export async function dialNode(endpoint: Endpoint, signal: AbortSignal): Promise<Duplex> {
  const { proxy } = endpoint;
  const { host, port } = proxy ?? endpoint;
  refuseOnion(host, endpoint);
  // The runtime's node:net takes no zone (EINVAL); its own sockets do.
  if (host.includes("%")) return duplexOf(await dialTcp(endpoint, signal));
  const target = proxy === undefined ? undefined : asciiHost(endpoint);
  const [address = host] = proxy === undefined ? endpoint.addresses ?? [] : [];
  const socket = connectNode({ host: address, port });
  const closing = { close: () => void socket.destroy() };
  await closedOnFailure(closing, signal, async () => {
    const connected = once(socket, "connect");
    if (proxy === undefined || target === undefined) return await connected;
    await reachingProxy(proxy, connected);
    const server = { endpoint, proxy, host: target };
    await ask(new NodeStream(socket), server);
    if (socket.readableLength > 0) throw proxyFault(server, "it sends extra bytes");
  });
  return socket;
}

function duplexOf(conn: Deno.TcpConn): Duplex {
  conn.setNoDelay(true);
  return new Duplex({
    read() {
      const buffer = new Uint8Array(READ_BUFFER_BUSY_BYTES);
      conn.read(buffer).then(
        (count) => this.push(count === null ? null : buffer.subarray(0, count)),
        (error) => this.destroy(error),
      );
    },
    write(bytes: Uint8Array, _encoding, done) {
      writeAll(conn, bytes).then(() => done(), done);
    },
    final(done) {
      conn.closeWrite().then(() => done(), done);
    },
    destroy(error, done) {
      closeQuietly(conn);
      done(error);
    },
  });
}

async function writeAll(conn: Deno.TcpConn, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await conn.write(bytes.subarray(at));
}

/** A name below .onion means something to Tor alone: the look-up would tell others of it. Throws ConnectionError. */
export function refuseOnion(host: string, endpoint: Endpoint): void {
  if (!isOnion(host)) return;
  throw new ConnectionError(
    `Cannot connect to ${addressOf(endpoint)}: names below .onion are reached through Tor only`,
    { hint: "--proxy socks5://127.0.0.1:9050, if Tor listens there" },
  );
}

function ask(stream: ProxyStream, server: ProxiedServer): Promise<void> {
  return server.proxy.kind === "http" ? askConnect(stream, server) : askSocks5(stream, server);
}

async function reachingProxy<T>(proxy: Proxy, opening: Promise<T>): Promise<T> {
  try {
    return await opening;
  } catch (cause) {
    throw proxyUnreachable(proxy, cause);
  }
}

/** Closes what was opened where `work` fails, or is given up: a proxy that says nothing must not keep it open. */
async function closedOnFailure(
  conn: { close(): void },
  signal: AbortSignal,
  work: () => Promise<void>,
): Promise<void> {
  const close = () => closeQuietly(conn);
  signal.addEventListener("abort", close);
  try {
    signal.throwIfAborted();
    await work();
    signal.throwIfAborted();
  } catch (error) {
    close();
    throw error;
  } finally {
    signal.removeEventListener("abort", close);
  }
}

/** Closes what may be closed already. */
export function closeQuietly(conn: { close(): void }): void {
  try {
    conn.close();
  } catch (error) {
    if (!(error instanceof Deno.errors.BadResource)) throw error;
  }
}

class DenoStream implements ProxyStream {
  readonly #conn: Deno.TcpConn;

  constructor(conn: Deno.TcpConn) {
    this.#conn = conn;
  }

  async read(max: number): Promise<Uint8Array | undefined> {
    const bytes = new Uint8Array(max);
    const count = await this.#conn.read(bytes);
    return count === null ? undefined : bytes.subarray(0, count);
  }

  async write(bytes: Uint8Array): Promise<void> {
    await writeAll(this.#conn, bytes);
  }
}

class NodeStream implements ProxyStream {
  readonly #socket: Socket;

  constructor(socket: Socket) {
    this.#socket = socket;
  }

  async read(max: number): Promise<Uint8Array | undefined> {
    const socket = this.#socket;
    for (;;) {
      const length = Math.min(max, socket.readableLength);
      if (length > 0) return socket.read(length);
      // Reading nothing asks for more.
      socket.read(0);
      if (socket.readableEnded || socket.destroyed) return undefined;
      await once(socket, "readable", "end");
    }
  }

  write(bytes: Uint8Array): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#socket.write(bytes, (error) => error ? reject(error) : resolve());
    });
  }
}

/** Resolves at the first of these events; rejects at an error, or where the socket is closed before. */
function once(socket: Socket, ...events: readonly string[]): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const closed = () => reject(new ConnectionError("The connection was closed"));
  for (const event of events) socket.once(event, resolve);
  socket.once("error", reject);
  socket.once("close", closed);
  return promise.finally(() => {
    for (const event of events) socket.off(event, resolve);
    socket.off("error", reject);
    socket.off("close", closed);
  });
}
