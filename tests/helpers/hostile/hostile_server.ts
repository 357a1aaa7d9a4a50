// A server with real sockets and sessions whose sealed rooms are those of TestRelay: it can be made to do all that a
// server can do to a sealed room. Clients are what they are for users.

import { generateIdentity } from "../../../shared/crypto/identity.ts";
import { encodeFrame, FrameReader } from "../../../shared/channel/frame.ts";
import { ServerHandshake } from "../../../shared/channel/handshake.ts";
import type { Event, Request } from "../../../shared/messages/messages_v2.ts";
import { isSealedRequest } from "../../../shared/messages/sealed_kinds.ts";
import { BatchReader, frameBody, packBatches } from "../../../shared/channel/record_batch.ts";
import { RecordCipher } from "../../../shared/channel/record_cipher.ts";
import { decodeRequest, encodeEvent } from "../../../shared/messages/codec_v2.ts";
import { type Connection, TestRelay } from "../peers/sealed_relay.ts";

/** A client of the hostile server, in the order in which they came. */
export class HostileLink implements Connection {
  handle = "";
  handleBytes: Uint8Array = new Uint8Array();
  isOnline = true;
  isMember = false;
  readonly inbox = { push: (event: Event) => this.send(event) };
  readonly #conn: Deno.Conn;
  readonly #cipher: RecordCipher;
  #writing: Promise<unknown> = Promise.resolve();

  constructor(conn: Deno.Conn, cipher: RecordCipher) {
    this.#conn = conn;
    this.#cipher = cipher;
  }

  /** Sends what the server says. */
  send(...events: Event[]): void {
    const batches = packBatches(events.map((event) => frameBody(encodeEvent(event))));
    for (const parts of batches) this.#write(this.#cipher.seal(parts));
  }

  /** Resolves when the system took all that was sent. */
  async written(): Promise<void> {
    await this.#writing;
  }

  /** Breaks the link. */
  cut(): void {
    try {
      this.#conn.close();
    } catch (error) {
      if (!(error instanceof Deno.errors.BadResource)) throw error;
    }
  }

  #write(bytes: Uint8Array): void {
    this.#writing = this.#writing.then(async () => {
      for (let at = 0; at < bytes.length;) at += await this.#conn.write(bytes.subarray(at));
    }).catch(() => {}); // The client has gone.
  }
}

/** The server; its relay is TestRelay's, its lies are the test's. */
export class HostileServer implements AsyncDisposable {
  readonly relay = new TestRelay();
  readonly links: HostileLink[] = [];
  /** Asked before a request is carried out; false = the server did it otherwise, or not at all. */
  onRequest: (link: HostileLink, request: Request) => boolean = () => true;
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #done: Promise<void>;

  private constructor(handshakes: ServerHandshake) {
    this.#done = this.#serve(handshakes);
  }

  /** Starts to listen. */
  static async start(): Promise<HostileServer> {
    return new HostileServer(new ServerHandshake(await generateIdentity()));
  }

  get port(): number {
    return (this.#listener.addr as Deno.NetAddr).port;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    for (const link of this.links) link.cut();
    await this.#done;
  }

  async #serve(handshakes: ServerHandshake): Promise<void> {
    const running: Promise<void>[] = [];
    for await (const conn of this.#listener) running.push(this.#link(conn, handshakes));
    await Promise.all(running);
  }

  async #link(conn: Deno.Conn, handshakes: ServerHandshake): Promise<void> {
    const frames = framesOf(conn);
    const { value: first } = await frames.next();
    if (first === undefined) return conn.close();
    const { answer, keys } = await handshakes.receive(first);
    const cipher = new RecordCipher(keys, { role: "server", now: () => performance.now() });
    const batches = new BatchReader();
    const link = new HostileLink(conn, cipher);
    await conn.write(encodeFrame(answer));
    this.links.push(link);
    this.relay.connections.push(link);
    for await (const frame of frames) {
      for (const body of batches.push(cipher.open(frame))) this.#take(link, decodeRequest(body));
    }
    this.relay.drop(link);
    link.cut();
  }

  #take(link: HostileLink, request: Request): void {
    if (!this.onRequest(link, request)) return;
    if (isSealedRequest(request)) return this.relay.take(link, request);
    if (request.kind === "hello") return link.send(welcome(this.links.length));
    if (request.kind === "ping") return link.send({ kind: "pong" });
    if ("id" in request) link.send({ kind: "done", id: request.id });
  }
}

/** Its answer to a hello. */
export function welcome(client: number, rooms = 0): Event {
  return {
    kind: "welcome",
    client,
    resumed: false,
    rooms,
    messageLimit: 4_096,
    session: new Uint8Array(16),
    secret: new Uint8Array(32),
    fileLimit: 10_000_000,
    rateMessages: 0,
    rateSeconds: 0,
    hold: 60,
    page: false,
  };
}

async function* framesOf(conn: Deno.Conn): AsyncGenerator<Uint8Array, void> {
  const reader = new FrameReader();
  const buffer = new Uint8Array(65_536);
  try {
    for (let n = await conn.read(buffer); n !== null; n = await conn.read(buffer)) {
      // A view into the buffer, which the next read would overwrite.
      for (const frame of reader.push(buffer.subarray(0, n))) yield frame.slice();
    }
  } catch {
    return; // The client, or the test, has cut the link.
  }
}
