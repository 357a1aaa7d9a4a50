// Base64 (RFC 4648 §4 and §5), read strictly: one text for one sequence of bytes, nothing skipped. What this
// accepts, encoding gives back character for character.

import { type Base64Alphabet, fromBase64, toBase64 } from "#platform/bytes.ts";

/** Standard base64 with padding. */
export function encodeBase64(bytes: Uint8Array): string {
  return toBase64(bytes, "base64");
}

/** The bytes of standard base64, or undefined unless it is padded, canonical and free of other characters. */
export function decodeBase64(text: string): Uint8Array | undefined {
  return decode(text, "base64");
}

/** URL-safe base64 without padding. */
export function encodeBase64Url(bytes: Uint8Array): string {
  return toBase64(bytes, "base64url");
}

/** The bytes of URL-safe base64, or undefined unless it is unpadded, canonical and free of other characters. */
export function decodeBase64Url(text: string): Uint8Array | undefined {
  return decode(text, "base64url");
}

function decode(text: string, alphabet: Base64Alphabet): Uint8Array | undefined {
  const bytes = fromBase64(text, alphabet);
  return bytes !== undefined && toBase64(bytes, alphabet) === text ? bytes : undefined;
}

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const CODES = Uint8Array.from(ALPHABET, (character) => character.charCodeAt(0));
const PAD = "=".charCodeAt(0);

/** Writes the standard base64 of `bytes` into `out` at `start`; returns where it ends. No string is made on the way. */
export function writeBase64(bytes: Uint8Array, out: Uint8Array, start: number): number {
  const whole = bytes.length - bytes.length % 3;
  let at = start;
  let i = 0;
  for (; i < whole; i += 3) {
    const bits = (bytes[i] as number) << 16 | (bytes[i + 1] as number) << 8 |
      (bytes[i + 2] as number);
    out[at++] = CODES[bits >> 18] as number;
    out[at++] = CODES[bits >> 12 & 63] as number;
    out[at++] = CODES[bits >> 6 & 63] as number;
    out[at++] = CODES[bits & 63] as number;
  }
  if (i === bytes.length) return at;
  const two = i + 1 < bytes.length;
  const bits = (bytes[i] as number) << 16 | (two ? (bytes[i + 1] as number) << 8 : 0);
  out[at++] = CODES[bits >> 18] as number;
  out[at++] = CODES[bits >> 12 & 63] as number;
  out[at++] = two ? CODES[bits >> 6 & 63] as number : PAD;
  out[at++] = PAD;
  return at;
}
