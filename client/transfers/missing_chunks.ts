// Which chunks of an accepted file are asked of its sender, and when: as many at once as the way to it takes, and the
// next ones as these come.

import { FILE_PULL_AGAIN_MS } from "../base/limits.ts";
import { FILE_PULL_CHUNKS_MAX } from "../../shared/base/limits.ts";
import type { ChunkBuffer } from "./chunk_buffer.ts";
import type { DeliveryWindow } from "../transfer_base/delivery_window.ts";

/** Most chunks that were asked for and have not come, of all files together: 2 MiB. */
export const ASKED_WINDOW_MAX = 64;

/** What asking works with. */
export interface MissingChunksOptions {
  readonly data: Pick<ChunkBuffer, "firstMissing" | "missing">;
  /** Asks the sender for `count` chunks from `index` on; `count` 0: for none any longer. */
  readonly ask: (index: number, count: number) => void;
  /** Of all files that come to us; each has a share. */
  readonly window: DeliveryWindow;
  readonly sharers: () => number;
  /** Names the file among them. */
  readonly key: string;
  /** Milliseconds of any monotonic clock. */
  readonly now: () => number;
}

/** The missing chunks of one file. */
export class MissingChunks {
  readonly #options: MissingChunksOptions;
  /** Chunks on their way, or here and not written yet. */
  readonly #asked = new Set<number>();
  /** The chunk behind the last one that was asked for. */
  #askedUpTo = 0;
  /** The largest that this has been. */
  #expectedUpTo = 0;
  #heardAt: number;

  constructor(options: MissingChunksOptions) {
    this.#options = options;
    this.#heardAt = options.now();
  }

  /** Asks from the first missing chunk on: the file was accepted, or nobody knows what was lost with a connection. */
  start(): void {
    this.#forget();
    this.#heardAt = this.#options.now();
    this.#askedUpTo = this.#options.data.firstMissing;
    this.#askMore(1);
  }

  /** Whether a chunk may come: no sender decides how much of its file waits in memory. */
  expects(index: number): boolean {
    return index < this.#expectedUpTo;
  }

  /** A chunk came, and is written. */
  came(index: number): void {
    this.#heardAt = this.#options.now();
    this.#asked.delete(index);
    this.#options.window.came(this.#keyOf(index));
    this.#askMore(Math.ceil(this.#share / 2));
  }

  /** Nothing more is asked for: all is here, or the file is not taken any longer. */
  stop(): void {
    this.#forget();
    this.#options.ask(this.#options.data.firstMissing, 0);
  }

  /** Asks again where nothing was heard for too long. */
  sweep(): void {
    if (this.#options.now() - this.#heardAt >= FILE_PULL_AGAIN_MS) this.start();
  }

  /** Chunks of the window that are this file's. */
  get #share(): number {
    const { window, sharers } = this.#options;
    return Math.max(1, Math.floor(window.size / Math.max(1, sharers())));
  }

  #forget(): void {
    this.#options.window.forget([...this.#asked].map((index) => this.#keyOf(index)));
    this.#asked.clear();
  }

  #keyOf(index: number): string {
    return `${this.#options.key}/${index}`;
  }

  /** Asks for as many chunks as its share of the window has room for, where these are at least `least` or the last ones. */
  #askMore(least: number): void {
    const { data, ask } = this.#options;
    const { firstMissing } = data;
    const from = Math.max(firstMissing, this.#askedUpTo);
    // A gap holds back what follows, and a slow disk what is here.
    const room = this.#share - Math.max(from - firstMissing, this.#asked.size);
    const count = Math.min(data.missing(from, ASKED_WINDOW_MAX), room, FILE_PULL_CHUNKS_MAX);
    if (count <= 0 || (room < least && this.#asked.size > 0)) return;
    for (let index = from; index < from + count; index++) {
      this.#asked.add(index);
      this.#options.window.sent(this.#keyOf(index));
    }
    this.#askedUpTo = from + count;
    this.#expectedUpTo = Math.max(this.#expectedUpTo, this.#askedUpTo);
    ask(from, count);
  }
}
