// Bytes compared and written as text, by the runtime's own code.

import { Buffer } from "node:buffer";
import { timingSafeEqual } from "node:crypto";

/** Whether two byte strings are equal; not for secrets. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}

/** Whether two byte strings are equal, in a time that depends on their lengths alone. */
export function equalSecrets(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && timingSafeEqual(a, b);
}

/** Lower-case hex. */
export function toHex(bytes: Uint8Array): string {
  return asBuffer(bytes).toString("hex");
}

/** The bytes of a text of hex digits, which must be one. */
export function fromHex(text: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Buffer.from(text, "hex"));
}

/** The two alphabets of RFC 4648: with padding, and for URLs without it. */
export type Base64Alphabet = "base64" | "base64url";

/** The text of bytes. */
export function toBase64(bytes: Uint8Array, alphabet: Base64Alphabet): string {
  return asBuffer(bytes).toString(alphabet);
}

/** The bytes of a text; undefined, or bytes of which toBase64() makes another text, where it is none. */
export function fromBase64(text: string, alphabet: Base64Alphabet): Uint8Array | undefined {
  try {
    const bytes = Buffer.from(text, alphabet);
    return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
  } catch {
    return undefined; // Deno 2.4 throws where Node, and Deno later, skips what is no base64.
  }
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}
