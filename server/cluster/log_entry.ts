// The header of an entry in a shared log: its id, the entry before it, and whether it holds the whole state.

import { concatBytes } from "../../shared/base/bytes.ts";

const ENTRY_ID_BYTES = 8;
const VERSION = 1;
const HEADER_BYTES = 1 + 1 + ENTRY_ID_BYTES + 8;

/** One entry of a shared log. */
export interface Entry {
  /** Random; the writer recognizes its own entries by it. */
  readonly id: Uint8Array;
  /** Position of the entry before it in the log; 0 = this is the first. */
  readonly after: number;
  /** Whether the body holds the whole state that the entries before it made. */
  readonly whole: boolean;
  readonly body: Uint8Array;
}

/** An id that no other entry has. */
export function newEntryId(): Uint8Array {
  return crypto.getRandomValues(new Uint8Array(ENTRY_ID_BYTES));
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

/** Undefined for an entry of another version. */
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

/** An entry, and where it is in the log. */
export interface Placed extends Entry {
  readonly position: number;
}

/** The last of `entries` that is valid for sure and has the whole state; undefined where none has it. */
export function startOf(entries: readonly Placed[]): Placed | undefined {
  const named = new Set(entries.map(({ after }) => after));
  const wholes = entries.filter(({ whole }) => whole);
  const newest = Math.max(...wholes.map(({ after }) => after));
  return wholes.findLast(({ position }) => named.has(position)) ??
    wholes.find(({ after }) => after === newest);
}
