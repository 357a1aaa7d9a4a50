// WebSocket frames as they are read: bytes in, payload out, however the bytes are cut. A binary message carries bytes
// of a stream: where it begins and ends means nothing, so that no message is ever held.

import { smallBytes } from "../base/bytes.ts";
import { CLOSE_CODES, readClosePayload, WebSocketError } from "./close_code.ts";
import {
  CONTROL_MAX_BYTES,
  FIN_BIT,
  LENGTH_IN_2_BYTES,
  LENGTH_IN_8_BYTES,
  MASK_BIT,
  MASK_KEY_BYTES,
  OPCODES,
} from "./frame.ts";

const RESERVED_BITS = 0x70;
const OPCODE_BITS = 0x0f;
const CONTROL_BIT = 0x08;
const LENGTH_BITS = 0x7f;
const HEADER_MAX_BYTES = 14;
const NOTHING = new Uint8Array(0);

/** Frames without a byte of data that may come in a row: pings, pongs, empty messages. More is a flood. */
export const EMPTY_FRAMES_MAX = 128;

/** The peer's close frame. */
export interface PeerClose {
  /** Undefined where it gave none. */
  readonly code: number | undefined;
}

/** Reads the frames of one direction. After an error, or after `closed`, nothing more is read. */
export class WebSocketReader {
  readonly #masked: boolean;
  readonly #header = smallBytes(HEADER_MAX_BYTES);
  #headerBytes = 0;
  /** Bytes of the header that is being read, as far as they are known. */
  #headerLength = 2;
  #inPayload = false;
  /** Bytes of the payload that have not come. */
  #left = 0;
  #maskAt = 0;
  #isFragmented = false;
  #emptyFrames = 0;
  #control: Uint8Array = NOTHING;
  #controlBytes = 0;
  #ping: Uint8Array | undefined;
  #closed: PeerClose | undefined;

  /** `masked`: whether the peer is a client, whose frames must be masked; a server's must not be. */
  constructor({ masked }: { readonly masked: boolean }) {
    this.#masked = masked;
  }

  /** The peer's close frame, once it came. */
  get closed(): PeerClose | undefined {
    return this.#closed;
  }

  /** The payload of the last ping that was not taken yet: older ones need no pong of their own (RFC 6455 §5.5.3). */
  takePing(): Uint8Array | undefined {
    const ping = this.#ping;
    this.#ping = undefined;
    return ping;
  }

  /**
   * The data of all frames in `chunk`, joined in place: a part of `chunk`, whose other bytes change. Throws
   * WebSocketError.
   */
  push(chunk: Uint8Array): Uint8Array {
    let at = 0;
    let end = 0;
    while (at < chunk.length && this.#closed === undefined) {
      if (!this.#inPayload) {
        at = this.#readHeader(chunk, at);
        continue;
      }
      const count = Math.min(this.#left, chunk.length - at);
      if (this.#isControl) this.#readControl(chunk, at, count);
      else {
        this.#moveData(chunk, { from: at, to: end, count });
        end += count;
      }
      at += count;
      this.#left -= count;
      if (this.#left === 0) this.#endFrame();
    }
    return chunk.subarray(0, end);
  }

  get #opcode(): number {
    return (this.#header[0] as number) & OPCODE_BITS;
  }

  get #isControl(): boolean {
    return (this.#opcode & CONTROL_BIT) !== 0;
  }

  get #isFinal(): boolean {
    return ((this.#header[0] as number) & FIN_BIT) !== 0;
  }

  #readHeader(chunk: Uint8Array, start: number): number {
    let at = start;
    while (at < chunk.length && this.#headerBytes < this.#headerLength) {
      this.#header[this.#headerBytes++] = chunk[at++] as number;
      if (this.#headerBytes === 2) this.#checkStart();
    }
    if (this.#headerBytes === this.#headerLength) this.#beginPayload();
    return at;
  }

  /** Judges the first two bytes, which tell how long the header is. */
  #checkStart(): void {
    const [first = 0, second = 0] = this.#header;
    if ((first & RESERVED_BITS) !== 0) throw broken("its reserved bits are set");
    const isMasked = (second & MASK_BIT) !== 0;
    if (isMasked !== this.#masked) {
      throw broken(this.#masked ? "it is not masked" : "it is masked");
    }
    const length = second & LENGTH_BITS;
    if (this.#isControl) this.#checkControl(length);
    else this.#checkData();
    const more = length === LENGTH_IN_2_BYTES ? 2 : length === LENGTH_IN_8_BYTES ? 8 : 0;
    this.#headerLength = 2 + more + (isMasked ? MASK_KEY_BYTES : 0);
  }

  #checkControl(length: number): void {
    if (this.#opcode > OPCODES.pong) throw broken("its opcode is reserved");
    if (!this.#isFinal) throw broken("it controls the connection and comes in parts");
    if (length > CONTROL_MAX_BYTES) {
      throw broken(`it controls the connection and has more than ${CONTROL_MAX_BYTES} bytes`);
    }
  }

  #checkData(): void {
    if (this.#opcode > OPCODES.binary) throw broken("its opcode is reserved");
    if (this.#opcode === OPCODES.text) {
      throw new WebSocketError(
        CLOSE_CODES.unsupportedData,
        "Cannot read a WebSocket frame: it holds text, only binary messages are allowed",
      );
    }
    if ((this.#opcode === OPCODES.continuation) !== this.#isFragmented) {
      throw broken(
        this.#isFragmented ? "a message begins inside another" : "it continues no message",
      );
    }
    this.#isFragmented = !this.#isFinal;
  }

  #beginPayload(): void {
    this.#left = this.#payloadLength();
    this.#maskAt = 0;
    this.#inPayload = true;
    if (this.#isControl) {
      this.#control = new Uint8Array(this.#left);
      this.#controlBytes = 0;
    }
    if (this.#isControl || this.#left === 0) this.#countEmpty();
    else this.#emptyFrames = 0;
    if (this.#left === 0) this.#endFrame();
  }

  #countEmpty(): void {
    if (++this.#emptyFrames <= EMPTY_FRAMES_MAX) return;
    throw new WebSocketError(
      CLOSE_CODES.policyViolation,
      `Cannot read on: more than ${EMPTY_FRAMES_MAX} WebSocket frames in a row hold no data`,
    );
  }

  #payloadLength(): number {
    const header = this.#header;
    const short = (header[1] as number) & LENGTH_BITS;
    if (short < LENGTH_IN_2_BYTES) return short;
    const view = new DataView(header.buffer, header.byteOffset, header.length);
    if (short === LENGTH_IN_2_BYTES) {
      const length = view.getUint16(2);
      if (length < LENGTH_IN_2_BYTES) throw broken("its length is not in the shortest form");
      return length;
    }
    const length = view.getBigUint64(2);
    if (length > 0x7fff_ffff_ffff_ffffn) throw broken("its length has more than 63 bits");
    if (length <= 0xffffn) throw broken("its length is not in the shortest form");
    if (length <= BigInt(Number.MAX_SAFE_INTEGER)) return Number(length);
    throw new WebSocketError(
      CLOSE_CODES.tooBig,
      "Cannot read a WebSocket frame: it is longer than anybody could send",
    );
  }

  #endFrame(): void {
    this.#inPayload = false;
    this.#headerBytes = 0;
    this.#headerLength = 2;
    const opcode = this.#opcode;
    if (opcode === OPCODES.ping) this.#ping = this.#control;
    else if (opcode === OPCODES.close) this.#closed = { code: readClosePayload(this.#control) };
  }

  #readControl(chunk: Uint8Array, start: number, count: number): void {
    for (let at = start; at < start + count; at++) {
      this.#control[this.#controlBytes++] = (chunk[at] as number) ^ this.#nextMask();
    }
  }

  #moveData(chunk: Uint8Array, { from, to, count }: Move): void {
    if (!this.#masked) {
      if (from !== to) chunk.copyWithin(to, from, from + count);
      return;
    }
    const header = this.#header;
    const keyAt = this.#headerLength - MASK_KEY_BYTES;
    const maskAt = this.#maskAt;
    for (let n = 0; n < count; n++) {
      chunk[to + n] = (chunk[from + n] as number) ^ (header[keyAt + ((maskAt + n) & 3)] as number);
    }
    this.#maskAt = (maskAt + count) & 3;
  }

  #nextMask(): number {
    if (!this.#masked) return 0;
    return this.#header[this.#headerLength - MASK_KEY_BYTES + (this.#maskAt++ & 3)] as number;
  }
}

interface Move {
  readonly from: number;
  readonly to: number;
  readonly count: number;
}

function broken(why: string): WebSocketError {
  return new WebSocketError(
    CLOSE_CODES.protocolError,
    `Cannot read a WebSocket frame: ${why} (RFC 6455)`,
  );
}
