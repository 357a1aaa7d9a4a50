// TLS on node:tls. Deno's own TlsConn cannot be closed while its handshake is unfinished, or a write to a peer that does
// not read: rustls-tokio-stream finishes both in the background, and the peer alone decides how long the socket stays
// open.

import { Buffer } from "node:buffer";
import { Server, type Socket } from "node:net";
import { concatBytes, releaseBytes } from "../../shared/base/bytes.ts";
import { mendTlsReading } from "../../shared/base/node_tls_reading.ts";
import { createSecureContext, type SecureContext, TLSSocket } from "node:tls";
import { LISTEN_BACKLOG } from "../config/limits.ts";
import type { TlsFiles } from "../config/tls_files.ts";
import { ACCEPT_PAUSE_MS, checkTlsFiles } from "./deno_listener.ts";
import { fileHandlesLeft } from "./file_handles.ts";
import {
  type Arrival,
  type Handshaking,
  type Listener,
  type ListenOptions,
  serveOne,
  type Service,
} from "./listener.ts";
import type { ConnectionSlot } from "../limits/connection_slots.ts";
import { type Connection, lost } from "./connection.ts";

/** Accepts with node:net, and does TLS with node:tls. */
export class NodeTlsListener implements Listener {
  readonly tls = true;
  readonly address: { readonly hostname: string; readonly port: number };
  readonly #closed = Promise.withResolvers<void>();
  #server: Server;
  #secureContext: SecureContext;
  #open = true;
  #isReopening = false;

  private constructor(server: Server, files: TlsFiles) {
    const { address, port } = server.address() as { address: string; port: number };
    this.address = { hostname: address, port };
    this.#server = server;
    this.#secureContext = createSecureContext(files);
  }

  /** Starts to listen. Throws what the system reports. */
  static async open({ host, port }: ListenOptions, files: TlsFiles): Promise<NodeTlsListener> {
    return new NodeTlsListener(await openServer(host, port), files);
  }

  get isAccepting(): boolean {
    return this.#open && !this.#isReopening;
  }

  async serve(service: Service): Promise<void> {
    this.#accept(service);
    await this.#closed.promise;
  }

  renew(tls: TlsFiles): void {
    checkTlsFiles(tls);
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
      if (address === undefined || !fileHandlesLeft()) {
        socket.destroy();
        if (address !== undefined && server === this.#server) {
          void this.#reopen(service);
        }
        return;
      }
      serveOne(new NodeTlsConnection(socket, address, this.#secureContext), service);
    });
  }

  // An accept that finds no file descriptor ends node:net's loop silently: only a new listener accepts again.
  async #reopen(service: Service): Promise<void> {
    this.#isReopening = true;
    const exhausted = this.#server;
    this.#server = new Server();
    const { hostname, port } = this.address;
    while (this.#open) {
      await new Promise((resolve) => setTimeout(resolve, ACCEPT_PAUSE_MS));
      if (!fileHandlesLeft()) continue;
      exhausted.close();
      const server = await openServer(hostname, port).catch(() => undefined);
      if (server === undefined) continue;
      if (!this.#open) return void server.close();
      this.#server = server;
      this.#isReopening = false;
      return this.#accept(service);
    }
    exhausted.close();
  }
}

async function openServer(host: string, port: number): Promise<Server> {
  const server = new Server();
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen({ host, port, backlog: LISTEN_BACKLOG }, resolve);
  });
  return server;
}

const NOTHING = new Uint8Array();

/** The server's part of a TLS handshake takes some milliseconds; after this time there will be none. */
const ANSWER_MS = 50;

/** Events that may let a read of a plain socket go on. */
const CHANGES = ["readable", "end", "close"] as const;

/** A plain socket before TLS takes it over. */
class PlainBytes implements Connection {
  readonly address: string;
  readonly since = performance.now();
  readonly #raw: Socket;
  #wake: (() => void) | undefined;
  readonly #onChange = () => this.#wake?.();
  #isReading = false;

  constructor(raw: Socket, address: string) {
    this.#raw = raw;
    this.address = address;
  }

  async read(): Promise<Uint8Array | null> {
    this.#listen();
    for (;;) {
      const chunk: Uint8Array | null = this.#raw.read();
      if (chunk !== null) return chunk;
      if (this.#raw.readableEnded || this.#raw.destroyed) return null;
      await new Promise<void>((resolve) => this.#wake = resolve);
    }
  }

  write(): Promise<void> {
    return Promise.reject(lost("nothing is written before the TLS handshake"));
  }

  close(): void {
    this.#raw.destroy();
  }

  // Not before the first read: a listener takes bytes out of the socket, where TLS expects them.
  #listen(): void {
    if (this.#isReading) return;
    this.#isReading = true;
    for (const event of CHANGES) this.#raw.on(event, this.#onChange);
  }

  /** Leaves the socket to TLS and gives back bytes that belong to it. */
  giveBack(rest: Uint8Array): void {
    for (const event of CHANGES) this.#raw.off(event, this.#onChange);
    if (rest.length > 0) this.#raw.unshift(Buffer.from(rest));
  }
}

// A TLS record (RFC 8446 §5.1): its type, two bytes of version, two of length.
const RECORD_HEADER_BYTES = 5;
const RECORD_MAX_BYTES = 16_384;
const HANDSHAKE_RECORD = 22;

function isPartOfRecord(bytes: Uint8Array): boolean {
  const [type = HANDSHAKE_RECORD, , , high = 0, low = 0] = bytes;
  // TLS itself refuses a record that is not a handshake or claims too much.
  const length = high << 8 | low;
  if (type !== HANDSHAKE_RECORD || length > RECORD_MAX_BYTES) return false;
  return bytes.length < RECORD_HEADER_BYTES + length;
}

/** The first record of a client, whose first bytes are `start`; less where the client ends before. */
async function readFirstRecord(plain: Connection, start: Uint8Array): Promise<Uint8Array> {
  let first = start;
  while (isPartOfRecord(first)) {
    const more = await plain.read();
    if (more === null) break;
    first = concatBytes([first, more]);
  }
  return first;
}

class NodeTlsConnection implements Arrival, Connection {
  readonly since = performance.now();
  readonly #raw: Socket;
  readonly #secureContext: SecureContext;
  #address: string;
  // Counted from the handshake; nothing is read or written before it.
  #socket!: TLSSocket;
  #secured = false;
  #ended = false;
  #failure: unknown;
  #wake: (() => void) | undefined;
  #lastRead: Uint8Array | undefined;

  constructor(raw: Socket, address: string, secureContext: SecureContext) {
    this.#address = address;
    this.#raw = raw;
    this.#secureContext = secureContext;
    raw.setNoDelay(true);
    raw.on("close", () => this.#end());
    raw.on("error", (error) => this.#end(error));
  }

  get address(): string {
    return this.#address;
  }

  #startTls(): TLSSocket {
    const socket = new TLSSocket(this.#raw, {
      isServer: true,
      secureContext: this.#secureContext,
    });
    mendTlsReading(socket, this.#raw);
    socket.on("secure", () => {
      this.#secured = true;
      this.#wake?.();
    });
    socket.on("readable", () => this.#wake?.());
    socket.on("end", () => this.#end());
    socket.on("error", (error) => this.#end(error));
    // After the handshake node:tls tells only tls.Server that the peer broke TLS, goes on to read TCP, and keeps all of
    // it in memory. There is no tls.Server here.
    socket.on("_tlsError", (error) => this.#break(error));
    return socket;
  }

  async secure({ beforeTls, inTurn }: Handshaking, slot: ConnectionSlot): Promise<Connection> {
    const plain = new PlainBytes(this.#raw, this.#address);
    const reading = beforeTls?.(plain, slot);
    const before = reading === undefined ? undefined : await reading;
    if (before !== undefined) this.#address = before.address;
    // A turn is for work that is ready: half a hello is not, and must not delay neighbors of the same source.
    const first = await readFirstRecord(plain, before?.rest ?? NOTHING);
    if (inTurn === undefined) await this.#answer(plain, first);
    else await inTurn(this.#address, () => this.#answer(plain, first));
    while (!this.#secured && !this.#ended) await this.#change();
    if (!this.#secured) throw lost(this.#failure);
    return this;
  }

  /** Begins TLS with the client's first bytes and computes the answer, the costly part of a handshake. */
  async #answer(plain: PlainBytes, first: Uint8Array): Promise<void> {
    plain.giveBack(first);
    if (this.#ended) return;
    this.#socket = this.#startTls();
    // The client's next message may come late, or never.
    const until = performance.now() + ANSWER_MS;
    while (!this.#secured && !this.#ended && performance.now() < until) {
      if (this.#raw.bytesWritten > 0) break;
      await new Promise<void>((resolve) => void setImmediate(resolve));
    }
  }

  #change(): Promise<void> {
    return new Promise((resolve) => this.#wake = resolve);
  }

  async read(): Promise<Uint8Array | null> {
    // node:tls makes a buffer for each read, which was used up before this call.
    if (this.#lastRead !== undefined) releaseBytes(this.#lastRead);
    this.#lastRead = undefined;
    for (;;) {
      const chunk: Uint8Array | null = this.#socket.read();
      if (chunk !== null) return this.#lastRead = chunk;
      if (this.#failure !== undefined) throw lost(this.#failure);
      if (this.#ended) return null;
      await this.#change();
    }
  }

  write(bytes: Uint8Array): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#socket.write(bytes, (error) => error ? reject(lost(error)) : resolve());
    });
  }

  close(): void {
    if (this.#raw.destroyed) return;
    // Sends TLS's close_notify where nothing waits before it, so that the peer can tell an end from a cut.
    if (this.#secured) this.#socket.end();
    this.#raw.destroy();
    this.#end();
  }

  #break(error: unknown): void {
    this.#end(error);
    this.#raw.destroy();
  }

  #end(error?: unknown): void {
    this.#failure ??= error;
    this.#ended = true;
    this.#wake?.();
  }
}
