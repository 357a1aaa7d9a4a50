// A v2 client as cheap as can be: keys shared by all, records sealed beforehand, bodies opened when asked.

import { generateRsaKeyPair, publicKeyToPem } from "../../shared/crypto/rsa.ts";
import { supportedAeads } from "../../shared/crypto/aead.ts";
import { loadKem } from "../../shared/crypto/kem.ts";
import { generateX25519 } from "../../shared/crypto/x25519.ts";
import { encodeFrame, FrameReader } from "../../shared/frame.ts";
import { ClientHandshake, type ClientKeys } from "../../shared/handshake.ts";
import { OUR_VERSIONS } from "../../shared/handshake_error.ts";
import { encodeClientHello } from "../../shared/handshake_messages.ts";
import type { EventOf, Request } from "../../shared/messages_v2.ts";
import { BatchReader, frameBody, packBatches } from "../../shared/record_batch.ts";
import { SessionCipher } from "../../shared/session_cipher.ts";
import { decodeEvent, encodeRequest } from "../../shared/wire_v2.ts";
import { writeAll } from "./load.ts";

// What the server tells a newcomer beside the welcome and its room: that it joined, and who is there.
const ARRIVAL_BODIES = 2;
const READ_BYTES = 16_384;
const JOINS_AT_ONCE = 8;

/** One set of client keys, and the first message that offers them, for all clients of a load. */
export interface LoadKeys {
  readonly keys: ClientKeys;
  readonly firstMessage: Uint8Array;
}

/** Keys for a load: making them anew for each client would take longer than what is measured. */
export async function makeLoadKeys(): Promise<LoadKeys> {
  const rsa = await generateRsaKeyPair();
  const keys = { rsa, x25519: await generateX25519(), kem: await (await loadKem()).generate() };
  const firstMessage = encodeClientHello({
    ...{
      versions: OUR_VERSIONS,
      aeads: supportedAeads(),
      rsaPem: await publicKeyToPem(rsa.publicKey),
    },
    ...{ x25519: keys.x25519.publicKey, mlkem768: keys.kem.publicKey },
  });
  return { keys, firstMessage };
}

/** How a client comes in. */
export interface JoinOptions {
  readonly load: LoadKeys;
  readonly name: string;
  readonly room: string;
}

/** A client in a room. */
export class V2Member {
  readonly conn: Deno.Conn;
  readonly #cipher: SessionCipher;
  readonly #frames = new FrameReader();
  readonly #batches = new BatchReader();
  readonly #buffer = new Uint8Array(READ_BYTES);
  #bodies: Uint8Array[] = [];
  #entered: EventOf<"entered"> | undefined;

  private constructor(conn: Deno.Conn, cipher: SessionCipher) {
    this.conn = conn;
    this.#cipher = cipher;
  }

  /** Shakes hands over `conn`, says hello and reads how it came in. */
  static async join(conn: Deno.Conn, { load, name, room }: JoinOptions): Promise<V2Member> {
    const handshake = ClientHandshake.unsafeTestOnlyResume(load.keys, load.firstMessage);
    await writeAll(conn, encodeFrame(load.firstMessage));
    const { keys } = await handshake.receive(await readFrame(conn));
    const cipher = new SessionCipher(keys, { role: "client", now: () => performance.now() });
    const member = new V2Member(conn, cipher);
    const none = { token: null, session: null, secret: null };
    await writeAll(conn, member.seal({ kind: "hello", name, rooms: [[room, 0]], ...none }));
    const [, body] = await member.take(2);
    const entered = decodeEvent(body as Uint8Array);
    if (entered.kind !== "entered") throw new Error(`a member got ${entered.kind}, not its room`);
    member.#entered = entered;
    return member;
  }

  /** How it came into its room. */
  get entered(): EventOf<"entered"> {
    return this.#entered as EventOf<"entered">;
  }

  /** One record, ready to be written; to be written in the order of the calls. */
  seal(request: Request): Uint8Array {
    return this.#cipher.seal(packBatches([frameBody(encodeRequest(request))])[0] ?? []);
  }

  /** The next `count` bodies, read as far as they are not here. */
  async take(count: number): Promise<Uint8Array[]> {
    while (this.#bodies.length < count) {
      const read = await this.conn.read(this.#buffer);
      if (read === null) throw new Error("the link ended under load");
      this.open([this.#buffer.subarray(0, read)]);
    }
    const taken = this.#bodies.slice(0, count);
    this.#bodies = this.#bodies.slice(count);
    return taken;
  }

  /** Reads past the arrival of itself and of all that came later, until `members` are in the room. */
  async settle(members: number): Promise<void> {
    const ownPlace = this.entered.at + 1;
    await this.take(ARRIVAL_BODIES + members - ownPlace);
    if (this.#frames.pending || this.#bodies.length > 0) throw new Error("more came than was sent");
  }

  /** Opens bytes that were read elsewhere and returns all bodies that are here. */
  open(chunks: readonly Uint8Array[]): readonly Uint8Array[] {
    for (const chunk of chunks) {
      for (const frame of this.#frames.push(chunk)) {
        this.#bodies.push(...this.#batches.push(this.#cipher.open(frame)));
      }
    }
    return this.#bodies;
  }
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
  let next = 0;
  const joinOn = async () => {
    for (let i = next++; i < count; i = next++) {
      members.push(await V2Member.join(await connect(), { load, name: `member${i}`, room }));
    }
  };
  await Promise.all(Array.from({ length: JOINS_AT_ONCE }, joinOn));
  await Promise.all(members.map((member) => member.settle(count)));
  return members.sort((a, b) => a.entered.at - b.entered.at);
}

async function readFrame(conn: Deno.Conn): Promise<Uint8Array> {
  const header = await readExactly(conn, 4);
  return await readExactly(conn, new DataView(header.buffer).getUint32(0));
}

/** Reads exactly `length` bytes. */
export async function readExactly(conn: Deno.Conn, length: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length;) {
    const count = await conn.read(bytes.subarray(at));
    if (count === null) throw new Error("the link ended too early");
    at += count;
  }
  return bytes;
}
