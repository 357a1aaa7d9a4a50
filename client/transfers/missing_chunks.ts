// When a receiver asks for chunks of a file that it did not get, and for which: a window at a time, from the first one
// that is missing, up to where the file is for everybody. What lies behind that comes by itself.

import { FILE_PULL_AGAIN_MS } from "../base/limits.ts";
import { FILE_PULL_CHUNKS_MAX } from "../../shared/base/limits.ts";
import type { ChunkBuffer } from "./chunk_buffer.ts";

/** Chunks that are asked for at once: 512 KiB keep a link busy and leave room for talk. */
const WINDOW = Math.min(16, FILE_PULL_CHUNKS_MAX);

/** What catching up works with. */
export interface MissingChunksOptions {
  readonly data: Pick<ChunkBuffer, "firstMissing" | "missing">;
  /** Asks the sender for `count` chunks from `index` on. */
  readonly ask: (index: number, count: number) => void;
  /** Milliseconds of any monotonic clock. */
  readonly now: () => number;
}

/** The missing chunks of one file. */
export class MissingChunks {
  readonly #options: MissingChunksOptions;
  /** The chunks before this one went to the room. */
  #reached = 0;
  /** The chunk behind the last one that was asked for; undefined where nothing is awaited. */
  #askedUpTo: number | undefined;
  #heardAt: number;

  constructor(options: MissingChunksOptions) {
    this.#options = options;
    this.#heardAt = options.now();
  }

  /** A chunk came. */
  came(index: number): void {
    this.#heardAt = this.#options.now();
    this.#reached = Math.max(this.#reached, index + 1);
    this.#goOn();
  }

  /** The file is that far for everybody. */
  reached(index: number): void {
    this.#reached = Math.max(this.#reached, index);
    // What did not go to the room yet is not sent again either.
    if (this.#askedUpTo !== undefined) this.#askedUpTo = Math.min(this.#askedUpTo, index);
    this.#goOn();
  }

  /** Nobody knows what was missed: a link was lost. */
  startAgain(): void {
    const count = this.#options.data.missing(WINDOW);
    if (count > 0) this.#ask(count);
  }

  /** Looks whether nothing was heard for too long. */
  sweep(): void {
    if (this.#options.now() - this.#heardAt >= FILE_PULL_AGAIN_MS) this.startAgain();
  }

  #goOn(): void {
    const { data } = this.#options;
    const { firstMissing } = data;
    if (this.#askedUpTo !== undefined && firstMissing < this.#askedUpTo) return;
    this.#askedUpTo = undefined;
    const count = data.missing(Math.min(WINDOW, this.#reached - firstMissing));
    if (count > 0) this.#ask(count);
  }

  #ask(count: number): void {
    const { data, ask, now } = this.#options;
    this.#heardAt = now();
    this.#askedUpTo = data.firstMissing + count;
    ask(data.firstMissing, count);
  }
}
