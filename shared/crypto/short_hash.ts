// SHA-256 and HMAC-SHA-256 of short texts, many of them for each session: in JavaScript over one state that is used again.
// A hash of the runtime costs 5 µs before its first byte, most of it buffers and objects
// (docs/adr/0034-handshakes-in-the-servers-own-steps.md). Nothing of what was hashed stays in the state.

import { sha256 as longSha256 } from "#platform/hash.ts";
import { sha256 } from "@noble/hashes/sha2.js";

/** Bytes that SHA-256 takes at a time (FIPS 180-4), the B of RFC 2104. */
const BLOCK_BYTES = 64;
/** Longest text that is hashed faster here than by the runtime. */
const SHORT_MAX_BYTES = 512;

const empty = sha256.create();
const state = sha256.create();
const block = new Uint8Array(BLOCK_BYTES);

/** Writes SHA-256 over the parts, one after another, to `out` of 32 bytes, which may be one of them. */
export function hashInto(out: Uint8Array, parts: readonly Uint8Array[]): void {
  let bytes = 0;
  for (const part of parts) bytes += part.length;
  if (bytes > SHORT_MAX_BYTES) return out.set(longSha256(...parts));
  empty._cloneInto(state);
  for (const part of parts) state.update(part);
  state.digestInto(out);
  state.destroy();
}

/** Writes HMAC-SHA-256 (RFC 2104) of the parts to `out` of 32 bytes, which may be one of them. */
export function hmacInto(out: Uint8Array, key: Uint8Array, parts: readonly Uint8Array[]): void {
  if (key.length > BLOCK_BYTES) hashInto(block, [key]);
  else block.set(key);
  xorBlock(0x36);
  hashInto(out, [block, ...parts]);
  xorBlock(0x36 ^ 0x5c);
  hashInto(out, [block, out]);
  block.fill(0);
}

function xorBlock(mask: number): void {
  for (let at = 0; at < BLOCK_BYTES; at++) block[at] = block[at]! ^ mask;
}
