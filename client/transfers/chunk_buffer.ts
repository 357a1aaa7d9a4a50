// One file on its way to us, held in memory. Senders push at once, so everything they claim is checked here before it
// is kept: what a transfer costs was fixed by its offer. Where the offer has the file's digest, chunks may have gaps
// that are filled later, and the whole is held against the digest.

import { equalBytes, toHex } from "#platform/bytes.ts";
import { createSha256, type Sha256 } from "#platform/hash.ts";
import { FILE_CHUNK_BYTES } from "../../shared/base/limits.ts";
import type { EventOf } from "../../shared/messages/messages_v2.ts";
import { formatBytes } from "../../shared/text/byte_size.ts";
import type { TransferFault } from "../transfer_base/transfer_event.ts";

type Offer = Pick<EventOf<"offer">, "size" | "chunks" | "hash">;
type Chunk = Pick<EventOf<"chunk">, "index" | "data" | "last">;

/** What is wrong with an offer on its own; `fileMax` in bytes. */
export function faultOfOffer(
  offer: Offer & { readonly folder?: boolean },
  fileMax: number,
): TransferFault | undefined {
  const { size, chunks, hash, folder } = offer;
  if (size > fileMax) {
    const reason = `it has ${size} bytes, at most ${fileMax} (${formatBytes(fileMax)}) are allowed`;
    return { code: "too_large", reason };
  }
  if (size === 0 && (hash === null || !equalBytes(hash, createSha256().digest()))) {
    const reason = hash === null ? "it is empty" : "its SHA-256 is not that of an empty file";
    return { code: "bad_offer", reason };
  }
  if (size === 0 && folder) {
    return { code: "bad_offer", reason: "it is not the archive of one folder" };
  }
  if (chunks !== Math.ceil(size / FILE_CHUNK_BYTES)) {
    return { code: "bad_offer", reason: `${chunks} chunks do not make ${formatBytes(size)}` };
  }
  return undefined;
}

/** What may stay in memory besides a chunk: the message around it. */
const SPARE_MAX_BYTES = 4_096;

/** In place of a chunk that was taken away. */
const TAKEN = new Uint8Array();

/** The bytes of one offered file; the offer must have passed `faultOfOffer`. */
export class ChunkBuffer {
  /** Bytes of the whole file. */
  readonly size: number;
  readonly #expected: Uint8Array | undefined;
  #chunks: (Uint8Array | undefined)[];
  #received = 0;
  /** The first chunk that is not here: all before it are hashed. */
  #first = 0;
  /** The first chunk that was not taken away. */
  #taken = 0;
  #hasKept = false;
  readonly #hash: Sha256 = createSha256();
  #sha256: string | undefined;

  constructor(offer: Offer) {
    this.size = offer.size;
    this.#expected = offer.hash ?? undefined;
    this.#chunks = Array.from({ length: offer.chunks });
    if (this.isComplete) this.#sha256 = toHex(this.#hash.digest());
  }

  /** Bytes that are here. */
  get received(): number {
    return this.#received;
  }

  /** The bytes, one entry a chunk; to be asked for when all are here. */
  get chunks(): readonly Uint8Array[] {
    return this.#chunks.filter((chunk) => chunk !== undefined);
  }

  /** Whether some of it was here before: it may have come from another sender, who says that the file is the same. */
  get hasKept(): boolean {
    return this.#hasKept;
  }

  /** The first chunk that is not here. */
  get firstMissing(): number {
    return this.#first;
  }

  /** Whether gaps may be filled later. */
  get mayHaveGaps(): boolean {
    return this.#expected !== undefined;
  }

  /** True when all chunks are here. */
  get isComplete(): boolean {
    return this.#received === this.size;
  }

  /** Hex digest of the whole file; undefined until it is complete. */
  get sha256(): string | undefined {
    return this.#sha256;
  }

  /** How many chunks from `index` on are missing in a row, `most` at most. */
  missing(index: number, most: number): number {
    let count = 0;
    while (count < most && this.#isMissing(index + count)) count++;
    return count;
  }

  /** Takes a chunk; a fault means that the transfer is over, and nothing of the chunk was kept. */
  add(chunk: Chunk): TransferFault | undefined {
    const { index, data, last } = chunk;
    if (isGivingUp(chunk)) return { code: "sender_gave_up", reason: "its sender gave up" };
    if (this.isComplete) return badChunk("a chunk came after the last one");
    // Asked for again and already on its way: it came over both ways.
    if (this.mayHaveGaps && index < this.#chunks.length && !this.#isMissing(index)) {
      return undefined;
    }
    if (index < this.#first) return badChunk("a chunk came twice");
    if (index > this.#first && !this.mayHaveGaps) return badChunk("a chunk is missing");
    const left = this.size - index * FILE_CHUNK_BYTES;
    const bytes = Math.min(left, FILE_CHUNK_BYTES);
    if (last !== (left === bytes)) return badChunk("it does not end where it should");
    if (data.length !== bytes) return badChunk("a chunk has the wrong size");
    // What came may be a view into a larger buffer, which would stay as long as this.
    const spare = data.buffer.byteLength - data.length;
    return this.#keep(index, spare > SPARE_MAX_BYTES ? new Uint8Array(data) : data);
  }

  /** Takes a chunk that was here before: the next one. */
  addKept(data: Uint8Array): void {
    this.#hasKept = true;
    this.#keep(this.#first, data);
    this.#chunks[this.#taken++] = TAKEN;
  }

  /** Takes the chunks away that are here without a gap before them, so that they are written and not held. */
  takeOrdered(): Uint8Array[] {
    const ordered: Uint8Array[] = [];
    for (; this.#taken < this.#first; this.#taken++) {
      ordered.push(this.#chunks[this.#taken] as Uint8Array);
      this.#chunks[this.#taken] = TAKEN;
    }
    return ordered;
  }

  /** Frees the bytes. */
  release(): void {
    this.#chunks = [];
  }

  #isMissing(index: number): boolean {
    return index < this.#chunks.length && this.#chunks[index] === undefined;
  }

  #keep(index: number, data: Uint8Array): TransferFault | undefined {
    this.#chunks[index] = data;
    this.#received += data.length;
    for (let next = this.#chunks[this.#first]; next !== undefined;) {
      this.#hash.update(next);
      next = this.#chunks[++this.#first];
    }
    if (!this.isComplete) return undefined;
    const digest = this.#hash.digest();
    this.#sha256 = toHex(digest);
    if (this.#expected === undefined || equalBytes(digest, this.#expected)) {
      return undefined;
    }
    return { code: "bad_digest", reason: "it is not what its sender said: its SHA-256 differs" };
  }
}

/** docs/PROTOCOL.md, V14. */
function isGivingUp(chunk: Chunk): boolean {
  return chunk.last && chunk.data.length === 0;
}

function badChunk(reason: string): TransferFault {
  return { code: "bad_chunk", reason };
}
