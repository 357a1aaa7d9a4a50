// ChaCha20-Poly1305 for short records by libsodium in WebAssembly. A cipher of node:crypto costs 5 to 8 µs and 3.6 KB of
// garbage before its first byte, which is most of what a single message costs its sender's link and each member's. Keys,
// opened texts and what the library leaves on its stack are wiped from its memory after each record.

import { BytePool } from "../../shared/base/bytes.ts";
import {
  AEAD_KEY_BYTES,
  AEAD_NONCE_BYTES,
  AEAD_TAG_BYTES,
  type AeadContext,
  type ShortCipher,
  type ShortRecord,
} from "../../shared/crypto/aead.ts";
import { randomBytes } from "../../shared/crypto/random_bytes.ts";
import { loadSodium, type Sodium } from "./sodium.ts";

/** Longest plaintext that it seals and opens faster than node:crypto. */
export const SHORT_MAX_BYTES = 1_024;
const ASSOCIATED_MAX_BYTES = 16;
// Of the library's stack frames.
const FRAME_ALIGNMENT = 16;

/** Loads the library, which takes some 100 ms, and makes a cipher of it. */
export async function loadShortCipher(): Promise<ShortCipher> {
  return new SodiumCipher(await loadSodium());
}

interface Region {
  readonly from: number;
  readonly to: number;
}

class SodiumCipher implements ShortCipher {
  readonly maxBytes = SHORT_MAX_BYTES;
  readonly #sodium: Sodium;
  // Addresses in the library's memory.
  readonly #text: number;
  readonly #key: number;
  readonly #nonce: number;
  readonly #associated: number;
  readonly #opened = new BytePool();
  /** The part of the library's stack that records write to. */
  readonly #stack: Region = { from: 0, to: 0 };

  constructor(sodium: Sodium) {
    this.#sodium = sodium;
    this.#text = sodium._malloc(SHORT_MAX_BYTES + AEAD_TAG_BYTES);
    this.#key = sodium._malloc(AEAD_KEY_BYTES);
    this.#nonce = sodium._malloc(AEAD_NONCE_BYTES);
    this.#associated = sodium._malloc(ASSOCIATED_MAX_BYTES);
    this.#stack = this.#findStack();
  }

  seal(record: ShortRecord, { out, at }: { readonly out: Uint8Array; readonly at: number }): void {
    const { keys, keyAt, nonce, associatedData, first, parts } = record;
    let length = 1;
    for (let i = 0; i < parts.length; i++) length += (parts[i] as Uint8Array).length;
    checkFit(length, associatedData);
    const memory = this.#sodium.HEAPU8;
    memory[this.#text] = first;
    let end = this.#text + 1;
    for (let i = 0; i < parts.length; i++) {
      const part = parts[i] as Uint8Array;
      memory.set(part, end);
      end += part.length;
    }
    for (let i = 0; i < AEAD_KEY_BYTES; i++) memory[this.#key + i] = keys[keyAt + i] as number;
    this.#loadNonce(memory, nonce, associatedData);
    // In place (libsodium allows it). Nothing else can fail here: the lengths were checked.
    this.#sodium._crypto_aead_chacha20poly1305_ietf_encrypt(
      this.#text,
      0,
      this.#text,
      length,
      0,
      this.#associated,
      associatedData.length,
      0,
      0,
      this.#nonce,
      this.#key,
    );
    this.#wipe(memory);
    out.set(memory.subarray(this.#text, this.#text + length + AEAD_TAG_BYTES), at);
  }

  open(context: AeadContext, sealed: Uint8Array): Uint8Array | undefined {
    const { key, nonce, associatedData } = context;
    const length = sealed.length - AEAD_TAG_BYTES;
    checkFit(length, associatedData);
    // Read each time: the view is another one once the library's memory has grown.
    const memory = this.#sodium.HEAPU8;
    memory.set(sealed, this.#text);
    memory.set(key, this.#key);
    this.#loadNonce(memory, nonce, associatedData);
    const failed = this.#sodium._crypto_aead_chacha20poly1305_ietf_decrypt(
      this.#text,
      0,
      0,
      this.#text,
      sealed.length,
      0,
      this.#associated,
      associatedData.length,
      0,
      this.#nonce,
      this.#key,
    ) !== 0;
    this.#wipe(memory);
    if (failed) return undefined;
    const plaintext = this.#opened.take(length);
    plaintext.set(memory.subarray(this.#text, this.#text + length));
    memory.fill(0, this.#text, this.#text + length);
    return plaintext;
  }

  // The library wipes what it made of the key, but leaves the last block of the text, and what that was XORed with.
  #wipe(memory: Uint8Array): void {
    memory.fill(0, this.#key, this.#key + AEAD_KEY_BYTES);
    memory.fill(0, this.#stack.from, this.#stack.to);
  }

  /** Finds what is different below all that is allocated after records that are different in everything. */
  #findStack(): Region {
    const end = Math.min(this.#text, this.#key, this.#nonce, this.#associated);
    const [one, other] = [this.#leftBelow(end), this.#leftBelow(end)];
    let [from, to] = [end, 0];
    for (let i = 0; i < one.length; i++) {
      if (one[i] !== other[i]) [from, to] = [Math.min(from, i % end), Math.max(to, i % end + 1)];
    }
    return {
      from: Math.floor(from / FRAME_ALIGNMENT) * FRAME_ALIGNMENT,
      to: Math.ceil(to / FRAME_ALIGNMENT) * FRAME_ALIGNMENT,
    };
  }

  /** What is there after a record was sealed, and after it was opened: each leaves other bytes. */
  #leftBelow(end: number): Uint8Array {
    const [key, nonce] = [randomBytes(AEAD_KEY_BYTES), randomBytes(AEAD_NONCE_BYTES)];
    const associatedData = new Uint8Array();
    // The library copies the last block of a text to its stack where it is not a whole one.
    const parts = [randomBytes(SHORT_MAX_BYTES - 2)];
    const sealed = new Uint8Array(SHORT_MAX_BYTES - 1 + AEAD_TAG_BYTES);
    const left = new Uint8Array(2 * end);
    const record = { keys: key, keyAt: 0, nonce, associatedData, first: 0, parts };
    this.seal(record, { out: sealed, at: 0 });
    left.set(this.#sodium.HEAPU8.subarray(0, end));
    this.open({ key, nonce, associatedData }, sealed);
    left.set(this.#sodium.HEAPU8.subarray(0, end), end);
    return left;
  }

  // A few bytes are copied one by one: set() costs more.
  #loadNonce(memory: Uint8Array, nonce: Uint8Array, associatedData: Uint8Array): void {
    for (let i = 0; i < AEAD_NONCE_BYTES; i++) memory[this.#nonce + i] = nonce[i] as number;
    for (let i = 0; i < associatedData.length; i++) {
      memory[this.#associated + i] = associatedData[i] as number;
    }
  }
}

function checkFit(length: number, { length: associatedLength }: Uint8Array): void {
  if (length > SHORT_MAX_BYTES || length < 0 || associatedLength > ASSOCIATED_MAX_BYTES) {
    throw new RangeError(`Cannot seal ${length} bytes here: at most ${SHORT_MAX_BYTES} fit`);
  }
}
