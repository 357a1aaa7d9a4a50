// The files that one sender has on their way: senders push chunks, so all bounds are checked here. A sender that lost
// its connection goes on where it was; a receiver that lost its connection is sent parts again, as many as it asked
// for. The relay keeps no chunk.

import {
  FILE_CHUNK_BYTES,
  FILE_PULLS,
  FILE_SERVED_MAX,
  FILE_TRANSFERS_PER_SENDER,
} from "../../shared/base/limits.ts";
import type { RequestOf } from "../../shared/messages/messages_v2.ts";
import { formatBytes } from "../../shared/text/byte_size.ts";

/** What one receiver asked for last: chunks from `next` up to `end`; and how many it was sent in all. */
interface Pull {
  next: number;
  end: number;
  total: number;
}

interface Transfer {
  readonly room: number;
  readonly size: number;
  readonly chunks: number;
  next: number;
  readonly pulls: Map<number, Pull>;
}

/** A transfer for another process: file, room, size, next chunk. */
export type TransferState = readonly [file: string, room: number, size: number, next: number];

/** What a receiver asks for. */
export interface RequestedChunks {
  readonly receiver: number;
  readonly file: string;
  readonly index: number;
  readonly count: number;
}

/** The transfers that one sender has open. Methods that judge return why something is refused, or undefined. */
export class FileTransfers {
  readonly #transfers = new Map<string, Transfer>();
  readonly #maxBytes: number;

  /** `maxBytes`: the largest file; 0 = none. */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** An offer. */
  open({ room, file, size, chunks }: RequestOf<"offer">): string | undefined {
    if (this.#maxBytes === 0) return "this server takes no files";
    if (size > this.#maxBytes) {
      return `it has ${formatBytes(size)}, at most ${formatBytes(this.#maxBytes)} are allowed`;
    }
    if (size === 0) return "it is empty";
    if (chunks !== chunksOf(size)) {
      return `${chunks} chunks do not make a file of ${formatBytes(size)}`;
    }
    const known = this.#transfers.get(file);
    if (known !== undefined && !isThrough(known)) return "it is on its way already";
    if (this.#transfers.values().filter(isOpen).toArray().length >= FILE_TRANSFERS_PER_SENDER) {
      return `at most ${FILE_TRANSFERS_PER_SENDER} files at once are allowed`;
    }
    // As the newest: those that were through first give way first.
    this.#transfers.delete(file);
    this.#transfers.set(file, { room, size, chunks, next: 0, pulls: new Map() });
    return undefined;
  }

  /** The next chunk of an open transfer; a wrong one ends the transfer. */
  chunk({ file, index, data, last }: RequestOf<"chunk">): string | undefined {
    const transfer = this.#transfers.get(file);
    if (transfer === undefined || isThrough(transfer)) return "no such file is on its way";
    // A sender that gives up says so with an empty last chunk; receivers must hear it.
    if (last && data.length === 0) {
      this.#transfers.delete(file);
      return undefined;
    }
    const due = transfer.next === transfer.chunks - 1;
    const fits = index === transfer.next && last === due && fitsIn(transfer, index, data);
    if (!fits) this.#transfers.delete(file);
    transfer.next++;
    if (due) this.#forgetBeyond();
    return fits ? undefined : "a chunk is missing, came twice or has the wrong size";
  }

  /** The room of a file and how many of its chunks went there; undefined where it is not known. */
  progress(file: string): { readonly room: number; readonly next: number } | undefined {
    return this.#transfers.get(file);
  }

  /** Whether all chunks of the file went to its room. */
  isThrough(file: string): boolean {
    const transfer = this.#transfers.get(file);
    return transfer !== undefined && isThrough(transfer);
  }

  /**
   * A receiver asks for chunks: how many of them its sender is to send again, of those that went out. What it asked
   * for before does not count any more. Undefined where it can not have them.
   */
  pull({ receiver, file, index, count }: RequestedChunks): number | undefined {
    const transfer = this.#transfers.get(file);
    if (transfer === undefined) return undefined;
    const granted = Math.max(0, Math.min(count, transfer.next - index));
    if (granted === 0) return 0;
    const total = transfer.pulls.get(receiver)?.total ?? 0;
    if (total >= transfer.chunks * FILE_PULLS.times + FILE_PULLS.chunks) return undefined;
    transfer.pulls.delete(receiver);
    if (transfer.pulls.size >= FILE_PULLS.receivers) {
      transfer.pulls.delete(transfer.pulls.keys().next().value as number);
    }
    transfer.pulls.set(receiver, { next: index, end: index + granted, total });
    return granted;
  }

  /** A part for one receiver: whether it is the last chunk; undefined where it was not asked for or does not fit. */
  part({ to, file, index, data }: RequestOf<"part">): { readonly last: boolean } | undefined {
    const transfer = this.#transfers.get(file);
    const pull = transfer?.pulls.get(to);
    if (transfer === undefined || pull === undefined) return undefined;
    if (index < pull.next || index >= pull.end) return undefined;
    if (data.length > 0 && !fitsIn(transfer, index, data)) return undefined;
    pull.next = data.length === 0 ? pull.end : index + 1;
    pull.total++;
    return { last: index === transfer.chunks - 1 || data.length === 0 };
  }

  /** Forgets all, or those for one room: the sender left it. */
  clear(room?: number): void {
    for (const [file, transfer] of this.#transfers) {
      if (room === undefined || transfer.room === room) this.#transfers.delete(file);
    }
  }

  /** What the next process must know. */
  get state(): TransferState[] {
    return Array.from(this.#transfers, ([file, { room, size, next }]) => [file, room, size, next]);
  }

  /** Goes on from the state of the process before. */
  restore(state: readonly TransferState[]): void {
    for (const [file, room, size, next] of state) {
      this.#transfers.set(file, { room, size, chunks: chunksOf(size), next, pulls: new Map() });
    }
  }

  #forgetBeyond(): void {
    const through = [...this.#transfers].filter(([, transfer]) => isThrough(transfer));
    for (const [file] of through.slice(0, -FILE_SERVED_MAX)) this.#transfers.delete(file);
  }
}

function chunksOf(size: number): number {
  return Math.ceil(size / FILE_CHUNK_BYTES);
}

function isThrough({ next, chunks }: Transfer): boolean {
  return next >= chunks;
}

function isOpen(transfer: Transfer): boolean {
  return !isThrough(transfer);
}

function fitsIn({ size }: Transfer, index: number, data: Uint8Array): boolean {
  return data.length === Math.min(FILE_CHUNK_BYTES, size - index * FILE_CHUNK_BYTES);
}
