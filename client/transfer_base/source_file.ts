// A file that is sent, wherever it is: its digest is known before its first byte leaves.

import type { TransferFault } from "./transfer_event.ts";

/** A chunk cannot be sent. */
export class ChunkError extends Error {
  readonly fault: TransferFault;

  constructor(fault: TransferFault) {
    super(fault.reason);
    this.fault = fault;
  }
}

/** A file that may be sent; `size` in bytes, at least 1. */
export interface SourceFile {
  readonly name: string;
  readonly size: number;
  /** It is a tar archive that its receiver unpacks into a folder. */
  readonly isFolder?: boolean;
  /** Left out of a folder: links and what is neither file nor folder. */
  readonly leftOut?: number;
  /** SHA-256 of the whole. */
  readonly hash: Uint8Array<ArrayBuffer>;
  /** Chunk number `index`, in a buffer of its own. Rejects with ChunkError where it is not what it was. */
  chunk(index: number): Promise<Uint8Array>;
  /** Frees what it holds; idempotent. */
  close(): void;
}
