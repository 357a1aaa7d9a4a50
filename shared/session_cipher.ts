// Records of a v2 session: sealed and opened in order, with keys that move on by themselves.
//
// Rules of this file (docs/PROTOCOL.md §6): a (key, nonce) pair is used once; the counter is never on the wire,
// so a record that is repeated, lost, swapped or reflected does not open; any failure is final for the whole
// session; an old key is wiped before the first record under the new one. Synchronous from call to return, so
// that the order of calls is the order on the wire.

import {
  AEAD_NONCE_BYTES,
  AEAD_TAG_BYTES,
  type AeadContext,
  type AeadName,
  aeadOpen,
  aeadSeal,
} from "./crypto/aead.ts";
import { CryptoError, LimitError, ProtocolError } from "./errors.ts";
import { FRAME_HEADER_BYTES } from "./frame.ts";
import {
  nextTrafficSecret,
  type SessionKeys,
  type TrafficKey,
  trafficKey,
} from "./key_schedule.ts";
import { RECORD_MAX_BYTES, REKEY_MS, REKEY_RECORDS } from "./limits.ts";

/** Bytes that one record can carry: without header, flags and tag. */
export const RECORD_MAX_CONTENT = RECORD_MAX_BYTES - FRAME_HEADER_BYTES - 1 - AEAD_TAG_BYTES;

// Flags: the first byte of the plaintext. All other bits are zero.
const FLAG_KEY_UPDATE = 1;
const MIN_SEALED = 1 + AEAD_TAG_BYTES;

/** What a session needs beside its keys. */
export interface SessionCipherOptions {
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

/** One direction: its key, and how many records it has been used for. */
class Direction {
  readonly #aead: AeadName;
  #secret: Uint8Array;
  #traffic: TrafficKey;
  #records = 0;

  constructor(aead: AeadName, secret: Uint8Array) {
    this.#aead = aead;
    this.#secret = secret;
    this.#traffic = trafficKey(secret);
  }

  get records(): number {
    return this.#records;
  }

  seal(plaintext: Uint8Array, record: Uint8Array): void {
    const out = record.subarray(FRAME_HEADER_BYTES);
    aeadSeal(this.#aead, this.#nextContext(out.length), { plaintext, out });
    record.set(header);
  }

  open(sealed: Uint8Array): Uint8Array {
    return aeadOpen(this.#aead, this.#nextContext(sealed.length), sealed);
  }

  #nextContext(length: number): AeadContext {
    const { key, iv } = this.#traffic;
    nonce.set(iv);
    // IV xor counter (RFC 8446 §5.3). The counter has 64 bits, but rekeying keeps the upper 32 at zero.
    const counter = this.#records++;
    for (let byte = 0; byte < 4; byte++) {
      const at = AEAD_NONCE_BYTES - 1 - byte;
      nonce[at] = (nonce[at] ?? 0) ^ (counter >>> 8 * byte & 0xff);
    }
    headerView.setUint32(0, length);
    return { key, nonce, associatedData: header };
  }

  moveOn(): void {
    const next = nextTrafficSecret(this.#secret);
    this.wipe();
    this.#secret = next;
    this.#traffic = trafficKey(next);
    this.#records = 0;
  }

  wipe(): void {
    for (const used of [this.#secret, this.#traffic.key, this.#traffic.iv]) used.fill(0);
  }
}

/** Both directions of one session. Takes over its keys and wipes them when it is closed. */
export class SessionCipher {
  readonly #sending: Direction;
  readonly #receiving: Direction;
  readonly #now: () => number;
  readonly #rekeyRecords: number;
  #keySince: number;
  #dead = false;

  constructor(
    keys: SessionKeys,
    { role, now, rekeyRecords = REKEY_RECORDS }: SessionCipherOptions,
  ) {
    const client = new Direction(keys.aead, keys.clientSecret);
    const server = new Direction(keys.aead, keys.serverSecret);
    this.#sending = role === "client" ? client : server;
    this.#receiving = role === "client" ? server : client;
    this.#now = now;
    this.#rekeyRecords = rekeyRecords;
    this.#keySince = now();
  }

  /** One whole record with the parts one after another, at most RECORD_MAX_CONTENT bytes. */
  seal(parts: readonly Uint8Array[]): Uint8Array {
    this.#requireAlive();
    const updates = this.#isKeyWornOut();
    scratch[0] = updates ? FLAG_KEY_UPDATE : 0;
    const plaintext = scratch.subarray(0, gather(parts));
    const record = new Uint8Array(FRAME_HEADER_BYTES + plaintext.length + AEAD_TAG_BYTES);
    this.#sending.seal(plaintext, record);
    if (updates) {
      this.#sending.moveOn();
      this.#keySince = this.#now();
    }
    return record;
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

function gather(parts: readonly Uint8Array[]): number {
  let at = 1;
  for (const part of parts) {
    if (at + part.length > 1 + RECORD_MAX_CONTENT) {
      throw new LimitError(`Cannot seal a record: at most ${RECORD_MAX_CONTENT} bytes are allowed`);
    }
    scratch.set(part, at);
    at += part.length;
  }
  return at;
}

function checkLength(length: number): void {
  const max = RECORD_MAX_BYTES - FRAME_HEADER_BYTES;
  if (length > max) {
    throw new LimitError(`Cannot open a record of ${length} bytes: at most ${max} are allowed`);
  }
  if (length < MIN_SEALED) {
    throw new ProtocolError(
      `Cannot open a record of ${length} bytes: at least ${MIN_SEALED} are wanted`,
    );
  }
}
