// The v1 framing: a 4-byte big-endian length from 1 to FRAME_MAX_BYTES, then that many bytes.

import { LimitError, ProtocolError } from "../base/errors.ts";
import { FRAME_MAX_BYTES } from "../base/limits.ts";

/** Bytes of the length prefix. */
export const FRAME_HEADER_BYTES = 4;

const FIRST_BYTES = 1_024;
// A sender whose first bytes came gets room for so many times as much: a large record is then copied once, and what
// is only announced costs nothing.
const GROWTH = 4;
// Bodies of large frames are used again: parts of files come in frames of 33 KB, and a new buffer for each would be
// a quarter of what the collector has to take away.
const REUSED_MIN_BYTES = 16_384;
const SPARES_MAX = 4;
const spares: Uint8Array[] = [];

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

/**
 * Bytes in, frame bodies out, however the bytes are cut. Never holds more than one frame. All readers share a few buffers
 * for large bodies.
 */
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

  /**
   * Frame bodies completed by `chunk`, each to be used up before the next one is asked for and before the bytes of `chunk`
   * change: one that is whole in it is a part of it, any other is in a buffer that is used again. Throws ProtocolError
   * on a length out of range.
   */
  *push(chunk: Uint8Array): Generator<Uint8Array, void> {
    let at = 0;
    while (at < chunk.length) {
      at = this.#readHeader(chunk, at);
      if (at === chunk.length) return;
      const end = Math.min(at + this.#length - this.#bodyBytes, chunk.length);
      const bytes = chunk.subarray(at, end);
      const body = this.#take(bytes);
      at = end;
      if (body === undefined) continue;
      yield body;
      if (body !== bytes) keepSpare(body);
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
    return at;
  }

  /** Adds bytes to the body; the body once it is whole. */
  #take(bytes: Uint8Array): Uint8Array | undefined {
    let body = bytes;
    if (bytes.length < this.#length) {
      body = this.#roomFor(bytes.length);
      body.set(bytes, this.#bodyBytes);
      this.#bodyBytes += bytes.length;
      if (this.#bodyBytes < this.#length) return undefined;
    }
    this.#body = undefined;
    this.#bodyBytes = 0;
    this.#headerBytes = 0;
    this.#length = 0;
    return body;
  }

  // Memory follows what has arrived, not what was announced: half a frame on 10,000 connections stays small.
  #roomFor(more: number): Uint8Array {
    const needed = this.#bodyBytes + more;
    const body = this.#body;
    if (body !== undefined && needed <= body.length) return body;
    const room = Math.max(FIRST_BYTES, needed, GROWTH * (body?.length ?? more));
    const grown = takeRoom(Math.min(this.#length, room), this.#length);
    if (body !== undefined) grown.set(body.subarray(0, this.#bodyBytes));
    this.#body = grown;
    return grown;
  }
}

/** At least `room` bytes, and all of `length` where there is a spare buffer for it. */
function takeRoom(room: number, length: number): Uint8Array {
  const at = room < REUSED_MIN_BYTES ? -1 : spares.findIndex((spare) => spare.length >= length);
  const [spare] = at < 0 ? [] : spares.splice(at, 1);
  return spare?.subarray(0, length) ?? new Uint8Array(room);
}

function keepSpare({ buffer, length }: Uint8Array): void {
  if (length >= REUSED_MIN_BYTES && spares.length < SPARES_MAX) spares.push(new Uint8Array(buffer));
}
