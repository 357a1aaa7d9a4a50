// A v1 client for tests, written from docs/PROTOCOL.md alone: it shares no line with shared/channel/envelope_v1.ts, so that
// a fault there cannot hide behind the same fault here. It sends any bytes, holds its reads, and waits with a bound.

import { startOwnTimer } from "../system/own_time.ts";
import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";

/** What a payload inside the session looks like before anybody checked it. */
export type Payload = Record<string, unknown> & { readonly type: string };

/** Where to connect. */
export interface PeerAddress {
  readonly port: number;
  readonly hostname?: string;
  /** PEM of the certificate to trust; given = TLS. */
  readonly caCert?: string | undefined;
}

/** Who to be. */
export interface PeerOptions extends PeerAddress {
  readonly name?: string;
  readonly room?: string;
  readonly token?: string | null;
  /** Fields over those of the ordinary handshake; undefined leaves one out. */
  readonly handshake?: Record<string, unknown>;
  /** Answer pings; true unless given. */
  readonly pong?: boolean;
  /** Read and drop everything, unopened: a member that costs a test next to nothing. */
  readonly drop?: boolean;
}

/** Longest that any wait of a peer takes, unless told otherwise, in milliseconds. */
export const WAIT_MS = 20_000;

const DROPPED = new Uint8Array(65_536);
const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true });

/** `promise`, or an error that says what did not come within `ms` in which this process ran. */
export async function within<T>(promise: Promise<T>, what: string, ms = WAIT_MS): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = startOwnTimer(
    ms,
    () => late.reject(new Error(`${what} did not come within ${ms} ms`)),
  );
  try {
    return await Promise.race([promise, late.promise]);
  } finally {
    timer.stop();
  }
}

/** The length and the bytes of one frame. */
export function frameOf(body: Uint8Array | string | object): Uint8Array<ArrayBuffer> {
  const bytes = body instanceof Uint8Array
    ? body
    : encoder.encode(typeof body === "string" ? body : JSON.stringify(body));
  const frame = new Uint8Array(4 + bytes.length);
  frame[0] = bytes.length >>> 24;
  frame[1] = bytes.length >>> 16;
  frame[2] = bytes.length >>> 8;
  frame[3] = bytes.length;
  frame.set(bytes, 4);
  return frame;
}

/** A connection without any protocol: bytes out, frames or bytes in. */
export class RawPeer implements AsyncDisposable {
  readonly conn: Deno.Conn;
  #received = new Uint8Array();
  #ended = false;

  constructor(conn: Deno.Conn) {
    this.conn = conn;
  }

  /** Connects, over TLS where a certificate is given. */
  static async connect(address: PeerAddress): Promise<RawPeer> {
    const { port, hostname = "127.0.0.1", caCert } = address;
    if (caCert === undefined) return new RawPeer(await Deno.connect({ hostname, port }));
    const conn = await Deno.connectTls({ hostname, port, caCerts: [caCert] });
    await conn.handshake();
    return new RawPeer(conn);
  }

  /** Writes all of `bytes`, as they are. */
  async write(bytes: Uint8Array | string): Promise<void> {
    const all = typeof bytes === "string" ? encoder.encode(bytes) : bytes;
    for (let at = 0; at < all.length;) at += await this.conn.write(all.subarray(at));
  }

  /** The body of the next frame; undefined when the link ended. */
  async frame(ms = WAIT_MS): Promise<Uint8Array | undefined> {
    if (!await this.#have(4, ms)) return undefined;
    const view = new DataView(this.#received.buffer, this.#received.byteOffset);
    const length = view.getUint32(0);
    if (!await this.#have(4 + length, ms)) return undefined;
    const body = this.#received.slice(4, 4 + length);
    this.#received = this.#received.subarray(4 + length);
    return body;
  }

  /** The next frame as JSON; undefined when the link ended. */
  async json(ms = WAIT_MS): Promise<Record<string, unknown> | undefined> {
    const body = await this.frame(ms);
    return body === undefined ? undefined : JSON.parse(decoder.decode(body));
  }

  /** Everything that still comes until the other side closes, which it must within `ms`. */
  async rest(ms = WAIT_MS): Promise<Uint8Array> {
    await within(
      (async () => {
        while (await this.#more());
      })(),
      "the end of the connection",
      ms,
    );
    return this.#received;
  }

  /** Ends the connection at once. */
  close(): void {
    try {
      this.conn.close();
    } catch (error) {
      if (!(error instanceof Deno.errors.BadResource)) throw error;
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.close();
    return Promise.resolve();
  }

  async #have(count: number, ms: number): Promise<boolean> {
    const filled = async () => {
      while (this.#received.length < count) if (!await this.#more()) return false;
      return true;
    };
    return this.#received.length >= count || await within(filled(), "a frame", ms);
  }

  async #more(): Promise<boolean> {
    if (this.#ended) return false;
    const buffer = new Uint8Array(65_536);
    const count = await this.conn.read(buffer).catch((error) => {
      if (error instanceof Deno.errors.NotConnected) return null;
      if (error instanceof Deno.errors.ConnectionReset) return null;
      if (error instanceof Deno.errors.UnexpectedEof) return null;
      if (error instanceof Deno.errors.BrokenPipe) return null;
      throw error;
    });
    if (count === null) this.#ended = true;
    else {
      const joined = new Uint8Array(this.#received.length + count);
      joined.set(this.#received);
      joined.set(buffer.subarray(0, count), this.#received.length);
      this.#received = joined;
    }
    return count !== null;
  }
}

// One pair for all peers of a run: making one takes up to 230 ms, and nothing here depends on its freshness.
let keyPair: Promise<{ readonly pem: string; readonly privateKey: CryptoKey }> | undefined;

async function makeKeyPair(): Promise<{ readonly pem: string; readonly privateKey: CryptoKey }> {
  const pair = await crypto.subtle.generateKey(
    {
      name: "RSA-OAEP",
      hash: "SHA-256",
      modulusLength: 2048,
      publicExponent: new Uint8Array([1, 0, 1]),
    },
    true,
    ["encrypt", "decrypt"],
  );
  const spki = new Uint8Array(await crypto.subtle.exportKey("spki", pair.publicKey));
  const base64 = btoa(String.fromCharCode(...spki)).replace(/.{64}/g, "$&\n");
  const pem = `-----BEGIN PUBLIC KEY-----\n${base64}\n-----END PUBLIC KEY-----\n`;
  return { pem, privateKey: pair.privateKey };
}

/** The handshake message of a v1 client. */
export async function handshakeOf(
  options: Omit<PeerOptions, "port"> = {},
): Promise<Record<string, unknown>> {
  const { pem } = await (keyPair ??= makeKeyPair());
  return {
    type: "handshake",
    public_key: pem,
    name: options.name ?? "anonymous",
    room: options.room ?? "lobby",
    token: options.token ?? null,
    renderer: "rich",
    buffer_size: 200,
    ...options.handshake,
  };
}

/** One v1 client in its session. */
export class V1Peer implements AsyncDisposable {
  readonly raw: RawPeer;
  /** The server's `handshake_ok`. */
  readonly welcome: Record<string, unknown>;
  /** Resolves when the server has closed the connection. */
  readonly closed: Promise<void>;
  /** Every payload that came, pings as well, in order. */
  readonly history: Payload[] = [];
  readonly #key: Uint8Array;
  readonly #pong: boolean;
  readonly #drop: boolean;
  #next = 0;
  #ended = false;
  #reading: PromiseWithResolvers<void> | undefined;
  #wake = Promise.withResolvers<void>();

  private constructor(
    raw: RawPeer,
    options: { welcome: Record<string, unknown>; key: Uint8Array; from: PeerOptions },
  ) {
    this.raw = raw;
    this.welcome = options.welcome;
    this.#key = options.key;
    this.#pong = options.from.pong ?? true;
    this.#drop = options.from.drop ?? false;
    this.closed = this.#read();
  }

  /** Connects and joins. Throws an Error with the server's reason where it refuses. */
  static async join(options: PeerOptions): Promise<V1Peer> {
    // Keys take seconds on a busy machine, and the server's patience counts from the connection.
    const handshake = frameOf(await handshakeOf(options));
    const raw = await RawPeer.connect(options);
    try {
      await raw.write(handshake);
      const welcome = await raw.json();
      if (welcome?.["type"] !== "handshake_ok") {
        throw new Error(`refused: ${String(welcome?.["reason"] ?? "closed without a word")}`);
      }
      const { privateKey } = await (keyPair as NonNullable<typeof keyPair>);
      const wrapped = Uint8Array.from(
        atob(String(welcome["encrypted_key"])),
        (character) => character.charCodeAt(0),
      );
      const key = await crypto.subtle.decrypt({ name: "RSA-OAEP" }, privateKey, wrapped);
      return new V1Peer(raw, { welcome, key: new Uint8Array(key), from: options });
    } catch (error) {
      raw.close();
      throw error;
    }
  }

  /** Payloads that came and were not asked for yet. */
  get waiting(): readonly Payload[] {
    return this.history.slice(this.#next);
  }

  /** The frame of one payload: nonce, ciphertext and tag in an envelope. */
  seal(payload: unknown): Uint8Array<ArrayBuffer> {
    return this.sealBytes(encoder.encode(JSON.stringify(payload)));
  }

  /** The frame around any bytes, which need not be JSON. */
  sealBytes(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
    const nonce = randomBytes(12);
    const cipher = createCipheriv("aes-256-gcm", this.#key, nonce);
    const parts = [cipher.update(bytes), cipher.final(), cipher.getAuthTag()];
    const ciphertext = btoa(parts.map((part) => part.toString("latin1")).join(""));
    return frameOf({ type: "encrypted", nonce: nonce.toString("base64"), ciphertext });
  }

  /** Sends one payload. */
  send(payload: Payload): Promise<void> {
    return this.raw.write(this.seal(payload));
  }

  /** Sends one chat message. */
  chat(message: string): Promise<void> {
    return this.send({ type: "chat", message });
  }

  /** The next payload that `wanted` takes (a type, or a question); those before it are skipped. */
  async next(
    wanted: string | ((payload: Payload) => boolean),
    ms = WAIT_MS,
  ): Promise<Payload> {
    const fits = typeof wanted === "string"
      ? (payload: Payload) => payload.type === wanted
      : wanted;
    return await within(this.#find(fits), `a payload for ${this.#label(wanted)}`, ms);
  }

  /** The next system line whose text `pattern` matches. */
  system(pattern: RegExp, ms = WAIT_MS): Promise<Payload> {
    return this.next((p) => p.type === "system" && pattern.test(String(p["message"])), ms);
  }

  /** The next chat message with this text. */
  hears(message: string, ms = WAIT_MS): Promise<Payload> {
    return this.next((p) => p.type === "chat" && p["message"] === message, ms);
  }

  /** Everything that came before the echo of a message of its own: what was sent earlier has been dealt with. */
  async settled(): Promise<Payload[]> {
    const from = this.#next;
    const marker = `marker ${crypto.randomUUID()}`;
    await this.chat(marker);
    await this.hears(marker);
    return this.history.slice(from, this.#next - 1);
  }

  /** Stops to read from the socket, after at most one more read. */
  hold(): void {
    this.#reading ??= Promise.withResolvers();
  }

  /** Reads on. */
  resume(): void {
    this.#reading?.resolve();
    this.#reading = undefined;
  }

  /** Ends the connection at once, without a word. */
  close(): void {
    this.resume();
    this.raw.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
    await this.closed;
  }

  async #find(fits: (payload: Payload) => boolean): Promise<Payload> {
    for (;;) {
      while (this.#next < this.history.length) {
        const payload = this.history[this.#next++] as Payload;
        if (fits(payload)) return payload;
      }
      if (this.#ended) throw new Error("the connection ended before the payload came");
      await this.#wake.promise;
    }
  }

  #label(wanted: unknown): string {
    const last = this.history.slice(-3).map((payload) => JSON.stringify(payload).slice(0, 200));
    return `${String(wanted)} (last: ${last.join(" ") || "nothing"})`;
  }

  async #read(): Promise<void> {
    try {
      for (;;) {
        await this.#reading?.promise;
        if (this.#drop) {
          if (await this.raw.conn.read(DROPPED) === null) break;
          continue;
        }
        const body = await this.raw.frame(2 ** 31 - 1);
        if (body === undefined) break;
        await this.#take(this.#open(body));
      }
    } catch (error) {
      // Closed by this side: reads end so.
      const ours = error instanceof Deno.errors.BadResource ||
        error instanceof Deno.errors.Interrupted;
      if (!ours) throw error;
    } finally {
      this.#ended = true;
      this.#announce();
    }
  }

  async #take(payload: Payload): Promise<void> {
    this.history.push(payload);
    this.#announce();
    if (payload.type !== "ping" || !this.#pong) return;
    // A server that closes meanwhile is noticed by the next read.
    await this.send({ type: "pong" }).catch(() => {});
  }

  #announce(): void {
    this.#wake.resolve();
    this.#wake = Promise.withResolvers();
  }

  #open(body: Uint8Array): Payload {
    const envelope = JSON.parse(decoder.decode(body));
    if (envelope.type !== "encrypted") throw new Error(`not an envelope: ${envelope.type}`);
    const bytes = (text: string) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
    const sealed = bytes(envelope.ciphertext);
    const decipher = createDecipheriv("aes-256-gcm", this.#key, bytes(envelope.nonce));
    decipher.setAuthTag(sealed.subarray(-16));
    const plain = decipher.update(sealed.subarray(0, -16));
    decipher.final();
    return JSON.parse(decoder.decode(plain));
  }
}
