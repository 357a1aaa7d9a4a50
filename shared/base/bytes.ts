// The runtime keeps every buffer outside the heap of objects: one of 32 bytes costs 400, as part of a block 140.
const BLOCK_BYTES = 8_192;

/** Small parts of large buffers. A buffer stays while one of its parts does: what lives long and what does not take two. */
export class BytePool {
  #block = new Uint8Array(BLOCK_BYTES);
  #used = 0;

  /** Zeros to write few bytes into, at most 1,024. */
  take(length: number): Uint8Array {
    if (this.#used + length > BLOCK_BYTES) {
      this.#block = new Uint8Array(BLOCK_BYTES);
      this.#used = 0;
    }
    const start = this.#used;
    this.#used += length;
    return this.#block.subarray(start, this.#used);
  }
}

const kept = new BytePool();

/** Zeros to write few bytes into, at most 512, that are kept as long as a session: a part of a buffer of such parts. */
export function smallBytes(length: number): Uint8Array {
  return kept.take(length);
}

/** The same bytes, at most 512, to be kept as long. */
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

/** Smaller buffers are left to the collector: giving one back costs some 3 µs. */
const RELEASED_MIN_BYTES = 16_384;

/**
 * Gives the memory of a buffer back now. The collector counts objects and not their bytes, so short-lived large buffers
 * reach tens of megabytes before it comes. The caller must be the only one who has the buffer: from now on all parts of
 * it are empty.
 */
export function releaseBuffer(buffer: ArrayBufferLike): void {
  if (buffer.byteLength >= RELEASED_MIN_BYTES && buffer instanceof ArrayBuffer) buffer.transfer(0);
}

/** The same of bytes; nothing happens where they are a part of something else. */
export function releaseBytes({ buffer, length }: Uint8Array): void {
  if (buffer.byteLength === length) releaseBuffer(buffer);
}
