// The client's end of TLS 1.3 (RFC 8446), record by record: what no library sends can be sent here. One suite, one group,
// and no look at the certificate.

import { Buffer } from "node:buffer";
import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createHmac,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
} from "node:crypto";

/** The types of a record's content. */
export const TLS_TYPES = { changeCipherSpec: 20, alert: 21, handshake: 22, data: 23 } as const;

/** A message that says that the sender's next record has new keys; `wanted`: and that the receiver's shall have, too. */
export function keyUpdate(wanted: boolean): Uint8Array {
  return Uint8Array.of(24, 0, 0, 1, wanted ? 1 : 0);
}

const X25519_SPKI = Buffer.from("302a300506032b656e032100", "hex");
const NO_BYTES = Buffer.alloc(0);
const HASH_BYTES = 32;
const SUITE = [0x13, 0x01];
const DATA_MAX_BYTES = 16_384;

const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest();
const hmac = (key: Uint8Array, bytes: Uint8Array) =>
  createHmac("sha256", key).update(bytes).digest();

function number(value: number, bytes: number): Buffer {
  const made = Buffer.alloc(bytes);
  made.writeUIntBE(value, 0, bytes);
  return made;
}

/** Bytes behind their length. */
function vector(lengthBytes: number, ...parts: readonly Uint8Array[]): Buffer {
  const all = Buffer.concat(parts);
  return Buffer.concat([number(all.length, lengthBytes), all]);
}

/** HKDF-Expand-Label; none of these needs more than one block. */
function expandLabel(secret: Uint8Array, label: string, context: Uint8Array, length: number) {
  const info = Buffer.concat([
    number(length, 2),
    vector(1, Buffer.from(`tls13 ${label}`)),
    vector(1, context),
  ]);
  return hmac(secret, Buffer.concat([info, Uint8Array.of(1)])).subarray(0, length);
}

const derive = (secret: Uint8Array, label: string, messages: Uint8Array) =>
  expandLabel(secret, label, sha256(messages), HASH_BYTES);

/** The keys of one direction. */
class Keys {
  #secret: Uint8Array;
  #key!: Uint8Array;
  #iv!: Buffer;
  #count = 0n;

  constructor(secret: Uint8Array) {
    this.#secret = secret;
    this.#begin();
  }

  renew(): void {
    this.#secret = expandLabel(this.#secret, "traffic upd", NO_BYTES, HASH_BYTES);
    this.#begin();
  }

  finished(messages: Uint8Array): Buffer {
    return hmac(expandLabel(this.#secret, "finished", NO_BYTES, HASH_BYTES), sha256(messages));
  }

  seal(type: number, content: Uint8Array): Buffer {
    const header = Buffer.concat([Uint8Array.of(23, 3, 3), number(content.length + 17, 2)]);
    const cipher = createCipheriv("aes-128-gcm", this.#key, this.#nonce()).setAAD(header);
    const sealed = [cipher.update(content), cipher.update(Uint8Array.of(type)), cipher.final()];
    return Buffer.concat([header, ...sealed, cipher.getAuthTag()]);
  }

  open(header: Uint8Array, body: Uint8Array): { readonly type: number; readonly content: Buffer } {
    const cipher = createDecipheriv("aes-128-gcm", this.#key, this.#nonce()).setAAD(header);
    cipher.setAuthTag(body.subarray(-16));
    const opened = Buffer.concat([cipher.update(body.subarray(0, -16)), cipher.final()]);
    const end = opened.findLastIndex((byte) => byte !== 0);
    return { type: opened[end] ?? 0, content: opened.subarray(0, end) };
  }

  #begin(): void {
    this.#key = expandLabel(this.#secret, "key", NO_BYTES, 16);
    this.#iv = expandLabel(this.#secret, "iv", NO_BYTES, 12);
    this.#count = 0n;
  }

  #nonce(): Buffer {
    const nonce = Buffer.from(this.#iv);
    nonce.writeBigUInt64BE(nonce.readBigUInt64BE(4) ^ this.#count++, 4);
    return nonce;
  }
}

/** One connection, which reads and writes as any other one does. */
export class RawTls {
  readonly #conn: Deno.Conn;
  #buffer: Buffer = NO_BYTES;
  /** What the server sent and nobody has read. */
  #data: Buffer = NO_BYTES;
  #reading: Keys | undefined;
  #writing: Keys | undefined;

  private constructor(conn: Deno.Conn) {
    this.#conn = conn;
  }

  /** Does the handshake. Throws where the server ends it. */
  static async over(conn: Deno.Conn): Promise<RawTls> {
    const tls = new RawTls(conn);
    await tls.#shakeHands();
    return tls;
  }

  /** A record of this type; after a message about keys, the next one has new keys. */
  record(type: number, content: Uint8Array): Uint8Array {
    const sealed = this.#writing?.seal(type, content);
    if (sealed === undefined) throw new Error("there are no keys yet");
    if (type === TLS_TYPES.handshake && content[0] === 24) this.#writing?.renew();
    return sealed;
  }

  /** Writes bytes as they are. */
  async writeRaw(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length;) at += await this.#conn.write(bytes.subarray(at));
  }

  async write(bytes: Uint8Array): Promise<number> {
    const part = bytes.subarray(0, DATA_MAX_BYTES);
    await this.writeRaw(this.record(TLS_TYPES.data, part));
    return part.length;
  }

  async read(into: Uint8Array): Promise<number | null> {
    while (this.#data.length === 0) {
      const record = await this.#next();
      if (record === undefined) return null;
      const { type, content } = record;
      if (type === TLS_TYPES.alert) return null;
      if (type === TLS_TYPES.data) this.#data = content;
      else if (type === TLS_TYPES.handshake && content[0] === 24) this.#reading?.renew();
    }
    const count = Math.min(into.length, this.#data.length);
    into.set(this.#data.subarray(0, count));
    this.#data = this.#data.subarray(count);
    return count;
  }

  close(): void {
    this.#conn.close();
  }

  async #shakeHands(): Promise<void> {
    const own = generateKeyPairSync("x25519");
    const key = own.publicKey.export({ format: "der", type: "spki" }).subarray(-32);
    const hello = helloWith(key);
    await this.writeRaw(Buffer.concat([Uint8Array.of(22, 3, 1), vector(2, hello)]));
    const first = await this.#next();
    if (first?.type !== TLS_TYPES.handshake) throw new Error("the server ended the handshake");
    const publicKey = createPublicKey({
      key: Buffer.concat([X25519_SPKI, keyIn(first.content)]),
      format: "der",
      type: "spki",
    });
    const shared = diffieHellman({ privateKey: own.privateKey, publicKey });
    let messages = Buffer.concat([hello, first.content]);
    const none = Buffer.alloc(HASH_BYTES);
    const early = hmac(none, none);
    const secret = hmac(derive(early, "derived", NO_BYTES), shared);
    const client = new Keys(derive(secret, "c hs traffic", messages));
    this.#reading = new Keys(derive(secret, "s hs traffic", messages));
    for (let isOver = false; !isOver;) {
      const record = await this.#next();
      if (record?.type !== TLS_TYPES.handshake) throw new Error("the server ended the handshake");
      messages = Buffer.concat([messages, record.content]);
      isOver = endsWithFinished(messages.subarray(hello.length + first.content.length));
    }
    const main = hmac(derive(secret, "derived", NO_BYTES), none);
    this.#reading = new Keys(derive(main, "s ap traffic", messages));
    this.#writing = new Keys(derive(main, "c ap traffic", messages));
    const finished = Buffer.concat([Uint8Array.of(20), vector(3, client.finished(messages))]);
    await this.writeRaw(client.seal(TLS_TYPES.handshake, finished));
  }

  /** The next record that is not for old middleboxes; undefined at the end. */
  async #next(): Promise<{ readonly type: number; readonly content: Buffer } | undefined> {
    for (;;) {
      if (!await this.#fill(5)) return undefined;
      const header = this.#buffer.subarray(0, 5);
      const length = header.readUInt16BE(3);
      if (!await this.#fill(5 + length)) return undefined;
      const body = this.#buffer.subarray(5, 5 + length);
      this.#buffer = this.#buffer.subarray(5 + length);
      const type = header[0] ?? 0;
      if (type === TLS_TYPES.changeCipherSpec) continue;
      return type === TLS_TYPES.data && this.#reading !== undefined
        ? this.#reading.open(header, body)
        : { type, content: body };
    }
  }

  async #fill(count: number): Promise<boolean> {
    const more = new Uint8Array(65_536);
    while (this.#buffer.length < count) {
      const read = await this.#conn.read(more);
      if (read === null) return false;
      this.#buffer = Buffer.concat([this.#buffer, more.subarray(0, read)]);
    }
    return true;
  }
}

/** A ClientHello with this X25519 key. */
function helloWith(key: Uint8Array): Buffer {
  const extension = (id: number, content: Uint8Array) =>
    Buffer.concat([number(id, 2), vector(2, content)]);
  const schemes = [0x0403, 0x0503, 0x0804, 0x0805, 0x0807].map((scheme) => number(scheme, 2));
  const group = number(0x001d, 2);
  const extensions = [
    extension(43, vector(1, number(0x0304, 2))),
    extension(10, vector(2, group)),
    extension(13, vector(2, ...schemes)),
    extension(51, vector(2, group, vector(2, key))),
  ];
  const body = Buffer.concat([
    number(0x0303, 2),
    crypto.getRandomValues(new Uint8Array(32)),
    vector(1),
    vector(2, Uint8Array.from(SUITE)),
    Uint8Array.of(1, 0),
    vector(2, ...extensions),
  ]);
  return Buffer.concat([Uint8Array.of(1), vector(3, body)]);
}

/** The X25519 key of a ServerHello. */
function keyIn(hello: Buffer): Buffer {
  // Type and length, version, random, session id, suite, compression, length of all extensions.
  let at = 4 + 2 + 32;
  at += 1 + (hello[at] ?? 0) + 2 + 1 + 2;
  while (at < hello.length) {
    const length = hello.readUInt16BE(at + 2);
    if (hello.readUInt16BE(at) === 51) return hello.subarray(at + 8, at + 4 + length);
    at += 4 + length;
  }
  throw new Error("the server sent no key");
}

function endsWithFinished(messages: Buffer): boolean {
  for (let at = 0; at + 4 <= messages.length;) {
    const end = at + 4 + messages.readUIntBE(at + 1, 3);
    if (messages[at] === 20 && end <= messages.length) return true;
    at = end;
  }
  return false;
}
