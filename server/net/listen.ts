// The server's sockets, and the only file that touches them. TLS runs on node:tls where the runtime has it in full:
// Deno's own TlsConn cannot be closed while its handshake, or a write to a peer that does not read, is unfinished. The
// socket then stays open for as long as the peer likes, whatever the deadline says (rustls-tokio-stream finishes in
// the background).

import { Server, type Socket } from "node:net";
import { createSecureContext, type SecureContext, TLSSocket } from "node:tls";
import { HANDSHAKE_DEADLINE_MS } from "../../shared/base/limits.ts";
import { handlesLeft } from "./file_handles.ts";
import { listenError } from "./listen_error.ts";
import type { Place } from "../limits/connection_slots.ts";
import { ReadBuffer } from "./read_buffer.ts";
import type { TlsFiles } from "../config/tls_files.ts";

/** One accepted connection: bytes in, bytes out. */
export interface Link {
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
export class LinkLost extends Error {
  override readonly name = "LinkLost";
}

/** Where and how to listen. */
export interface ListenOptions {
  readonly host: string;
  readonly port: number;
  readonly tls: TlsFiles | undefined;
}

/** What is done with connections. */
export interface Service {
  /** Decides, before anything is read, whether a connection from `address` may stay; undefined = refuse. */
  readonly admit: (address: string) => Place | undefined;
  /** Serves a connection to its end, after any TLS handshake. */
  readonly onLink: (link: Link, place: Place) => Promise<void>;
  /** Told of every TLS handshake that failed or took too long. */
  readonly onHandshakeFailed: (address: string) => void;
  /** Told of what `onLink` threw: a mistake of ours. */
  readonly onFault: (error: unknown) => void;
}

/** A listening socket, plain or TLS. */
export interface Listener {
  readonly tls: boolean;
  /** The address that clients reach, with the port that was really taken. */
  readonly address: { readonly hostname: string; readonly port: number };
  /** Serves connections until `close`. TLS handshakes run beside each other, each with its deadline. */
  serve(service: Service): Promise<void>;
  /** Serves this certificate to those who connect from now on. Throws ConfigError; then the old one stays. */
  renew(tls: TlsFiles): void;
  /** Takes no more connections; those that are open stay. */
  close(): void;
}

/** Starts to listen. Throws ConfigError where the address, or certificate and key, cannot be used. */
export async function listen(options: ListenOptions): Promise<Listener> {
  try {
    if (options.tls === undefined) return new DenoListener(options);
    // Refuses at start what would fail at the first client.
    const listener = openTls({ ...options, ...(HAS_NODE_TLS ? { port: 0 } : {}) }, options.tls);
    if (!HAS_NODE_TLS) return new DenoListener(options, listener);
    listener.close();
    return await NodeTlsListener.open(options, options.tls);
  } catch (cause) {
    throw listenError(options, cause);
  }
}

const ACCEPT_PAUSE_MS = 50;

// 2.4, on which executables can be built as well, has no server side of TLS over a node:net socket.
const [MAJOR = 0, MINOR = 0] = Deno.version.deno.split(".").map(Number);
const HAS_NODE_TLS = MAJOR > 2 || (MAJOR === 2 && MINOR >= 9);

/** A connection that was accepted and has not done its TLS handshake. */
interface Arrival {
  readonly address: string;
  /** Does the TLS handshake, where there is one. */
  secure(): Promise<Link>;
  close(): void;
}

async function serveOne(arrival: Arrival, service: Service): Promise<void> {
  const place = service.admit(arrival.address);
  if (place === undefined) return arrival.close();
  try {
    const link = await secureInTime(arrival);
    if (link === undefined) service.onHandshakeFailed(arrival.address);
    else await service.onLink(link, place);
  } catch (error) {
    service.onFault(error);
  } finally {
    arrival.close();
    place.release();
  }
}

async function secureInTime(arrival: Arrival): Promise<Link | undefined> {
  // Accepting ends before the TLS handshake: the deadline is ours.
  const timer = setTimeout(() => arrival.close(), HANDSHAKE_DEADLINE_MS);
  try {
    return await arrival.secure();
  } catch {
    return undefined;
  } finally {
    clearTimeout(timer);
  }
}

// Refuses at once what would fail at the first client.
function refuseUnusable(tls: TlsFiles): void {
  const options = { host: "127.0.0.1", port: 0, tls };
  try {
    openTls(options, tls).close();
  } catch (cause) {
    throw listenError(options, cause);
  }
}

function openTls({ host: hostname, port }: ListenOptions, { cert, key }: TlsFiles): DenoTls {
  return Deno.listenTls({ hostname, port, cert, key });
}

type DenoTls = Deno.TlsListener;

class DenoListener implements Listener {
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
      void serveOne(new DenoLink(conn), service);
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
class DenoLink implements Arrival, Link {
  readonly address: string;
  readonly since = performance.now();
  readonly #conn: Deno.TcpConn | Deno.TlsConn;
  readonly #buffer = new ReadBuffer();

  constructor(conn: Deno.TcpConn | Deno.TlsConn) {
    this.#conn = conn;
    this.address = (conn.remoteAddr as Deno.NetAddr).hostname;
  }

  async secure(): Promise<Link> {
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

class NodeTlsListener implements Listener {
  readonly tls = true;
  readonly address: { readonly hostname: string; readonly port: number };
  readonly #closed = Promise.withResolvers<void>();
  #server: Server;
  #secureContext: SecureContext;
  #open = true;

  private constructor(server: Server, files: TlsFiles) {
    const { address, port } = server.address() as { address: string; port: number };
    this.address = { hostname: address, port };
    this.#server = server;
    this.#secureContext = createSecureContext(files);
  }

  static async open({ host, port }: ListenOptions, files: TlsFiles): Promise<NodeTlsListener> {
    return new NodeTlsListener(await openServer(host, port), files);
  }

  async serve(service: Service): Promise<void> {
    this.#accept(service);
    await this.#closed.promise;
  }

  renew(tls: TlsFiles): void {
    refuseUnusable(tls);
    this.#secureContext = createSecureContext(tls);
  }

  close(): void {
    this.#open = false;
    this.#server.close();
    this.#closed.resolve();
  }

  #accept(service: Service): void {
    const server = this.#server;
    server.on("error", () => {});
    server.on("connection", (socket: Socket) => {
      const { remoteAddress: address } = socket;
      if (address === undefined || !handlesLeft()) {
        socket.destroy();
        if (address !== undefined && server === this.#server) {
          void this.#reopen(service);
        }
        return;
      }
      void serveOne(new NodeTlsLink(socket, address, this.#secureContext), service);
    });
  }

  // An accept that found no handle ends node:net's loop without a word: only a new listener accepts again.
  async #reopen(service: Service): Promise<void> {
    const exhausted = this.#server;
    this.#server = new Server();
    const { hostname, port } = this.address;
    while (this.#open) {
      await new Promise((resolve) => setTimeout(resolve, ACCEPT_PAUSE_MS));
      if (!handlesLeft()) continue;
      exhausted.close();
      const server = await openServer(hostname, port).catch(() => undefined);
      if (server === undefined) continue;
      if (!this.#open) return void server.close();
      this.#server = server;
      return this.#accept(service);
    }
    exhausted.close();
  }
}

async function openServer(host: string, port: number): Promise<Server> {
  const server = new Server();
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen({ host, port }, resolve);
  });
  return server;
}

class NodeTlsLink implements Arrival, Link {
  readonly address: string;
  readonly since = performance.now();
  readonly #raw: Socket;
  readonly #socket: TLSSocket;
  #secured = false;
  #ended = false;
  #failure: unknown;
  #wake: (() => void) | undefined;

  constructor(raw: Socket, address: string, secureContext: SecureContext) {
    this.address = address;
    this.#raw = raw;
    raw.setNoDelay(true);
    raw.on("close", () => this.#end());
    raw.on("error", (error) => this.#end(error));
    this.#socket = new TLSSocket(raw, { isServer: true, secureContext });
    this.#socket.on("secure", () => {
      this.#secured = true;
      this.#wake?.();
    });
    this.#socket.on("readable", () => this.#wake?.());
    this.#socket.on("end", () => this.#end());
    this.#socket.on("error", (error) => this.#end(error));
  }

  async secure(): Promise<Link> {
    while (!this.#secured && !this.#ended) {
      await new Promise<void>((resolve) => this.#wake = resolve);
    }
    if (!this.#secured) throw lost(this.#failure);
    return this;
  }

  async read(): Promise<Uint8Array | null> {
    for (;;) {
      const chunk: Uint8Array | null = this.#socket.read();
      if (chunk !== null) return chunk;
      if (this.#failure !== undefined) throw lost(this.#failure);
      if (this.#ended) return null;
      await new Promise<void>((resolve) => this.#wake = resolve);
    }
  }

  write(bytes: Uint8Array): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#socket.write(bytes, (error) => error ? reject(lost(error)) : resolve());
    });
  }

  close(): void {
    if (this.#raw.destroyed) return;
    // Says goodbye where nothing waits before it, so that the peer can tell an end from a cut.
    if (this.#secured) this.#socket.end();
    this.#raw.destroy();
    this.#end();
  }

  #end(error?: unknown): void {
    this.#failure ??= error;
    this.#ended = true;
    this.#wake?.();
  }
}

function throwLost(cause: unknown): never {
  throw lost(cause);
}

function lost(cause: unknown): LinkLost {
  return new LinkLost("The link to the peer is gone", { cause });
}
