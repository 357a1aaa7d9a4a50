// A v2 client as cheap as can be: keys shared by all, records sealed beforehand, bodies opened when asked.

import { supportedAeads } from "../../../shared/crypto/aead.ts";
import { loadKem } from "../../../shared/crypto/kem.ts";
import { generateX25519, x25519 } from "../../../shared/crypto/x25519.ts";
import { encodeFrame, FrameReader } from "../../../shared/channel/frame.ts";
import { OUR_VERSIONS } from "../../../shared/channel/handshake_error.ts";
import {
  decodeServerHello,
  encodeClientHello,
} from "../../../shared/channel/handshake_messages.ts";
import {
  deriveSessionKeys,
  type HandshakeKeys,
  transcriptHash,
} from "../../../shared/channel/key_schedule.ts";
import type { Event, EventOf, Request } from "../../../shared/messages/messages_v2.ts";
import { BatchReader, frameBody, packBatches } from "../../../shared/channel/record_batch.ts";
import { RecordCipher } from "../../../shared/channel/record_cipher.ts";
import { decodeEvent, encodeEvent, encodeRequest } from "../../../shared/messages/codec_v2.ts";
import { HEARTBEAT_TIMEOUT_MS } from "../../../shared/base/limits.ts";
import { makeCheapRsa } from "./cheap_rsa.ts";
import { pause, readFrame, writeAll } from "./load.ts";

const READ_BYTES = 16_384;
// While others come in, a member reads now and then: reading each arrival as it comes would take all the time.
const SETTLE_PAUSE_MS = 100;
// Whoever drops pings unread shows by itself that it is there, before the server misses it.
const SIGN_OF_LIFE_MS = HEARTBEAT_TIMEOUT_MS / 3;
const PING = kindOf(encodeEvent({ kind: "ping" }));
const JOINED = kindOf(encodeEvent({
  kind: "joined",
  room: 1,
  at: 1,
  client: 1,
  name: "",
  time: 0,
  old: false,
}));
const JOINS_AT_ONCE = 8;

/** One set of client keys for all clients of a load: the first message that offers them, and what they make of an answer. */
export interface LoadKeys {
  readonly firstMessage: Uint8Array;
  agree(answer: Uint8Array): Promise<HandshakeKeys>;
}

/** Keys for a load: making them anew for each client, and opening a usual RSA key, would take longer than what is measured. */
export async function makeLoadKeys(): Promise<LoadKeys> {
  const rsa = makeCheapRsa();
  const share = await generateX25519();
  const kem = await (await loadKem()).generate();
  const firstMessage = encodeClientHello({
    versions: OUR_VERSIONS,
    aeads: supportedAeads(),
    rsaPem: rsa.pem,
    x25519: share.publicKey,
    mlkem768: kem.publicKey,
  });
  const clientFrame = encodeFrame(firstMessage);
  return {
    firstMessage,
    // As ClientHandshake.receive(), but for the signature: a load knows its server.
    async agree(answer) {
      const hello = decodeServerHello(answer);
      const secrets = {
        x25519: await x25519(share, hello.x25519),
        mlkem768: await kem.decapsulate(hello.mlkem768),
        rsa: rsa.open(hello.encryptedKey),
      };
      const transcript = transcriptHash(clientFrame, encodeFrame(answer));
      return deriveSessionKeys(hello.aead, { transcript, secrets });
    },
  };
}

/** How a client comes in. */
export interface JoinOptions {
  readonly load: LoadKeys;
  readonly name: string;
  /** The plain room to be in; none where it is left out. */
  readonly room?: string;
}

/** A client in a room. */
export class V2Member {
  readonly conn: Deno.Conn;
  readonly #cipher: RecordCipher;
  readonly #frames = new FrameReader();
  readonly #batches = new BatchReader();
  readonly #buffer = new Uint8Array(READ_BYTES);
  #bodies: Uint8Array[] = [];
  #pings = 0;
  #openingMs = 0;
  /** What proofs inside this session are over. */
  readonly challenge: Uint8Array;
  #welcome: EventOf<"welcome"> | undefined;
  #entered: EventOf<"entered"> | undefined;

  private constructor(conn: Deno.Conn, cipher: RecordCipher, challenge: Uint8Array) {
    this.conn = conn;
    this.#cipher = cipher;
    this.challenge = challenge;
  }

  /** Shakes hands over `conn`, says hello and reads how it came in. */
  static async join(conn: Deno.Conn, { load, name, room }: JoinOptions): Promise<V2Member> {
    await writeAll(conn, encodeFrame(load.firstMessage));
    const keys = await load.agree(await readFrame(conn));
    const cipher = new RecordCipher(keys, { role: "client", now: () => performance.now() });
    const member = new V2Member(conn, cipher, keys.challenge.slice());
    const none = { token: null, session: null, secret: null };
    const rooms: [string, number][] = room === undefined ? [] : [[room, 0]];
    await writeAll(conn, member.seal({ kind: "hello", name, rooms, ...none }));
    const [first, body] = await member.take(1 + rooms.length);
    const welcome = decodeEvent(first as Uint8Array);
    if (welcome.kind !== "welcome") throw new Error(`a member got ${welcome.kind}, not a welcome`);
    member.#welcome = welcome;
    if (room === undefined) return member;
    const entered = decodeEvent(body as Uint8Array);
    if (entered.kind !== "entered") throw new Error(`a member got ${entered.kind}, not its room`);
    member.#entered = entered;
    return member;
  }

  /** What the server said to the hello. */
  get welcome(): EventOf<"welcome"> {
    return this.#welcome as EventOf<"welcome">;
  }

  /** How it came into its room. */
  get entered(): EventOf<"entered"> {
    return this.#entered as EventOf<"entered">;
  }

  /** The ms that opening took so far. */
  get openingMs(): number {
    return this.#openingMs;
  }

  /** One record, ready to be written; to be written in the order of the calls. */
  seal(request: Request): Uint8Array {
    return this.#cipher.seal(packBatches([frameBody(encodeRequest(request))])[0] ?? []);
  }

  /** The next `count` bodies, read as far as they are not here. */
  async take(count: number, settling = false): Promise<Uint8Array[]> {
    while (this.#bodies.length < count) {
      const read = await this.conn.read(this.#buffer);
      if (read === null) throw new Error("the link ended under load");
      this.open([this.#buffer.subarray(0, read)]);
      await this.#answerPings();
      if (settling) await pause(SETTLE_PAUSE_MS);
    }
    const taken = this.#bodies.slice(0, count);
    this.#bodies = this.#bodies.slice(count);
    return taken;
  }

  /** Reads past the arrival of itself and of all that came later, until `members` are in the room. */
  async settle(members: number): Promise<void> {
    let arrivals = members - this.entered.at;
    let listed = false;
    while (arrivals > 0 || !listed) {
      for (const body of await this.take(Math.max(1, this.#bodies.length), true)) {
        if (kindOf(body) === JOINED) arrivals--;
        else listed = listed || isEndOfList(decodeEvent(body));
      }
    }
    if (this.#frames.pending || this.#bodies.length > 0) throw new Error("more came than was sent");
  }

  /** Reads what comes, now and then, answers pings and forgets the rest, until the link ends. */
  async attend(): Promise<void> {
    try {
      for (;;) await this.take(Math.max(1, this.#bodies.length), true);
    } catch {
      // The link ended: the load is over.
    }
  }

  /** Reads and drops what comes, as the members of the references do, until the link ends. */
  async drop(): Promise<void> {
    const pulse = setInterval(() => void this.signOfLife().catch(() => {}), SIGN_OF_LIFE_MS);
    try {
      while (await this.conn.read(this.#buffer) !== null);
    } catch {
      // The link ended: the load is over.
    } finally {
      clearInterval(pulse);
    }
  }

  /** Opens bytes that were read elsewhere and returns all bodies that are here, without pings. */
  open(chunks: readonly Uint8Array[]): readonly Uint8Array[] {
    const since = performance.now();
    for (const chunk of chunks) {
      for (const frame of this.#frames.push(chunk)) {
        for (const body of this.#batches.push(this.#cipher.open(frame))) this.#keep(body);
      }
    }
    this.#openingMs += performance.now() - since;
    return this.#bodies;
  }

  #keep(body: Uint8Array): void {
    if (kindOf(body) === PING) this.#pings++;
    else this.#bodies.push(body);
  }

  /** Gives a sign of life: who waits for others to come in reads no pings. */
  async signOfLife(): Promise<void> {
    await writeAll(this.conn, this.seal({ kind: "pong" }));
  }

  async #answerPings(): Promise<void> {
    for (; this.#pings > 0; this.#pings--) await this.signOfLife();
  }
}

/**
 * Closes the links, each after a goodbye: a session that is only cut stays for a minute, and costs the next load when it
 * ends.
 */
export async function leaveAll(members: readonly V2Member[]): Promise<void> {
  await Promise.all(members.map((member) => writeAll(member.conn, member.seal({ kind: "bye" }))));
  for (const { conn } of members) conn.close();
}

// A body is a short CBOR array (one byte) that begins with the number of its kind (one byte, RFC 8949 §3).
function kindOf(body: Uint8Array): number {
  return body[1] ?? NaN;
}

// The rules of a room come last of what a newcomer is told.
function isEndOfList(event: Event): boolean {
  if (event.kind === "rules") return true;
  if (event.kind !== "members") throw new Error(`a member got ${event.kind} while others came in`);
  return false;
}

/** Where a load goes in. */
export interface JoinAllOptions {
  readonly count: number;
  readonly room: string;
  readonly connect: () => Promise<Deno.Conn>;
}

/** Brings members `member0`… into one room, a few at once, and lets all settle; in the order of the room. */
export async function joinAll({ count, room, connect }: JoinAllOptions): Promise<V2Member[]> {
  const load = await makeLoadKeys();
  const members: V2Member[] = [];
  const settled: Promise<void>[] = [];
  let next = 0;
  const joinOn = async () => {
    for (let i = next++; i < count; i = next++) {
      const member = await V2Member.join(await connect(), { load, name: `member${i}`, room });
      members.push(member);
      settled.push(member.settle(count));
    }
  };
  await Promise.all(Array.from({ length: JOINS_AT_ONCE }, joinOn));
  await Promise.all(settled);
  return members.sort((a, b) => a.entered.at - b.entered.at);
}
