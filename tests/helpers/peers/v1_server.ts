// A v1 server that does what a test tells it, over real sockets and with its own cryptography: one client at a time.
import { Buffer } from "node:buffer";
import {
  constants,
  createCipheriv,
  createDecipheriv,
  publicEncrypt,
  randomBytes,
} from "node:crypto";
import { frameOf, type Payload, within } from "./v1_peer.ts";

/** How the server behaves. */
export interface V1ServerOptions {
  /** PEM texts; given = TLS. */
  readonly tls?: { readonly cert: string; readonly key: string };
  /** Fields over those of the ordinary handshake_ok. */
  readonly welcome?: Record<string, unknown>;
  /** What is sent instead of handshake_ok; undefined = the ordinary answer. */
  readonly answer?: (handshake: Record<string, unknown>) => object | Uint8Array | undefined;
}

const decoder = new TextDecoder();

/** A listening server; `join` gives the clients in turn. */
export class V1Server implements AsyncDisposable {
  readonly #listener: Deno.Listener<Deno.TcpConn | Deno.TlsConn>;
  readonly #options: V1ServerOptions;
  readonly #links: V1Link[] = [];
  #accepting = true;

  constructor(options: V1ServerOptions = {}) {
    const where = { hostname: "127.0.0.1", port: 0 };
    const { tls } = options;
    this.#options = options;
    this.#listener = tls ? Deno.listenTls({ ...where, ...tls }) : Deno.listen(where);
  }

  get port(): number {
    return (this.#listener.addr as Deno.NetAddr).port;
  }

  /** The next client that connects, its handshake answered. */
  async join(): Promise<V1Link> {
    const conn = await within(this.#listener.accept(), "a client");
    const link = new V1Link(conn);
    this.#links.push(link);
    await link.welcome(this.#options);
    return link;
  }

  /** No more clients. */
  close(): void {
    if (this.#accepting) this.#listener.close();
    this.#accepting = false;
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.close();
    for (const link of this.#links) link.close();
    return Promise.resolve();
  }
}

/** One client as the server sees it. */
export class V1Link {
  /** What the client said first. */
  handshake: Record<string, unknown> = {};
  readonly #conn: Deno.Conn;
  readonly #key = randomBytes(32);
  #received = new Uint8Array();
  #closed = false;

  constructor(conn: Deno.Conn) {
    this.#conn = conn;
  }

  /** Reads the handshake and answers it. */
  async welcome({ answer, welcome }: V1ServerOptions): Promise<void> {
    this.handshake = JSON.parse(decoder.decode(await this.#frame()));
    const other = answer?.(this.handshake);
    if (other !== undefined) {
      return await this.write(other instanceof Uint8Array ? other : frameOf(other));
    }
    const wrapped = publicEncrypt(
      {
        key: String(this.handshake["public_key"]),
        padding: constants.RSA_PKCS1_OAEP_PADDING,
        oaepHash: "sha256",
      },
      this.#key,
    );
    await this.write(frameOf({
      type: "handshake_ok",
      client_id: 7,
      room: this.handshake["room"],
      renderer: "rich",
      buffer_size: 200,
      heartbeat_interval: 15.0,
      nonce_size: 12,
      encrypted_key: wrapped.toString("base64"),
      ...welcome,
    }));
  }

  /** The next payload of the client. */
  async receive(): Promise<Payload> {
    const { nonce, ciphertext } = JSON.parse(decoder.decode(await this.#frame()));
    const sealed = Buffer.from(ciphertext, "base64");
    const decipher = createDecipheriv("aes-256-gcm", this.#key, Buffer.from(nonce, "base64"));
    decipher.setAuthTag(sealed.subarray(-16));
    const plain = Buffer.concat([decipher.update(sealed.subarray(0, -16)), decipher.final()]);
    return JSON.parse(plain.toString());
  }

  /** Sends a payload. */
  send(payload: Record<string, unknown>): Promise<void> {
    return this.write(this.seal(payload));
  }

  /** A chat message to the client; from itself unless told. */
  chat(message: string, fields: Record<string, unknown> = {}): Promise<void> {
    return this.send({ type: "chat", message, ...STAMP, sender: "alice", sequence: 1, ...fields });
  }

  /** A system line to the client. */
  system(message: string, fields: Record<string, unknown> = {}): Promise<void> {
    return this.send({ type: "system", message, ...STAMP, ...fields });
  }

  /** The frame of a payload. */
  seal(payload: unknown): Uint8Array<ArrayBuffer> {
    const nonce = randomBytes(12);
    const cipher = createCipheriv("aes-256-gcm", this.#key, nonce);
    const sealed = Buffer.concat([
      cipher.update(JSON.stringify(payload), "utf8"),
      cipher.final(),
      cipher.getAuthTag(),
    ]);
    return frameOf({
      type: "encrypted",
      nonce: nonce.toString("base64"),
      ciphertext: sealed.toString("base64"),
    });
  }

  /** Any bytes to the client. */
  async write(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length;) at += await this.#conn.write(bytes.subarray(at));
  }

  /** Ends the connection. */
  close(): void {
    if (!this.#closed) this.#conn.close();
    this.#closed = true;
  }

  async #frame(): Promise<Uint8Array> {
    const head = await this.#take(4);
    return await this.#take(new DataView(head.buffer, head.byteOffset).getUint32(0));
  }

  async #take(count: number): Promise<Uint8Array> {
    const buffer = new Uint8Array(65_536);
    while (this.#received.length < count) {
      const read = await within(this.#conn.read(buffer), "bytes of the client");
      if (read === null) throw new Error("the client closed the connection");
      const joined = new Uint8Array(this.#received.length + read);
      joined.set(this.#received);
      joined.set(buffer.subarray(0, read), this.#received.length);
      this.#received = joined;
    }
    const taken = this.#received.slice(0, count);
    this.#received = this.#received.slice(count);
    return taken;
  }
}

/** Fields that the server adds; client 7 is the one that is tested. */
const STAMP = { client_id: 7, room: "lobby", timestamp: "2026-11-23T18:00:00.123456Z" };
