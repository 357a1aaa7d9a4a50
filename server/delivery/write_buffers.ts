// Buffers that are written and then used again. A new buffer for each write costs a third of the time of a busy
// fan-out: the system clears it, and the collector runs more often.

import { BytePool } from "../../shared/base/bytes.ts";

// The smallest write for which a buffer is kept, and the largest: sizes are powers of two.
const SMALLEST_LOG2 = 10;
const LARGEST_LOG2 = 18;
// Short writes share buffers that are not used again; not those of smallBytes(), which live as long as the keys in them.
const SHORT_MAX_BYTES = 512;
/** Bytes that are kept for later writes. */
export const KEPT_MAX_BYTES = 4 * 1_024 * 1_024;

/** Buffers for writes. The caller that takes one is its only user until it gives it back. */
export class WriteBuffers {
  /** Free buffers by the power of two of their size. */
  readonly #free: Uint8Array[][] = [];
  readonly #short = new BytePool();
  #kept = 0;

  /** Bytes that are kept for later writes. */
  get kept(): number {
    return this.#kept;
  }

  /** `length` bytes of any content. */
  take(length: number): Uint8Array {
    if (length <= SHORT_MAX_BYTES) return this.#short.take(length);
    const log2 = Math.max(SMALLEST_LOG2, 32 - Math.clz32(length - 1));
    if (log2 > LARGEST_LOG2) return new Uint8Array(length);
    const buffer = this.#free[log2]?.pop();
    if (buffer === undefined) return new Uint8Array(2 ** log2).subarray(0, length);
    this.#kept -= buffer.length;
    return buffer.subarray(0, length);
  }

  /** Takes back what `take` gave, when nobody reads or writes it any more; once for each. */
  give({ length, buffer }: Uint8Array): void {
    const { byteLength } = buffer;
    if (length <= SHORT_MAX_BYTES) return;
    const log2 = 31 - Math.clz32(byteLength);
    if (byteLength !== 2 ** log2 || log2 < SMALLEST_LOG2 || log2 > LARGEST_LOG2) return;
    if (this.#kept + byteLength > KEPT_MAX_BYTES) return;
    this.#kept += byteLength;
    (this.#free[log2] ??= []).push(new Uint8Array(buffer));
  }
}
