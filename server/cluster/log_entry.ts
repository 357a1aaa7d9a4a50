// The header of an entry in a shared log: who wrote it, after what, and whether it holds the whole state.

import { concatBytes } from "../../shared/base/bytes.ts";

/** Bytes of an entry's id. */
export const ENTRY_ID_BYTES = 8;
const VERSION = 1;
const HEADER_BYTES = 1 + 1 + ENTRY_ID_BYTES + 8;

/** One entry of a shared log. */
export interface Entry {
  /** Random; by it the writer knows its own. */
  readonly id: Uint8Array;
  /** The place before it in its log; 0 = it is the first. */
  readonly after: number;
  /** Whether the body holds all that the entries before it made. */
  readonly whole: boolean;
  readonly body: Uint8Array;
}

/** Version, whole, id, after (u64), body. */
export function encodeEntry({ id, after, whole, body }: Entry): Uint8Array {
  const header = new Uint8Array(HEADER_BYTES);
  header[0] = VERSION;
  header[1] = whole ? 1 : 0;
  header.set(id, 2);
  new DataView(header.buffer).setBigUint64(2 + ENTRY_ID_BYTES, BigInt(after));
  return concatBytes([header, body]);
}

/** Undefined for what another version wrote. */
export function decodeEntry(bytes: Uint8Array): Entry | undefined {
  const whole = bytes[1];
  if (bytes.length < HEADER_BYTES || bytes[0] !== VERSION || whole === undefined || whole > 1) {
    return undefined;
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return {
    id: bytes.subarray(2, 2 + ENTRY_ID_BYTES),
    after: Number(view.getBigUint64(2 + ENTRY_ID_BYTES)),
    whole: whole === 1,
    body: bytes.subarray(HEADER_BYTES),
  };
}
