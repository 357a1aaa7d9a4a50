// ChaCha20-Poly1305 for short records by libsodium in WebAssembly. A cipher of node:crypto costs 5 to 8 µs and 3.6 KB of
// garbage before its first byte, which is most of what a single message costs each member. Its key is wiped after
// each record.

import {
  AEAD_KEY_BYTES,
  AEAD_NONCE_BYTES,
  AEAD_TAG_BYTES,
  type ShortSealer,
} from "../../shared/crypto/aead.ts";

/** Longest plaintext that it seals faster than node:crypto. */
export const SHORT_MAX_BYTES = 1_024;
const ASSOCIATED_MAX_BYTES = 16;

/** What is used of the library. Numbers are addresses in its memory, or lengths. */
interface Sodium {
  readonly HEAPU8: Uint8Array;
  _malloc(length: number): number;
  _crypto_aead_chacha20poly1305_ietf_encrypt(
    out: number,
    outLength: number,
    plaintext: number,
    length: number,
    lengthHigh: number,
    associated: number,
    associatedLength: number,
    associatedLengthHigh: number,
    secretNonce: number,
    nonce: number,
    key: number,
  ): number;
}

/** Loads the library, which takes some 100 ms, and makes a sealer of it. */
export async function loadShortSealer(): Promise<ShortSealer> {
  const { default: factory } = await import("libsodium");
  const sodium = await (factory as unknown as () => Promise<Sodium>)();
  const text = sodium._malloc(SHORT_MAX_BYTES + AEAD_TAG_BYTES);
  const key = sodium._malloc(AEAD_KEY_BYTES);
  const nonce = sodium._malloc(AEAD_NONCE_BYTES);
  const associated = sodium._malloc(ASSOCIATED_MAX_BYTES);
  return {
    maxBytes: SHORT_MAX_BYTES,
    seal(context, { plaintext, out }) {
      // Read each time: the view is another one once the library's memory has grown.
      const memory = sodium.HEAPU8;
      const { length } = plaintext;
      const { length: associatedLength } = context.associatedData;
      if (length > SHORT_MAX_BYTES || associatedLength > ASSOCIATED_MAX_BYTES) {
        throw new RangeError(`Cannot seal ${length} bytes here: at most ${SHORT_MAX_BYTES} fit`);
      }
      memory.set(plaintext, text);
      memory.set(context.key, key);
      memory.set(context.nonce, nonce);
      memory.set(context.associatedData, associated);
      // In place (libsodium allows it). Nothing else can fail here: lengths were checked above.
      sodium._crypto_aead_chacha20poly1305_ietf_encrypt(
        text,
        0,
        text,
        length,
        0,
        associated,
        associatedLength,
        0,
        0,
        nonce,
        key,
      );
      memory.fill(0, key, key + AEAD_KEY_BYTES);
      out.set(memory.subarray(text, text + length + AEAD_TAG_BYTES));
    },
  };
}
