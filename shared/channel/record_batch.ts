// What is inside records: messages one after another, the large ones in pieces (docs/PROTOCOL.md §6.4).
// A message is framed once and the same bytes go to every recipient; there is one way to write each message.

import { BytePool, concatBytes } from "../base/bytes.ts";
import { LimitError, ProtocolError } from "../base/errors.ts";
import { BODY_MAX_BYTES } from "../base/limits.ts";
import { RECORD_MAX_CONTENT } from "./record_cipher.ts";

const PREFIX_BYTES = 4;
// Rooms remember hundreds of messages like "joined": up to here each is a part of a larger buffer.
const SMALL_BYTES = 256;
// Not smallBytes(): a session that comes in while others talk would keep a whole buffer for each of its keys.
const smallPieces = new BytePool();
/** Bytes of a message that one record can carry. */
export const PIECE_MAX_BYTES = RECORD_MAX_CONTENT - PREFIX_BYTES;

// The top bit of a prefix: the message goes on in the next record. The other 31 bits are the length.
const MORE = 0x8000_0000;

/** A message from here on is passed by reference, where it is most of its buffer. */
const SHARED_MIN_BYTES = 16_384;
const SHARED_SPARE_BYTES = 4_096;

/** A piece of a message with its prefix, perhaps in parts, to be put together. */
export type Piece = Uint8Array | readonly Uint8Array[];

/** The pieces of one message; each fits into a record. Share it among recipients. */
export type FramedBody = readonly Piece[];

/** Frames a message body of 1 byte to `maxBytes`. Throws LimitError. */
export function frameBody(body: Uint8Array, maxBytes = BODY_MAX_BYTES): readonly Uint8Array[] {
  const { length } = body;
  if (length === 0 || length > maxBytes) {
    throw new LimitError(`Cannot send a message of ${length} bytes: 1 to ${maxBytes} are allowed`);
  }
  // The room for more that an array gets with its first push would cost each remembered message 130 bytes.
  if (length <= PIECE_MAX_BYTES) return [framePiece(body, false)];
  const pieces: Uint8Array[] = [];
  for (let at = 0; at < length; at += PIECE_MAX_BYTES) {
    pieces.push(framePiece(body.subarray(at, at + PIECE_MAX_BYTES), at + PIECE_MAX_BYTES < length));
  }
  return pieces;
}

/** The same of a body that is the parts one after another. Large parts are not copied, and must not change any more. */
export function frameParts(parts: readonly Uint8Array[]): FramedBody {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  if (length > PIECE_MAX_BYTES || !parts.some(isShared)) return frameBody(concatBytes(parts));
  const prefix = new Uint8Array(PREFIX_BYTES);
  new DataView(prefix.buffer).setUint32(0, length);
  return [[prefix, ...parts]];
}

/** A part of a much larger buffer would keep all of that in memory while it waits. */
function isShared({ length, buffer }: Uint8Array): boolean {
  return length >= SHARED_MIN_BYTES && buffer.byteLength - length <= SHARED_SPARE_BYTES;
}

function framePiece(bytes: Uint8Array, more: boolean): Uint8Array {
  const length = PREFIX_BYTES + bytes.length;
  const piece = length <= SMALL_BYTES ? smallPieces.take(length) : new Uint8Array(length);
  const prefix = more ? MORE + bytes.length : bytes.length;
  new DataView(piece.buffer, piece.byteOffset).setUint32(0, prefix);
  piece.set(bytes, PREFIX_BYTES);
  return piece;
}

/** The body that was framed; a part of it where it is short. */
export function unframeBody(body: FramedBody): Uint8Array {
  // Of a piece in parts the first one is its prefix.
  return concatBytes(
    body.flatMap((piece) =>
      piece instanceof Uint8Array ? [piece.subarray(PREFIX_BYTES)] : piece.slice(1)
    ),
  );
}

/** Bytes that a framed body takes in records. */
export function framedBytes(body: FramedBody): number {
  let sum = 0;
  for (const piece of body) sum += pieceBytes(piece);
  return sum;
}

function pieceBytes(piece: Piece): number {
  if (piece instanceof Uint8Array) return piece.length;
  return piece.reduce((sum, { length }) => sum + length, 0);
}

/** The parts of each record that carries these bodies, in order, as few records as order allows. */
export function packBatches(bodies: readonly FramedBody[]): Uint8Array[][] {
  const batches: Uint8Array[][] = [];
  let batch: Uint8Array[] = [];
  let count = 0;
  let room = 0;
  for (let at = 0; at < bodies.length; at++) {
    for (const piece of bodies[at] as FramedBody) {
      const bytes = pieceBytes(piece);
      if (bytes > room) {
        batch.length = count;
        // Room for all that is left, in most cases exactly so much: an array that grows leaves three times its size behind.
        batch = new Array(bodies.length - at);
        batches.push(batch);
        count = 0;
        room = RECORD_MAX_CONTENT;
      }
      if (piece instanceof Uint8Array) batch[count++] = piece;
      else for (const part of piece) batch[count++] = part;
      room -= bytes;
    }
  }
  batch.length = count;
  return batches;
}

/** Takes the contents of records and gives whole message bodies. One for a direction. */
export class BatchReader {
  /** Bytes of the largest message to accept; small until the peer has shown its token. */
  maxBytes: number;
  readonly #limitOf: (start: Uint8Array) => number;
  #pieces: Uint8Array[] = [];
  #size = 0;
  #limit = 0;

  /** `limitOf`: bytes of the largest message that begins like this; its first piece decides. */
  constructor(maxBytes = BODY_MAX_BYTES, limitOf: (start: Uint8Array) => number = () => Infinity) {
    this.maxBytes = maxBytes;
    this.#limitOf = limitOf;
  }

  /** The bodies that this content completes, in order. Throws ProtocolError or LimitError. */
  push(content: Uint8Array): Uint8Array[] {
    const bodies: Uint8Array[] = [];
    const view = new DataView(content.buffer, content.byteOffset, content.byteLength);
    for (let at = 0; at < content.length;) {
      if (content.length - at < PREFIX_BYTES) throw malformed();
      const prefix = view.getUint32(at);
      const more = prefix >= MORE;
      const start = at + PREFIX_BYTES;
      at = start + (more ? prefix - MORE : prefix);
      if (at > content.length || at === start) throw malformed();
      const body = this.#add(content.subarray(start, at), more);
      if (body !== undefined) bodies.push(body);
    }
    return bodies;
  }

  #add(piece: Uint8Array, more: boolean): Uint8Array | undefined {
    // One length for all pieces but the last: there is one way to cut, and no flood of tiny pieces.
    if (more && piece.length !== PIECE_MAX_BYTES) throw malformed();
    if (this.#pieces.length === 0) this.#limit = Math.min(this.maxBytes, this.#limitOf(piece));
    const size = this.#size + piece.length;
    if (size + (more ? 1 : 0) > this.#limit) {
      throw new LimitError(`Cannot take a message of more than ${this.#limit} bytes`);
    }
    if (!more && this.#pieces.length === 0) return piece;
    this.#pieces.push(piece);
    this.#size = size;
    return more ? undefined : this.#join();
  }

  #join(): Uint8Array {
    const whole = new Uint8Array(this.#size);
    let at = 0;
    for (const piece of this.#pieces) {
      whole.set(piece, at);
      at += piece.length;
    }
    this.#pieces = [];
    this.#size = 0;
    return whole;
  }
}

function malformed(): ProtocolError {
  return new ProtocolError("Cannot read a record: its messages do not fit its bytes");
}
