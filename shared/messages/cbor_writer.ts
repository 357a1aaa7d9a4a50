// Writes one array as deterministic CBOR (RFC 8949 §4.2): of CBOR only what messages have.

const MAJOR_NUMBER = 0x00;
const MAJOR_NEGATIVE = 0x20;
const MAJOR_BYTES = 0x40;
const MAJOR_TEXT = 0x60;
const MAJOR_ARRAY = 0x80;
const FALSE = 0xf4;
const TRUE = 0xf5;
const NULL = 0xf6;

const HEAD_MAX_BYTES = 9;
const FIRST_BYTES = 4_096;
/** Texts up to here are written by themselves: the encoder takes longer to be called. */
const SHORT_TEXT = 64;

const encoder = new TextEncoder();

// Writing is synchronous, so all share this.
let out = new Uint8Array(FIRST_BYTES);
let view = new DataView(out.buffer);
let end = 0;

/** The array of these items: numbers without fractions, texts, bytes, arrays of them, booleans and null. */
export function writeItems(items: readonly unknown[]): Uint8Array {
  end = 0;
  writeItem(items);
  return out.slice(0, end);
}

/** The same in three parts, of which the middle one is the bytes at place `apart`: these are not copied. */
export function writeItemsAround(
  items: readonly unknown[],
  apart: number,
): readonly [Uint8Array, Uint8Array, Uint8Array] {
  const bytes = items[apart];
  if (!(bytes instanceof Uint8Array)) throw new TypeError("a message has its bytes elsewhere");
  end = 0;
  writeHead(MAJOR_ARRAY, items.length);
  for (let place = 0; place < apart; place++) writeItem(items[place]);
  writeHead(MAJOR_BYTES, bytes.length);
  const before = end;
  for (let place = apart + 1; place < items.length; place++) writeItem(items[place]);
  const around = out.slice(0, end);
  return [around.subarray(0, before), bytes, around.subarray(before)];
}

function writeItem(item: unknown): void {
  if (typeof item === "number") writeNumber(item);
  else if (typeof item === "string") writeText(item);
  else if (typeof item === "boolean") writeByte(item ? TRUE : FALSE);
  else if (item === null) writeByte(NULL);
  else if (item instanceof Uint8Array) writeBytes(item);
  else if (Array.isArray(item)) {
    writeHead(MAJOR_ARRAY, item.length);
    for (const each of item) writeItem(each);
  } else throw new TypeError(`no message has a ${typeof item}`);
}

function writeNumber(value: number): void {
  if (!Number.isSafeInteger(value)) throw new TypeError(`no message has the number ${value}`);
  if (value < 0) writeHead(MAJOR_NEGATIVE, -1 - value);
  else writeHead(MAJOR_NUMBER, value);
}

function writeBytes(bytes: Uint8Array): void {
  writeHead(MAJOR_BYTES, bytes.length);
  makeRoom(bytes.length);
  out.set(bytes, end);
  end += bytes.length;
}

function writeText(text: string): void {
  const { length } = text;
  if (length <= SHORT_TEXT && wroteAscii(text)) return;
  // A UTF-16 unit takes three bytes at most. Its head is known only then.
  makeRoom(HEAD_MAX_BYTES + 3 * length);
  const from = end + HEAD_MAX_BYTES;
  const { written } = encoder.encodeInto(text, out.subarray(from));
  writeHead(MAJOR_TEXT, written);
  out.copyWithin(end, from, from + written);
  end += written;
}

/** Whether a text had nothing but ASCII: else nothing is written. */
function wroteAscii(text: string): boolean {
  const start = end;
  writeHead(MAJOR_TEXT, text.length);
  makeRoom(text.length);
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    if (unit >= 0x80) {
      end = start;
      return false;
    }
    out[end++] = unit;
  }
  return true;
}

function writeByte(byte: number): void {
  makeRoom(1);
  out[end++] = byte;
}

/** The shortest head for a number or a length. */
function writeHead(major: number, value: number): void {
  makeRoom(HEAD_MAX_BYTES);
  if (value < 24) {
    out[end++] = major | value;
  } else if (value < 0x100) {
    out[end++] = major | 24;
    out[end++] = value;
  } else if (value < 0x1_0000) {
    out[end] = major | 25;
    view.setUint16(end + 1, value);
    end += 3;
  } else if (value < 0x1_0000_0000) {
    out[end] = major | 26;
    view.setUint32(end + 1, value);
    end += 5;
  } else {
    out[end] = major | 27;
    view.setUint32(end + 1, Math.floor(value / 0x1_0000_0000));
    view.setUint32(end + 5, value % 0x1_0000_0000);
    end += 9;
  }
}

function makeRoom(bytes: number): void {
  if (end + bytes <= out.length) return;
  const grown = new Uint8Array(Math.max(2 * out.length, end + bytes));
  grown.set(out.subarray(0, end));
  out = grown;
  view = new DataView(out.buffer);
}
