// Where the bytes of one field are in an array of CBOR (RFC 8949 §3), found without decoding anything.

const MAJOR_BYTES = 2;
const MAJOR_TEXT = 3;
const MAJOR_ARRAY = 4;
const MAJOR_SIMPLE = 7;

/** A byte string in a body: where its head begins, where it ends, and its bytes as a part of the body. */
export interface PlacedBytes {
  readonly start: number;
  readonly end: number;
  readonly bytes: Uint8Array;
}

/** The head of a byte string of `length` bytes, below 2 ** 32, in its shortest form. */
export function bytesHead(length: number): Uint8Array {
  const major = MAJOR_BYTES << 5;
  if (length < 24) return Uint8Array.of(major | length);
  if (length < 0x100) return Uint8Array.of(major | 24, length);
  if (length < 0x1_0000) return Uint8Array.of(major | 25, length >> 8, length & 0xff);
  const head = Uint8Array.of(major | 26, 0, 0, 0, 0);
  new DataView(head.buffer).setUint32(1, length);
  return head;
}

/**
 * The byte string at place `index` of the array that is `body`. Undefined where it is not plain to see, or its head is
 * not in its shortest form: the decoder of the whole message then says what is wrong.
 */
export function splitBytes(body: Uint8Array, index: number): PlacedBytes | undefined {
  const array = headAt(body, 0);
  if (array?.major !== MAJOR_ARRAY || index >= array.value) return undefined;
  let start = array.next;
  for (let place = 0; place < index; place++) {
    const next = endOf(body, start, true);
    if (next === undefined) return undefined;
    start = next;
  }
  const head = headAt(body, start);
  if (head?.major !== MAJOR_BYTES) return undefined;
  const { value, next } = head;
  const end = next + value;
  if (end > body.length || next - start !== bytesHead(value).length) return undefined;
  return { start, end, bytes: new Uint8Array(body.buffer, body.byteOffset + next, value) };
}

interface Head {
  readonly major: number;
  readonly value: number;
  /** Where what follows begins. */
  readonly next: number;
}

/** Heads with a length of 64 bits, or of none that is known, are not read here. */
function headAt(body: Uint8Array, at: number): Head | undefined {
  const first = body[at];
  if (first === undefined) return undefined;
  const major = first >> 5;
  const info = first & 0x1f;
  if (info < 24) return { major, value: info, next: at + 1 };
  const bytes = [1, 2, 4, 8][info - 24];
  const next = at + 1 + (bytes ?? 0);
  if (bytes === undefined || next > body.length) return undefined;
  // Of a number only its end matters.
  if (bytes === 8) return major < MAJOR_BYTES ? { major, value: 0, next } : undefined;
  let value = 0;
  for (let byte = at + 1; byte < next; byte++) value = value * 256 + (body[byte] as number);
  return { major, value, next };
}

/** Where the item ends that begins at `at`; one in another is none that has items itself. */
function endOf(body: Uint8Array, at: number, isOuter: boolean): number | undefined {
  const head = headAt(body, at);
  if (head === undefined) return undefined;
  const { major, value, next } = head;
  if (major < MAJOR_BYTES) return next;
  if (major === MAJOR_SIMPLE) return next === at + 1 ? next : undefined;
  if (major === MAJOR_BYTES || major === MAJOR_TEXT) return next + value;
  if (major !== MAJOR_ARRAY || !isOuter) return undefined;
  let end: number | undefined = next;
  for (let item = 0; item < value && end !== undefined; item++) end = endOf(body, end, false);
  return end;
}
