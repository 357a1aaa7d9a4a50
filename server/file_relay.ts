// What one sender's files may look like on their way through: senders push chunks, so all bounds are checked here.

import { FILE_CHUNK_BYTES, FILE_TRANSFERS_PER_SENDER } from "../shared/limits.ts";
import type { RequestOf } from "../shared/messages_v2.ts";
import { formatBytes } from "../shared/option_values.ts";

interface Transfer {
  readonly room: number;
  readonly size: number;
  readonly chunks: number;
  next: number;
}

/** The transfers that one sender has open. Each method returns why something is refused, or undefined. */
export class FileRelay {
  readonly #open = new Map<string, Transfer>();
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
    if (chunks !== Math.ceil(size / FILE_CHUNK_BYTES)) {
      return `${chunks} chunks do not make a file of ${formatBytes(size)}`;
    }
    if (this.#open.has(file)) return "it is on its way already";
    if (this.#open.size >= FILE_TRANSFERS_PER_SENDER) {
      return `at most ${FILE_TRANSFERS_PER_SENDER} files at once are allowed`;
    }
    this.#open.set(file, { room, size, chunks, next: 0 });
    return undefined;
  }

  /** The next chunk of an open transfer; a wrong one ends the transfer. */
  chunk({ file, index, data, last }: RequestOf<"chunk">): string | undefined {
    const transfer = this.#open.get(file);
    if (transfer === undefined) return "no such file is on its way";
    // A sender that gives up says so with an empty last chunk; receivers must hear it.
    if (last && data.length === 0) {
      this.#open.delete(file);
      return undefined;
    }
    const due = transfer.next === transfer.chunks - 1;
    const bytes = due ? transfer.size - transfer.next * FILE_CHUNK_BYTES : FILE_CHUNK_BYTES;
    const fits = index === transfer.next && last === due && data.length === bytes;
    if (!fits || due) this.#open.delete(file);
    transfer.next++;
    return fits ? undefined : "a chunk is missing, came twice or has the wrong size";
  }

  /** The number of the room that a file goes to; undefined where it is not on its way. */
  roomOf(file: string): number | undefined {
    return this.#open.get(file)?.room;
  }

  /** Forgets all, or those for one room: the sender left it. */
  clear(room?: number): void {
    for (const [file, transfer] of this.#open) {
      if (room === undefined || transfer.room === room) this.#open.delete(file);
    }
  }
}
