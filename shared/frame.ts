// The v1 framing: a 4-byte big-endian length from 1 to FRAME_MAX_BYTES, then that many bytes.

import { LimitError, ProtocolError } from "./errors.ts";
import { FRAME_MAX_BYTES } from "./limits.ts";

/** Bytes of the length prefix. */
export const FRAME_HEADER_BYTES = 4;

const FIRST_BYTES = 1_024;
// A sender whose first bytes came gets room for so many times as much: a large record is then copied once, and what
// is only announced costs nothing.
const GROWTH = 4;

/** Puts the length in front of `body` (1 to FRAME_MAX_BYTES bytes). Throws LimitError otherwise. */
export function encodeFrame(body: Uint8Array): Uint8Array {
  if (body.length < 1 || body.length > FRAME_MAX_BYTES) {
    throw new LimitError(
      `Cannot send a frame of ${body.length} bytes: 1 to ${FRAME_MAX_BYTES} are allowed`,
    );
  }
  const frame = new Uint8Array(FRAME_HEADER_BYTES + body.length);
  new DataView(frame.buffer).setUint32(0, body.length);
  frame.set(body, FRAME_HEADER_BYTES);
  return frame;
}

/** Bytes in, frame bodies out, however the bytes are cut. Never holds more than one frame. */
export class FrameReader {
  #headerBytes = 0;
  /** What of the length has come; a buffer of four bytes would cost an idle link 300. */
  #length = 0;
  #body: Uint8Array | undefined;
  #bodyBytes = 0;

  /** Whether bytes of an unfinished frame are waiting. */
  get pending(): boolean {
    return this.#headerBytes > 0;
  }

  /** The first bytes of a length that was refused; tells which protocol the peer speaks. */
  get header(): Uint8Array {
    const whole = new Uint8Array(FRAME_HEADER_BYTES);
    new DataView(whole.buffer).setUint32(0, this.#length);
    return whole.slice(FRAME_HEADER_BYTES - this.#headerBytes);
  }

  /** Frame bodies completed by `chunk`, as copies. Throws ProtocolError on a length out of range. */
  *push(chunk: Uint8Array): Generator<Uint8Array, void> {
    let at = 0;
    while (at < chunk.length) {
      if (this.#body === undefined) at = this.#readHeader(chunk, at);
      if (this.#body === undefined) return;
      const take = Math.min(this.#length - this.#bodyBytes, chunk.length - at);
      const body = this.#roomFor(take, this.#body);
      body.set(chunk.subarray(at, at + take), this.#bodyBytes);
      this.#bodyBytes += take;
      at += take;
      if (this.#bodyBytes < this.#length) return;
      this.#body = undefined;
      this.#headerBytes = 0;
      this.#length = 0;
      yield body;
    }
  }

  #readHeader(chunk: Uint8Array, start: number): number {
    let at = start;
    while (at < chunk.length && this.#headerBytes < FRAME_HEADER_BYTES) {
      this.#length = this.#length * 256 + (chunk[at++] as number);
      this.#headerBytes++;
    }
    if (this.#headerBytes < FRAME_HEADER_BYTES) return at;
    const length = this.#length;
    if (length < 1 || length > FRAME_MAX_BYTES) {
      throw new ProtocolError(
        `Cannot read a frame of ${length} bytes: 1 to ${FRAME_MAX_BYTES} are allowed`,
      );
    }
    const here = GROWTH * (chunk.length - at);
    this.#body = new Uint8Array(Math.min(length, Math.max(FIRST_BYTES, here)));
    this.#bodyBytes = 0;
    return at;
  }

  // Memory follows what has arrived, not what was announced: half a frame on 10,000 links stays small.
  #roomFor(more: number, body: Uint8Array): Uint8Array {
    const needed = this.#bodyBytes + more;
    if (needed <= body.length) return body;
    const grown = new Uint8Array(Math.min(this.#length, Math.max(needed, GROWTH * body.length)));
    grown.set(body.subarray(0, this.#bodyBytes));
    this.#body = grown;
    return grown;
  }
}
