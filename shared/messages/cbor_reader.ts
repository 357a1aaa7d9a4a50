// Reads one array of deterministic CBOR (RFC 8949 §4.2): there is one way to write each, and no other is read. Of CBOR
// only what messages have: numbers, texts, bytes, arrays, booleans and null.

import { ProtocolError } from "../base/errors.ts";

const MAJOR_NUMBER = 0;
const MAJOR_NEGATIVE = 1;
const MAJOR_BYTES = 2;
const MAJOR_TEXT = 3;
const MAJOR_ARRAY = 4;
const FALSE = 0xf4;
const TRUE = 0xf5;
const NULL = 0xf6;

/** A message is an array, its fields may be lists, and what is in these may be one more. */
const DEPTH_MAX = 3;
/** Texts up to here are read by themselves: the decoder takes longer to be called. */
const SHORT_TEXT = 32;

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Stands for an item that no message has: a map, a fraction, a tag, a number that JavaScript cannot count to. */
export const FOREIGN = Symbol("an item that no message has");

/**
 * The items of the array that is `body`. From the first one on that no message has they are FOREIGN, and are not read. Bytes
 * are copied, but for those at place `shared`: a part of `body`. Throws ProtocolError where it is not written as it must be.
 */
export function readItems(body: Uint8Array, shared?: number): readonly unknown[] {
  return new Reader(body).all(shared);
}

class Reader {
  readonly #body: Uint8Array;
  #at = 0;
  #isForeign = false;

  constructor(body: Uint8Array) {
    this.#body = body;
  }

  all(shared: number | undefined): readonly unknown[] {
    const first = this.#byte();
    if (first >> 5 !== MAJOR_ARRAY) throw malformed();
    const items = this.#items(this.#argument(first), 1, shared);
    if (!this.#isForeign && this.#at !== this.#body.length) throw malformed();
    return items;
  }

  #items(count: number, depth: number, shared?: number): unknown[] {
    // Each item takes a byte at least: what is claimed costs nothing before it is here.
    if (count > this.#body.length - this.#at) throw malformed();
    const items: unknown[] = [];
    while (items.length < count) items.push(this.#item(depth, items.length === shared));
    return items;
  }

  #item(depth: number, isShared: boolean): unknown {
    if (this.#isForeign) return FOREIGN;
    const first = this.#byte();
    const major = first >> 5;
    if (major === MAJOR_NUMBER) return this.#number(this.#argument(first));
    if (major === MAJOR_NEGATIVE) return this.#number(-1 - this.#argument(first));
    if (major === MAJOR_BYTES) return this.#bytes(this.#argument(first), isShared);
    if (major === MAJOR_TEXT) return this.#text(this.#argument(first));
    if (major === MAJOR_ARRAY && depth < DEPTH_MAX) {
      return this.#items(this.#argument(first), depth + 1);
    }
    if (first === FALSE) return false;
    if (first === TRUE) return true;
    return first === NULL ? null : this.#foreign();
  }

  #number(value: number): unknown {
    return Number.isSafeInteger(value) ? value : this.#foreign();
  }

  #foreign(): typeof FOREIGN {
    this.#isForeign = true;
    return FOREIGN;
  }

  #bytes(length: number, isShared: boolean): Uint8Array {
    const start = this.#pass(length);
    const { buffer, byteOffset } = this.#body;
    // Not subarray(): of a Buffer it would be one, and slice() no copy.
    const bytes = new Uint8Array(buffer, byteOffset + start, length);
    return isShared ? bytes : new Uint8Array(bytes);
  }

  #text(length: number): string {
    const start = this.#pass(length);
    const body = this.#body;
    if (length <= SHORT_TEXT) {
      let text = "";
      let at = start;
      for (; at < this.#at && (body[at] as number) < 0x80; at++) {
        text += String.fromCharCode(body[at] as number);
      }
      if (at === this.#at) return text;
    }
    try {
      return decoder.decode(body.subarray(start, this.#at));
    } catch (cause) {
      throw malformed(cause);
    }
  }

  #byte(): number {
    const byte = this.#body[this.#at++];
    if (byte === undefined) throw malformed();
    return byte;
  }

  /** Passes over so many bytes; where they begin. */
  #pass(length: number): number {
    const start = this.#at;
    if (length > this.#body.length - start) throw malformed();
    this.#at = start + length;
    return start;
  }

  /** The number or the length that begins with this byte, in its shortest form; above 2 ** 53 only about so much. */
  #argument(first: number): number {
    const info = first & 0x1f;
    if (info < 24) return info;
    if (info > 27) throw malformed();
    const start = this.#pass(1 << info - 24);
    let value = 0;
    for (let at = start; at < this.#at; at++) value = value * 256 + (this.#body[at] as number);
    if (value < (LEAST[info - 24] as number)) throw malformed();
    return value;
  }
}

/** The smallest number that needs one, two, four and eight bytes. */
const LEAST = [24, 0x100, 0x1_0000, 0x1_0000_0000];

function malformed(cause?: unknown): ProtocolError {
  return new ProtocolError("Cannot read the peer's message: it is not canonical CBOR", { cause });
}
