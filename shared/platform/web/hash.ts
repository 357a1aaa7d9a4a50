// SHA-256 of @noble/hashes: WebCrypto would make everything wait that derives a key.

import { sha256 as noble } from "@noble/hashes/sha2.js";
import { toHex } from "./bytes.ts";

/** SHA-256 of bytes that come one after another. */
export interface Sha256 {
  update(bytes: Uint8Array): void;
  /** The 32 bytes; to be called once. */
  digest(): Uint8Array<ArrayBuffer>;
}

/** Begins a hash. */
export function createSha256(): Sha256 {
  const hash = noble.create();
  return {
    update: (bytes) => void hash.update(bytes),
    digest: () => new Uint8Array(hash.digest()),
  };
}

/** SHA-256 over the parts, one after another. */
export function sha256(...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const hash = createSha256();
  for (const part of parts) hash.update(part);
  return hash.digest();
}

/** SHA-256 over a text's UTF-8, in lower-case hex. */
export function sha256Hex(text: string): string {
  return toHex(noble(new TextEncoder().encode(text)));
}
