// HKDF-SHA-256 (RFC 5869) and HKDF-Expand-Label in the form of TLS 1.3 (RFC 8446 §7.1). Synchronous,
// because rekeying happens between two records, where nothing may wait: one expansion costs some 4 µs.

import { sha256, sha256Hex } from "#platform/hash.ts";
import { hmacInto } from "./short_hash.ts";

export { sha256, sha256Hex };

/** Bytes of a SHA-256 value, and of every secret of the key schedule. */
export const HASH_BYTES = 32;

// TLS 1.3 has "tls13 " here; another prefix separates the keys of the two protocols.
const LABEL_PREFIX = "cmdchat2 ";

/** What HKDF-Expand-Label takes besides the secret and the label. */
export interface ExpandLabelOptions {
  /** At most 255 bytes; empty when left out. */
  readonly context?: Uint8Array;
  /** Bytes wanted, at most 8,160. */
  readonly length: number;
}

/** HKDF-Extract (RFC 5869 §2.2): a 32-byte pseudorandom key. */
export function hkdfExtract(salt: Uint8Array, inputKey: Uint8Array): Uint8Array {
  const key = new Uint8Array(HASH_BYTES);
  hmacInto(key, salt, [inputKey]);
  return key;
}

/** HKDF-Expand (RFC 5869 §2.3) of at most 8,160 bytes. */
export function hkdfExpand(secret: Uint8Array, info: Uint8Array, length: number): Uint8Array {
  if (length > 255 * HASH_BYTES) {
    throw new RangeError(
      `Cannot expand to ${length} bytes: at most ${255 * HASH_BYTES} are allowed`,
    );
  }
  const output = new Uint8Array(length);
  for (let at = 0; at < length; at += HASH_BYTES) {
    counter[0] = 1 + at / HASH_BYTES;
    hmacInto(block, secret, at === 0 ? [info, counter] : [block, info, counter]);
    output.set(length - at < HASH_BYTES ? block.subarray(0, length - at) : block, at);
  }
  block.fill(0);
  return output;
}

const counter = new Uint8Array(1);
const block = new Uint8Array(HASH_BYTES);
const encoder = new TextEncoder();

/** HKDF-Expand-Label (RFC 8446 §7.1) with "cmdchat2 " in the place of "tls13 ". */
export function hkdfExpandLabel(
  secret: Uint8Array,
  label: string,
  { context = new Uint8Array(), length }: ExpandLabelOptions,
): Uint8Array {
  const name = encoder.encode(LABEL_PREFIX + label);
  const info = new Uint8Array(4 + name.length + context.length);
  info.set([length >> 8, length & 0xff, name.length]);
  info.set(name, 3);
  info[3 + name.length] = context.length;
  info.set(context, 4 + name.length);
  return hkdfExpand(secret, info, length);
}
