// What of a message is pinned.

import { PIN_TEXT_MAX_BYTES } from "../base/limits.ts";

const MARK = "…";

/** A text as it is pinned: whole, or its beginning and "…". */
export function pinText(text: string): string {
  const bytes = new TextEncoder().encode(text);
  if (bytes.length <= PIN_TEXT_MAX_BYTES) return text;
  // Not within a character: its further bytes begin with the bits 10.
  let end = PIN_TEXT_MAX_BYTES - new TextEncoder().encode(MARK).length;
  while (((bytes[end] ?? 0) & 0xc0) === 0x80) end--;
  return new TextDecoder().decode(bytes.subarray(0, end)) + MARK;
}
