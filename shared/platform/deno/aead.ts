// Authenticated encryption on node:crypto. Synchronous, so that the order of calls is the order of records: WebCrypto
// costs 40 µs of waiting for a record of any size, this 4 to 7 µs for a small one.

import { type CipherGCM, createCipheriv, createDecipheriv, type DecipherGCM } from "node:crypto";

/** The ciphers (RFC 5116, RFC 8439); all have 12-byte nonces and 16-byte tags. */
export type AeadAlgorithm = "chacha20-poly1305" | "aes-256-gcm" | "aes-128-gcm";

/** What sealing and opening have in common. */
export interface AeadContext {
  readonly key: Uint8Array;
  /** Must never repeat under one key (RFC 5116 §5.1.1). */
  readonly nonce: Uint8Array;
  readonly associatedData: Uint8Array;
}

const TAG_BYTES = 16;
/** Giving back a smaller buffer costs more than it is worth. */
const RELEASED_MIN_BYTES = 16_384;
const OPTIONS = { authTagLength: TAG_BYTES } as const;

function cipher(name: AeadAlgorithm, { key, nonce }: AeadContext): CipherGCM {
  // The types know the tag length of ChaCha20 only under CipherCCM, whose methods are the same.
  return createCipheriv(name as "aes-256-gcm", key, nonce, OPTIONS);
}

function decipher(name: AeadAlgorithm, { key, nonce }: AeadContext): DecipherGCM {
  return createDecipheriv(name as "aes-256-gcm", key, nonce, OPTIONS);
}

/** Whether this runtime has a cipher; Deno 2.4 has no ChaCha20. */
export function hasAead(name: AeadAlgorithm): boolean {
  try {
    const [key, nonce] = [new Uint8Array(name === "aes-128-gcm" ? 16 : 32), new Uint8Array(12)];
    cipher(name, { key, nonce, associatedData: new Uint8Array() });
    return true;
  } catch {
    return false; // The only question asked here; Deno 2.4 throws "Unknown cipher".
  }
}

/** Writes the ciphertext and the tag to `out`, which has plaintext.length + 16 bytes. */
export function sealAead(
  name: AeadAlgorithm,
  context: AeadContext,
  { plaintext, out }: { readonly plaintext: Uint8Array; readonly out: Uint8Array },
): void {
  const sealing = cipher(name, context);
  sealing.setAAD(context.associatedData);
  const ciphertext = sealing.update(plaintext);
  out.set(ciphertext);
  // A large one is given back: the collector counts objects and not their bytes (docs/adr/0035). A short one is a part of a
  // buffer that others use.
  const { buffer, length } = ciphertext;
  if (
    length >= RELEASED_MIN_BYTES && buffer instanceof ArrayBuffer && buffer.byteLength === length
  ) {
    buffer.transfer(0);
  }
  sealing.final();
  out.set(sealing.getAuthTag(), plaintext.length);
}

/** The plaintext of ciphertext and tag, at least 16 bytes. Throws where it was not sealed so. */
export function openAead(
  name: AeadAlgorithm,
  context: AeadContext,
  sealed: Uint8Array,
): Uint8Array {
  const end = sealed.length - TAG_BYTES;
  const opening = decipher(name, context);
  opening.setAAD(context.associatedData);
  opening.setAuthTag(sealed.subarray(end));
  const plaintext = opening.update(sealed.subarray(0, end));
  opening.final();
  return plaintext;
}
