// One file on its way to us, held in memory. Senders push at once, so everything they claim is checked here before it
// is kept: what a transfer costs was fixed by its offer.

import { createHash, type Hash } from "node:crypto";
import { FILE_CHUNK_BYTES } from "../shared/limits.ts";
import type { EventOf } from "../shared/messages_v2.ts";
import { formatBytes } from "../shared/option_values.ts";
import type { TransferFault } from "./transfers.ts";

type Offer = Pick<EventOf<"offer">, "size" | "chunks">;
type Chunk = Pick<EventOf<"chunk">, "index" | "data" | "last">;

/** What is wrong with an offer by itself; `fileMax` in bytes. */
export function faultOfOffer(offer: Offer, fileMax: number): TransferFault | undefined {
  const { size, chunks } = offer;
  if (size > fileMax) {
    const reason = `it has ${size} bytes, at most ${fileMax} (${formatBytes(fileMax)}) are allowed`;
    return { code: "too_large", reason };
  }
  if (size === 0) return { code: "bad_offer", reason: "it is empty" };
  if (chunks !== Math.ceil(size / FILE_CHUNK_BYTES)) {
    return { code: "bad_offer", reason: `${chunks} chunks do not make ${formatBytes(size)}` };
  }
  return undefined;
}

/** The bytes of one offered file, in order; the offer must have passed `faultOfOffer`. */
export class IncomingFile {
  /** Bytes of the whole file. */
  readonly size: number;
  #chunks: Uint8Array[] = [];
  #received = 0;
  readonly #hash: Hash = createHash("sha256");
  #sha256: string | undefined;

  constructor(offer: Offer) {
    this.size = offer.size;
  }

  /** Bytes that are here. */
  get received(): number {
    return this.#received;
  }

  /** The bytes so far, one entry a chunk. */
  get chunks(): readonly Uint8Array[] {
    return this.#chunks;
  }

  /** True when the last chunk is here. */
  get isComplete(): boolean {
    return this.#received === this.size;
  }

  /** Hex digest of the whole file; undefined until it is complete. */
  get sha256(): string | undefined {
    return this.#sha256;
  }

  /** Takes the next chunk; a fault means that the transfer is over, and nothing of the chunk was kept. */
  add(chunk: Chunk): TransferFault | undefined {
    if (this.isComplete) return badChunk("a chunk came after the last one");
    const left = this.size - this.#received;
    const bytes = Math.min(left, FILE_CHUNK_BYTES);
    const next = this.#received / FILE_CHUNK_BYTES;
    if (isGivingUp(chunk)) return { code: "sender_gave_up", reason: "its sender gave up" };
    if (chunk.index < next) return badChunk("a chunk came twice");
    if (chunk.index > next) return badChunk("a chunk is missing");
    if (chunk.last !== (left === bytes)) return badChunk("it does not end where it should");
    if (chunk.data.length !== bytes) return badChunk("a chunk has the wrong size");
    // What came may be a view into a larger buffer, which would stay as long as this.
    this.#keep(new Uint8Array(chunk.data));
    return undefined;
  }

  /** Frees the bytes. */
  release(): void {
    this.#chunks = [];
  }

  #keep(data: Uint8Array): void {
    this.#chunks.push(data);
    this.#received += data.length;
    this.#hash.update(data);
    if (this.isComplete) this.#sha256 = this.#hash.digest("hex");
  }
}

/** docs/PROTOCOL.md, V14. */
function isGivingUp(chunk: Chunk): boolean {
  return chunk.last && chunk.data.length === 0;
}

function badChunk(reason: string): TransferFault {
  return { code: "bad_chunk", reason };
}
