// ChaCha20-Poly1305 for short records by libsodium in WebAssembly. A cipher of node:crypto costs 5 to 8 µs and 3.6 KB of
// garbage before its first byte, which is most of what a single message costs its sender's link and each member's. Keys
// and opened texts are wiped from its memory after each record.

import { BytePool } from "../../shared/base/bytes.ts";
import {
  AEAD_KEY_BYTES,
  AEAD_NONCE_BYTES,
  AEAD_TAG_BYTES,
  type AeadContext,
  type ShortCipher,
  type ShortRecord,
} from "../../shared/crypto/aead.ts";
import { loadSodium, type Sodium } from "./sodium.ts";

/** Longest plaintext that it seals and opens faster than node:crypto. */
export const SHORT_MAX_BYTES = 1_024;
const ASSOCIATED_MAX_BYTES = 16;

/** Loads the library, which takes some 100 ms, and makes a cipher of it. */
export async function loadShortCipher(): Promise<ShortCipher> {
  return new SodiumCipher(await loadSodium());
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

  constructor(sodium: Sodium) {
    this.#sodium = sodium;
    this.#text = sodium._malloc(SHORT_MAX_BYTES + AEAD_TAG_BYTES);
    this.#key = sodium._malloc(AEAD_KEY_BYTES);
    this.#nonce = sodium._malloc(AEAD_NONCE_BYTES);
    this.#associated = sodium._malloc(ASSOCIATED_MAX_BYTES);
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
    memory.fill(0, this.#key, this.#key + AEAD_KEY_BYTES);
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
    memory.fill(0, this.#key, this.#key + AEAD_KEY_BYTES);
    if (failed) return undefined;
    const plaintext = this.#opened.take(length);
    plaintext.set(memory.subarray(this.#text, this.#text + length));
    memory.fill(0, this.#text, this.#text + length);
    return plaintext;
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
