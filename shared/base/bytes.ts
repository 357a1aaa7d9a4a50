// The runtime keeps every buffer outside the heap of objects: one of 32 bytes costs 400, as part of a block 140.
const BLOCK_BYTES = 8_192;
let block = new Uint8Array(BLOCK_BYTES);
let used = 0;

/** Zeros to write few bytes into, at most 512, that are kept for long: a part of a buffer that others have parts of too. */
export function smallBytes(length: number): Uint8Array {
  if (used + length > BLOCK_BYTES) {
    block = new Uint8Array(BLOCK_BYTES);
    used = 0;
  }
  const start = used;
  used += length;
  return block.subarray(start, used);
}

/** The same bytes, at most 512, to be kept for long. */
export function smallCopy(bytes: Uint8Array): Uint8Array {
  const copy = smallBytes(bytes.length);
  copy.set(bytes);
  return copy;
}

/** All parts one after another; a single part is given back as it is. */
export function concatBytes(parts: readonly Uint8Array[]): Uint8Array {
  const [first] = parts;
  if (parts.length === 1 && first !== undefined) return first;
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
