// HKDF-SHA-256 (RFC 5869) and HKDF-Expand-Label in the form of TLS 1.3 (RFC 8446 §7.1). Synchronous,
// because rekeying happens between two records, where nothing may wait: one expansion costs some 6 µs.

import { sha256, sha256Hex } from "#platform/hash.ts";

export { sha256, sha256Hex };

/** Bytes of a SHA-256 value, and of every secret of the key schedule. */
export const HASH_BYTES = 32;
// Bytes that SHA-256 takes at a time (FIPS 180-4), the B of RFC 2104.
const BLOCK_BYTES = 64;

// TLS 1.3 has "tls13 " here; another prefix separates the keys of the two protocols.
const LABEL_PREFIX = "cmdchat2 ";

/** What HKDF-Expand-Label takes beside the secret and the label. */
export interface ExpandLabelOptions {
  /** At most 255 bytes; empty when left out. */
  readonly context?: Uint8Array;
  /** Bytes wanted, at most 8,160. */
  readonly length: number;
}

// RFC 2104. By hand, because createHmac() of Deno 2.4 prints a deprecation warning into the user's terminal.
function hmac(key: Uint8Array, ...parts: readonly Uint8Array[]): Uint8Array {
  const block = new Uint8Array(BLOCK_BYTES);
  block.set(key.length > BLOCK_BYTES ? sha256(key) : key);
  const inner = sha256(block.map((byte) => byte ^ 0x36), ...parts);
  const outer = sha256(block.map((byte) => byte ^ 0x5c), inner);
  block.fill(0);
  return outer;
}

/** HKDF-Extract (RFC 5869 §2.2): a 32-byte pseudorandom key. */
export function hkdfExtract(salt: Uint8Array, inputKey: Uint8Array): Uint8Array {
  return hmac(salt, inputKey);
}

/** HKDF-Expand (RFC 5869 §2.3) of at most 8,160 bytes. */
export function hkdfExpand(secret: Uint8Array, info: Uint8Array, length: number): Uint8Array {
  if (length > 255 * HASH_BYTES) {
    throw new RangeError(
      `Cannot expand to ${length} bytes: at most ${255 * HASH_BYTES} are allowed`,
    );
  }
  const output = new Uint8Array(length);
  let block = new Uint8Array();
  for (let index = 0; index * HASH_BYTES < length; index++) {
    block = new Uint8Array(hmac(secret, block, info, Uint8Array.of(index + 1)));
    const offset = index * HASH_BYTES;
    output.set(block.subarray(0, length - offset), offset);
  }
  return output;
}

/** HKDF-Expand-Label (RFC 8446 §7.1) with "cmdchat2 " in the place of "tls13 ". */
export function hkdfExpandLabel(
  secret: Uint8Array,
  label: string,
  { context = new Uint8Array(), length }: ExpandLabelOptions,
): Uint8Array {
  const name = new TextEncoder().encode(LABEL_PREFIX + label);
  const info = new Uint8Array(4 + name.length + context.length);
  info.set([length >> 8, length & 0xff, name.length]);
  info.set(name, 3);
  info[3 + name.length] = context.length;
  info.set(context, 4 + name.length);
  return hkdfExpand(secret, info, length);
}
