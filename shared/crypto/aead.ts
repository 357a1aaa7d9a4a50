// The two ciphers of records (RFC 5116): AES-256-GCM, which every peer has, and ChaCha20-Poly1305 (RFC 8439).
// Synchronous, so that the order of calls is the order of records. Deno 2.9 runs AES of node:crypto without the processor's help (340 µs for 64 KB, ChaCha20 35),
// Deno 2.4 has no ChaCha20 at all: so the handshake agrees on one. docs/adr tells the measurements.

import { type AeadContext, hasAead, openAead, sealAead } from "#platform/aead.ts";
import { CryptoError } from "../base/errors.ts";

/** Names of the ciphers in the handshake. */
export const AEAD_NAMES = ["chacha20-poly1305", "aes-256-gcm"] as const;
/** One of the record ciphers. Both have 32-byte keys, 12-byte nonces and 16-byte tags. */
export type AeadName = typeof AEAD_NAMES[number];
/** The cipher every peer must offer and accept. */
export const MANDATORY_AEAD: AeadName = "aes-256-gcm";

/** Bytes of a key. */
export const AEAD_KEY_BYTES = 32;
/** Bytes of a nonce (RFC 5116 §3.1). */
export const AEAD_NONCE_BYTES = 12;
/** Bytes of the tag at the end of every ciphertext; full length (RFC 5116 §5.1, RFC 8439 §2.8). */
export const AEAD_TAG_BYTES = 16;

export type { AeadContext };

let detected: readonly AeadName[] | undefined;

/** The ciphers that this runtime has, fastest first. */
export function supportedAeads(): readonly AeadName[] {
  detected ??= AEAD_NAMES.filter(hasAead);
  return detected;
}

/** Writes the ciphertext and the tag of `plaintext` to `out`, which has 16 bytes more. */
export type Seal = (
  context: AeadContext,
  texts: { readonly plaintext: Uint8Array; readonly out: Uint8Array },
) => void;

/** A record that is sealed. Its key is named by where it begins: a view of it would cost as much as copying it. */
export interface ShortRecord {
  /** Has the key from `keyAt` on. */
  readonly keys: Uint8Array;
  readonly keyAt: number;
  readonly nonce: Uint8Array;
  readonly associatedData: Uint8Array;
  /** The plaintext: one byte, then the parts one after another. */
  readonly first: number;
  readonly parts: readonly Uint8Array[];
}

/** Seals and opens short texts with ChaCha20-Poly1305 in less time than the platform. */
export interface ShortCipher {
  /** Longest plaintext for which it is faster. */
  readonly maxBytes: number;
  /** Writes the ciphertext and the tag to `out` from `at` on. */
  seal(record: ShortRecord, place: { readonly out: Uint8Array; readonly at: number }): void;
  /** The plaintext of ciphertext and tag, which are at least a tag; undefined where it was not sealed so. */
  open(context: AeadContext, sealed: Uint8Array): Uint8Array | undefined;
}

let shortCipher: ShortCipher | undefined;

/** From now on `cipher` seals and opens what is short enough for it; the bytes are the same. */
export function useShortCipher(cipher: ShortCipher | undefined): void {
  shortCipher = cipher;
}

/** The cipher for a plaintext of `length` bytes, where there is one that is faster than the platform. */
export function shortCipherFor(name: AeadName, length: number): ShortCipher | undefined {
  if (shortCipher === undefined || name !== "chacha20-poly1305") return undefined;
  return length <= shortCipher.maxBytes ? shortCipher : undefined;
}

/** Writes the ciphertext and the tag to `out`, which has plaintext.length + 16 bytes. */
export function aeadSeal(name: AeadName, ...[context, texts]: Parameters<Seal>): void {
  sealAead(name, context, texts);
}

const REFUSED = "Cannot open a record: it was changed, repeated, lost or sent out of order";

/** The plaintext of ciphertext and tag. Throws CryptoError with one text for every fault. */
export function aeadOpen(name: AeadName, context: AeadContext, sealed: Uint8Array): Uint8Array {
  // Before a decipher is made: Deno 2.4 would keep one that never gets a whole tag.
  if (sealed.length < AEAD_TAG_BYTES) throw new CryptoError(REFUSED);
  const short = shortCipherFor(name, sealed.length - AEAD_TAG_BYTES);
  if (short === undefined) return openByPlatform(name, context, sealed);
  const plaintext = short.open(context, sealed);
  if (plaintext === undefined) throw new CryptoError(REFUSED);
  return plaintext;
}

function openByPlatform(name: AeadName, context: AeadContext, sealed: Uint8Array): Uint8Array {
  try {
    return openAead(name, context, sealed);
  } catch (cause) {
    throw new CryptoError(REFUSED, { cause });
  }
}
