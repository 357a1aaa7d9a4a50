// Records of a v2 session: sealed and opened in order, with keys that move on by themselves.
//
// Rules of this file (docs/PROTOCOL.md §6): a (key, nonce) pair is used once; the counter is never on the wire,
// so a record that is repeated, lost, swapped or reflected does not open; any failure is final for the whole
// session; an old key is wiped before the first record under the new one. Synchronous from call to return, so
// that the order of calls is the order on the wire.

import {
  AEAD_KEY_BYTES,
  AEAD_NONCE_BYTES,
  AEAD_TAG_BYTES,
  type AeadContext,
  type AeadName,
  aeadOpen,
  aeadSeal,
  shortCipherFor,
} from "../crypto/aead.ts";
import { smallBytes } from "../base/bytes.ts";
import { CryptoError, LimitError, ProtocolError } from "../base/errors.ts";
import { FRAME_HEADER_BYTES } from "./frame.ts";
import { nextTrafficSecret, type SessionKeys, trafficKey } from "./key_schedule.ts";
import { RECORD_MAX_BYTES, REKEY_MS, REKEY_RECORDS } from "../base/limits.ts";

/** Bytes that one record can carry: without header, flags and tag. */
export const RECORD_MAX_CONTENT = RECORD_MAX_BYTES - FRAME_HEADER_BYTES - 1 - AEAD_TAG_BYTES;

// Flags: the first byte of the plaintext. All other bits are zero.
const FLAG_KEY_UPDATE = 1;
const MIN_SEALED = 1 + AEAD_TAG_BYTES;

/** What a session needs besides its keys. */
export interface RecordCipherOptions {
  readonly role: "client" | "server";
  /** Milliseconds on a clock that never goes back, like performance.now(). */
  readonly now: () => number;
  /** For tests; both sides must have the same. */
  readonly rekeyRecords?: number;
}

// Sealing and opening are synchronous, so all sessions share these: an idle one keeps nothing but its keys.
const scratch = new Uint8Array(RECORD_MAX_BYTES);
const nonce = new Uint8Array(AEAD_NONCE_BYTES);
const header = new Uint8Array(FRAME_HEADER_BYTES);
const headerView = new DataView(header.buffer);

// One part of a buffer holds all that both directions keep: a buffer of its own for each would cost 400 bytes more, six
// times a session, and each part that is kept costs 100.
const SECRET_BYTES = 32;
const KEY_AT = SECRET_BYTES;
const IV_AT = KEY_AT + AEAD_KEY_BYTES;
const DIRECTION_BYTES = IV_AT + AEAD_NONCE_BYTES;

interface Plaintext {
  readonly flags: number;
  readonly parts: readonly Uint8Array[];
}

/** One direction: its key, and how many records it has been used for. */
class Direction {
  readonly #aead: AeadName;
  /** Traffic secret, key and IV, from `#start` on. */
  readonly #state: Uint8Array;
  readonly #start: number;
  #records = 0;

  /** Takes `secret` over: it is wiped. Its own part of `state` begins at `start`. */
  constructor(aead: AeadName, secret: Uint8Array, state: Uint8Array, start: number) {
    this.#aead = aead;
    this.#state = state;
    this.#start = start;
    this.#fill(secret);
  }

  get records(): number {
    return this.#records;
  }

  /** Seals the flags and the parts as one record into `records` from `start` on; gives where it ends. */
  seal({ flags, parts }: Plaintext, records: Uint8Array, start: number): number {
    const length = 1 + bytesOf(parts);
    const at = start + FRAME_HEADER_BYTES;
    const end = at + length + AEAD_TAG_BYTES;
    const short = shortCipherFor(this.#aead, length);
    if (short === undefined) {
      const plaintext = gather(flags, parts);
      this.#next(end - at);
      aeadSeal(this.#aead, this.#context, { plaintext, out: records.subarray(at, end) });
    } else {
      this.#next(end - at);
      const keys = this.#state;
      short.seal(
        { keys, keyAt: this.#start + KEY_AT, nonce, associatedData: header, first: flags, parts },
        { out: records, at },
      );
    }
    records.set(header, start);
    return end;
  }

  open(sealed: Uint8Array): Uint8Array {
    this.#next(sealed.length);
    return aeadOpen(this.#aead, this.#context, sealed);
  }

  /** Makes nonce and header those of the next record, which has `length` bytes behind its header. */
  #next(length: number): void {
    const state = this.#state;
    const iv = this.#start + IV_AT;
    for (let byte = 0; byte < AEAD_NONCE_BYTES; byte++) {
      nonce[byte] = state[iv + byte] as number;
    }
    // IV xor counter (RFC 8446 §5.3). The counter has 64 bits, but rekeying keeps the upper 32 at zero.
    const counter = this.#records++;
    for (let byte = 0; byte < 4; byte++) {
      const at = AEAD_NONCE_BYTES - 1 - byte;
      nonce[at] = (nonce[at] ?? 0) ^ (counter >>> 8 * byte & 0xff);
    }
    headerView.setUint32(0, length);
  }

  get #context(): AeadContext {
    const key = this.#part(KEY_AT, IV_AT);
    return { key, nonce, associatedData: header };
  }

  moveOn(): void {
    this.#fill(nextTrafficSecret(this.#part(0, SECRET_BYTES)));
    this.#records = 0;
  }

  wipe(): void {
    this.#part(0, DIRECTION_BYTES).fill(0);
  }

  #fill(secret: Uint8Array): void {
    const { key, iv } = trafficKey(secret);
    this.#state.set(secret, this.#start);
    this.#state.set(key, this.#start + KEY_AT);
    this.#state.set(iv, this.#start + IV_AT);
    for (const copied of [secret, key, iv]) copied.fill(0);
  }

  #part(from: number, to: number): Uint8Array {
    return this.#state.subarray(this.#start + from, this.#start + to);
  }
}

/** Both directions of one session. Takes over its keys and wipes them when it is closed. */
export class RecordCipher {
  readonly #sending: Direction;
  readonly #receiving: Direction;
  readonly #now: () => number;
  readonly #rekeyRecords: number;
  #keySince: number;
  #dead = false;

  constructor(
    keys: SessionKeys,
    { role, now, rekeyRecords = REKEY_RECORDS }: RecordCipherOptions,
  ) {
    const state = smallBytes(2 * DIRECTION_BYTES);
    const client = new Direction(keys.aead, keys.clientSecret, state, 0);
    const server = new Direction(keys.aead, keys.serverSecret, state, DIRECTION_BYTES);
    this.#sending = role === "client" ? client : server;
    this.#receiving = role === "client" ? server : client;
    this.#now = now;
    this.#rekeyRecords = rekeyRecords;
    this.#keySince = now();
  }

  /** One whole record with the parts one after another, at most RECORD_MAX_CONTENT bytes. */
  seal(
    parts: readonly Uint8Array[],
    allocate: (length: number) => Uint8Array = newBytes,
  ): Uint8Array {
    this.#requireAlive();
    const record = allocate(recordBytes(parts));
    this.#sealInto(record, 0, parts);
    return record;
  }

  /** A record for each batch of parts, one after another in the one buffer that `allocate` gives for them. */
  sealAll(
    batches: readonly (readonly Uint8Array[])[],
    allocate: (length: number) => Uint8Array = newBytes,
  ): Uint8Array {
    this.#requireAlive();
    const records = allocate(batches.reduce((sum, parts) => sum + recordBytes(parts), 0));
    let at = 0;
    for (const parts of batches) at = this.#sealInto(records, at, parts);
    return records;
  }

  #sealInto(records: Uint8Array, start: number, parts: readonly Uint8Array[]): number {
    const updates = this.#isKeyWornOut();
    const flags = updates ? FLAG_KEY_UPDATE : 0;
    const end = this.#sending.seal({ flags, parts }, records, start);
    if (updates) {
      this.#sending.moveOn();
      this.#keySince = this.#now();
    }
    return end;
  }

  #isKeyWornOut(): boolean {
    if (this.#sending.records >= this.#rekeyRecords - 1) return true;
    return this.#now() - this.#keySince >= REKEY_MS;
  }

  /**
   * The content of the next record, given without its header, as FrameReader cuts it. Throws CryptoError when it
   * is not the record that comes next, ProtocolError or LimitError when its sender broke the rules; then the
   * session is over.
   */
  open(sealed: Uint8Array): Uint8Array {
    this.#requireAlive();
    try {
      return this.#open(sealed);
    } catch (error) {
      this.close();
      throw error;
    }
  }

  #open(sealed: Uint8Array): Uint8Array {
    checkLength(sealed.length);
    if (this.#receiving.records >= this.#rekeyRecords) {
      throw new LimitError(
        `Cannot open a record: at most ${this.#rekeyRecords} are allowed under one key`,
      );
    }
    const plaintext = this.#receiving.open(sealed);
    const flags = plaintext[0];
    if (flags === FLAG_KEY_UPDATE) this.#receiving.moveOn();
    else if (flags !== 0) throw new ProtocolError("Cannot read a record: it has unknown flags");
    return plaintext.subarray(1);
  }

  #requireAlive(): void {
    if (this.#dead) throw new CryptoError("Cannot use a session after it failed or was closed");
  }

  /** Wipes the keys. May be called more than once. */
  close(): void {
    this.#dead = true;
    this.#sending.wipe();
    this.#receiving.wipe();
  }
}

function newBytes(length: number): Uint8Array {
  return new Uint8Array(length);
}

function recordBytes(parts: readonly Uint8Array[]): number {
  return FRAME_HEADER_BYTES + 1 + bytesOf(parts) + AEAD_TAG_BYTES;
}

function bytesOf(parts: readonly Uint8Array[]): number {
  let bytes = 0;
  for (let i = 0; i < parts.length; i++) bytes += (parts[i] as Uint8Array).length;
  return bytes;
}

function gather(flags: number, parts: readonly Uint8Array[]): Uint8Array {
  scratch[0] = flags;
  let at = 1;
  for (const part of parts) {
    if (at + part.length > 1 + RECORD_MAX_CONTENT) {
      throw new LimitError(`Cannot seal a record: at most ${RECORD_MAX_CONTENT} bytes are allowed`);
    }
    scratch.set(part, at);
    at += part.length;
  }
  return scratch.subarray(0, at);
}

function checkLength(length: number): void {
  const max = RECORD_MAX_BYTES - FRAME_HEADER_BYTES;
  if (length > max) {
    throw new LimitError(`Cannot open a record of ${length} bytes: at most ${max} are allowed`);
  }
  if (length < MIN_SEALED) {
    throw new ProtocolError(
      `Cannot open a record of ${length} bytes: it must have at least ${MIN_SEALED}`,
    );
  }
}
