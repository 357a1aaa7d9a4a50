// A device key as people compare it: thirty digits or twelve words, on every screen the same.

import { fromHex } from "#platform/bytes.ts";
import { deviceFingerprint } from "../mls/room_code.ts";

/** Rows of a key to be read to somebody on the phone; the key in bytes or in hexadecimal. */
export function keyRows(key: Uint8Array | string): string[] {
  const { digits, words } = deviceFingerprint(typeof key === "string" ? fromHex(key) : key);
  return [digits, ...wordRows(words)].map((row) => `  ${row}`);
}

/** Six words in a row, which a narrow terminal does not break. */
export function wordRows(words: string): string[] {
  return words.match(/\S+(?: \S+){0,5}/g) ?? [];
}

/** The digits alone, for a list. */
export function keyDigits(key: string): string {
  return deviceFingerprint(fromHex(key)).digits;
}
