// The two ciphers of records (RFC 5116): AES-256-GCM, which every peer has, and ChaCha20-Poly1305 (RFC 8439).
// Synchronous, on node:crypto: WebCrypto costs 40 µs of waiting for a record of any size, this 4 to 7 µs for
// a small one. Deno 2.9 runs AES of node:crypto without the processor's help (340 µs for 64 KB, ChaCha20 35),
// Deno 2.4 has no ChaCha20 at all: so the handshake agrees on one. docs/adr tells the measurements.

import { createCipheriv, createDecipheriv } from "node:crypto";
import type { CipherGCM, DecipherGCM } from "node:crypto";
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

/** What sealing and opening have in common. */
export interface AeadContext {
  readonly key: Uint8Array;
  /** Must never repeat under one key (RFC 5116 §5.1.1). */
  readonly nonce: Uint8Array;
  readonly associatedData: Uint8Array;
}

let detected: readonly AeadName[] | undefined;

/** The ciphers that this runtime has, fastest first. */
export function supportedAeads(): readonly AeadName[] {
  detected ??= AEAD_NAMES.filter(isAvailable);
  return detected;
}

function isAvailable(name: AeadName): boolean {
  try {
    cipher(name, new Uint8Array(AEAD_KEY_BYTES), new Uint8Array(AEAD_NONCE_BYTES));
    return true;
  } catch {
    return false; // The only question asked here; Deno 2.4 throws "Unknown cipher".
  }
}

function cipher(name: AeadName, key: Uint8Array, nonce: Uint8Array): CipherGCM {
  // The types know the tag length of ChaCha20 only under CipherCCM, whose methods are the same.
  return createCipheriv(name as "aes-256-gcm", key, nonce, { authTagLength: AEAD_TAG_BYTES });
}

function decipher(name: AeadName, key: Uint8Array, nonce: Uint8Array): DecipherGCM {
  return createDecipheriv(name as "aes-256-gcm", key, nonce, { authTagLength: AEAD_TAG_BYTES });
}

/** Writes the ciphertext and the tag to `out`, which has plaintext.length + 16 bytes. */
export function aeadSeal(
  name: AeadName,
  context: AeadContext,
  { plaintext, out }: { readonly plaintext: Uint8Array; readonly out: Uint8Array },
): void {
  const sealing = cipher(name, context.key, context.nonce);
  sealing.setAAD(context.associatedData);
  out.set(sealing.update(plaintext));
  sealing.final();
  out.set(sealing.getAuthTag(), plaintext.length);
}

const REFUSED = "Cannot open a record: it was changed, repeated, lost or sent out of order";

/** The plaintext of ciphertext and tag. Throws CryptoError with one text for every fault. */
export function aeadOpen(name: AeadName, context: AeadContext, sealed: Uint8Array): Uint8Array {
  const end = sealed.length - AEAD_TAG_BYTES;
  // Before a decipher is made: Deno 2.4 would keep one that never gets a whole tag.
  if (end < 0) throw new CryptoError(REFUSED);
  try {
    const opening = decipher(name, context.key, context.nonce);
    opening.setAAD(context.associatedData);
    opening.setAuthTag(sealed.subarray(end));
    const plaintext = opening.update(sealed.subarray(0, end));
    opening.final();
    return plaintext;
  } catch (cause) {
    throw new CryptoError(REFUSED, { cause });
  }
}
