// Authenticated encryption of @noble/ciphers: WebCrypto is asynchronous and cannot keep the order of records.

import { gcm } from "@noble/ciphers/aes.js";
import { chacha20poly1305 } from "@noble/ciphers/chacha.js";

/** The ciphers (RFC 5116, RFC 8439); all have 12-byte nonces and 16-byte tags. */
export type AeadAlgorithm = "chacha20-poly1305" | "aes-256-gcm" | "aes-128-gcm";

/** What sealing and opening have in common. */
export interface AeadContext {
  readonly key: Uint8Array;
  /** Must never repeat under one key (RFC 5116 §5.1.1). */
  readonly nonce: Uint8Array;
  readonly associatedData: Uint8Array;
}

function cipher(name: AeadAlgorithm, { key, nonce, associatedData }: AeadContext) {
  return name === "chacha20-poly1305"
    ? chacha20poly1305(key, nonce, associatedData)
    : gcm(key, nonce, associatedData);
}

/** Whether this runtime has a cipher: all of them. */
export function hasAead(_name: AeadAlgorithm): boolean {
  return true;
}

/** Writes the ciphertext and the tag to `out`, which has plaintext.length + 16 bytes. */
export function sealAead(
  name: AeadAlgorithm,
  context: AeadContext,
  { plaintext, out }: { readonly plaintext: Uint8Array; readonly out: Uint8Array },
): void {
  out.set(cipher(name, context).encrypt(plaintext));
}

/** The plaintext of ciphertext and tag, at least 16 bytes. Throws where it was not sealed so. */
export function openAead(
  name: AeadAlgorithm,
  context: AeadContext,
  sealed: Uint8Array,
): Uint8Array {
  return cipher(name, context).decrypt(sealed);
}
