// Sizes of texts, which are bounded in bytes of UTF-8 and not in what a string counts.

import { LimitError } from "./errors.ts";

const encoder = new TextEncoder();

/** Whether a text has at most so many bytes of UTF-8. */
export function fitsBytes(text: string, most: number): boolean {
  // A unit of a string takes three bytes at most: nearly no text has to be encoded.
  return 3 * text.length <= most || encoder.encode(text).length <= most;
}

/** Refuses a text above `most` bytes of UTF-8, with both numbers. */
export function checkBytes(text: string, most: number, what: string): void {
  if (fitsBytes(text, most)) return;
  const bytes = encoder.encode(text).length;
  throw new LimitError(`Cannot ${what}: it has ${bytes} bytes, at most ${most} are allowed`);
}
