// A v2 client for tests: the shared state machines over a real socket, each event awaited with a bound.

import { generateRsaKeyPair, type RsaKeyPair } from "../../../shared/crypto/rsa.ts";
import type { Fingerprint } from "../../../shared/crypto/fingerprint.ts";
import { encodeFrame, FrameReader } from "../../../shared/channel/frame.ts";
import { ClientHandshake } from "../../../shared/channel/handshake.ts";
import type { Event, EventOf, Request, RequestOf } from "../../../shared/messages/messages_v2.ts";
import { BatchReader, frameBody, packBatches } from "../../../shared/channel/record_batch.ts";
import { RecordCipher } from "../../../shared/channel/record_cipher.ts";
import { decodeEvent, encodeRequest } from "../../../shared/messages/codec_v2.ts";
import { builtOnce } from "../repo/built_once.ts";
import { startOwnTimer } from "../system/own_time.ts";

const WAIT_MS = 20_000;
const RSA_OAEP = { name: "RSA-OAEP", hash: "SHA-256" } as const;

/** Where a peer goes, and as whom. */
export interface V2PeerOptions {
  readonly port: number;
  readonly tlsCa?: string;
  /** Where the server is; this machine unless told. */
  readonly hostname?: string;
  /** What the connection is made before anything is sent, such as overWebSocket(). */
  readonly over?: (conn: Deno.Conn) => Promise<Deno.Conn>;
  readonly hello?: Partial<RequestOf<"hello">>;
  /** Rooms to be in, for a hello without them; the lobby unless told. */
  readonly rooms?: readonly string[];
  readonly expected?: Fingerprint;
  /** Called with each event as it comes. */
  readonly onEvent?: (event: Event) => void;
}

let sharedRsa: Promise<RsaKeyPair> | undefined;

/** One RSA pair for all test peers of a run: making one costs 0.2 s of processor time, and no test is about it. */
export function testRsa(): Promise<RsaKeyPair> {
  return sharedRsa ??= keptRsa();
}

async function keptRsa(): Promise<RsaKeyPair> {
  const kept = await builtOnce("rsa.json", writeRsa);
  if (kept === undefined) return await generateRsaKeyPair();
  const jwks: { readonly publicKey: JsonWebKey; readonly privateKey: JsonWebKey } = JSON.parse(
    await Deno.readTextFile(kept),
  );
  const take = (jwk: JsonWebKey) =>
    crypto.subtle.importKey("jwk", jwk, RSA_OAEP, true, jwk.key_ops as KeyUsage[]);
  return { publicKey: await take(jwks.publicKey), privateKey: await take(jwks.privateKey) };
}

async function writeRsa(path: string): Promise<void> {
  const { publicKey, privateKey } = await generateRsaKeyPair();
  const give = (key: CryptoKey) => crypto.subtle.exportKey("jwk", key);
  const jwks = { publicKey: await give(publicKey), privateKey: await give(privateKey) };
  await Deno.writeTextFile(path, JSON.stringify(jwks));
}

/** A connected v2 client. */
export class V2Peer implements AsyncDisposable {
  readonly conn: Deno.Conn;
  readonly cipher: RecordCipher;
  readonly events: Event[] = [];
  /** Resolves when the link has ended. */
  readonly ended: Promise<void>;
  readonly fingerprint: Fingerprint;
  /** What proofs inside this session are over. */
  readonly challenge: Uint8Array;
  #next = 1;
  #change = Promise.withResolvers<void>();
  #over = false;

  readonly #onEvent: ((event: Event) => void) | undefined;

  private constructor(
    conn: Deno.Conn,
    session: { cipher: RecordCipher; fingerprint: Fingerprint; challenge: Uint8Array },
    onEvent?: (event: Event) => void,
  ) {
    this.#onEvent = onEvent;
    this.conn = conn;
    this.cipher = session.cipher;
    this.fingerprint = session.fingerprint;
    this.challenge = session.challenge;
    this.ended = this.#read();
  }

  /** Connects, agrees on keys and says hello; the answer is the first of `events`. */
  static async connect(options: V2PeerOptions): Promise<V2Peer> {
    const { port, tlsCa, expected, hostname = "localhost", over } = options;
    // Keys take seconds on a busy machine, and the server's patience counts from the connection.
    const handshake = await ClientHandshake.start({ rsa: await testRsa(), expected });
    const raw = tlsCa === undefined
      ? await Deno.connect({ hostname: options.hostname ?? "127.0.0.1", port })
      : await Deno.connectTls({ hostname, port, caCerts: [tlsCa] });
    const conn = await over?.(raw) ?? raw;
    await writeAll(conn, encodeFrame(handshake.firstMessage));
    const { keys, fingerprint } = await handshake.receive(await readFrame(conn));
    const cipher = new RecordCipher(keys, { role: "client", now: () => performance.now() });
    const peer = new V2Peer(
      conn,
      { cipher, fingerprint, challenge: keys.challenge },
      options.onEvent,
    );
    const rooms = (options.rooms ?? ["lobby"]).map((title): [string, number] => [title, 0]);
    await peer.send({
      kind: "hello",
      name: "anonymous",
      rooms,
      token: null,
      session: null,
      secret: null,
      ...options.hello,
    });
    return peer;
  }

  /** Connects and waits until it is in its rooms. */
  static async join(options: V2PeerOptions): Promise<V2Peer> {
    const peer = await V2Peer.connect(options);
    const { rooms } = await peer.until("welcome");
    const entered = () => peer.events.filter((event) => event.kind === "entered");
    if (rooms > 0) await peer.until("entered", () => entered().length >= rooms);
    return peer;
  }

  /** The first welcome. */
  get welcome(): EventOf<"welcome"> {
    return this.events.find((event) => event.kind === "welcome") as EventOf<"welcome">;
  }

  /** How it came into a room last. */
  entered(title = "lobby"): EventOf<"entered"> {
    const found = this.events.findLast((event) =>
      event.kind === "entered" && event.title === title
    );
    if (found === undefined) throw new Error(`this peer is not in ${title}`);
    return found as EventOf<"entered">;
  }

  /** The number of a room that it is in. */
  room(title = "lobby"): number {
    return this.entered(title).room;
  }

  /** The number of the next request. */
  nextId(): number {
    return this.#next++;
  }

  /** Sends requests as one write of as few records as possible. */
  async send(...requests: Request[]): Promise<void> {
    await writeAll(this.conn, this.seal(...requests));
  }

  /** What `send` would write. */
  seal(...requests: Request[]): Uint8Array {
    const batches = packBatches(requests.map((request) => frameBody(encodeRequest(request))));
    const records = batches.map((parts) => this.cipher.seal(parts));
    return Uint8Array.from(records.flatMap((record) => Array.from(record)));
  }

  /** Says something in a room. Returns the request's number. */
  async say(text: string, title = "lobby"): Promise<number> {
    const id = this.nextId();
    await this.send({ kind: "chat", id, room: this.room(title), text, action: false, reply: 0 });
    return id;
  }

  /** The first event of `kind` that fits, past or to come. */
  until<K extends Event["kind"]>(
    kind: K,
    fits: (event: EventOf<K>) => boolean = () => true,
  ): Promise<EventOf<K>> {
    return this.untilAny(
      (event): event is EventOf<K> => event.kind === kind && fits(event as EventOf<K>),
      kind,
    );
  }

  /** The first event that fits, past or to come. */
  async untilAny<E extends Event>(
    fits: (event: Event) => event is E,
    kind = "event that fits",
  ): Promise<E> {
    let isLate = false;
    const timer = startOwnTimer(WAIT_MS, () => {
      isLate = true;
      this.#wake();
    });
    try {
      for (;;) {
        const found = this.events.find(fits);
        if (found !== undefined) return found;
        if (this.#over || isLate) {
          const seen = this.events.map((event) => event.kind).join(" ");
          throw new Error(
            `no ${kind} ${this.#over ? "before the link ended" : "in time"}; seen: ${seen}`,
          );
        }
        await this.#change.promise;
      }
    } finally {
      timer.stop();
    }
  }

  /** Texts of all chat events so far. */
  get texts(): string[] {
    return this.events.flatMap((event) => event.kind === "chat" ? [event.text] : []);
  }

  /** Cuts the link without a goodbye. */
  cut(): void {
    try {
      this.conn.close();
    } catch (error) {
      if (!(error instanceof Deno.errors.BadResource)) throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cut();
    await this.ended;
  }

  #wake(): void {
    this.#change.resolve();
    this.#change = Promise.withResolvers();
  }

  async #read(): Promise<void> {
    const frames = new FrameReader();
    const batches = new BatchReader();
    const buffer = new Uint8Array(65_536);
    try {
      for (let n = await this.conn.read(buffer); n !== null; n = await this.conn.read(buffer)) {
        for (const frame of frames.push(buffer.subarray(0, n))) {
          for (const body of batches.push(this.cipher.open(frame))) {
            const event = decodeEvent(body);
            this.events.push(event);
            this.#onEvent?.(event);
          }
        }
        this.#wake();
      }
    } catch (error) {
      const gone = [Deno.errors.BadResource, Deno.errors.ConnectionReset, Deno.errors.Interrupted];
      if (!gone.some((kind) => error instanceof kind)) throw error;
    } finally {
      this.#over = true;
      this.#wake();
    }
  }
}

async function writeAll(conn: Deno.Conn, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await conn.write(bytes.subarray(at));
}

async function readFrame(conn: Deno.Conn): Promise<Uint8Array> {
  const reader = new FrameReader();
  const byte = new Uint8Array(1);
  for (;;) {
    if ((await conn.read(byte)) === null) throw new Error("the link ended in the handshake");
    for (const frame of reader.push(byte)) return frame;
  }
}
