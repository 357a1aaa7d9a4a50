// Which chunks of an accepted file are asked of its sender, and when: as many at once as the way to it takes, and the
// next ones as these come.

import { FILE_PULL_AGAIN_MS } from "../base/limits.ts";
import { FILE_PULL_CHUNKS_MAX } from "../../shared/base/limits.ts";
import type { ChunkBuffer } from "./chunk_buffer.ts";
import { DeliveryWindow } from "../transfer_base/delivery_window.ts";

/** Most chunks that were asked for and have not come: 2 MiB. */
const WINDOW_MAX = 64;

/** What asking works with. */
export interface MissingChunksOptions {
  readonly data: Pick<ChunkBuffer, "firstMissing" | "missing">;
  /** Asks the sender for `count` chunks from `index` on; `count` 0: for none any longer. */
  readonly ask: (index: number, count: number) => void;
  /** Milliseconds of any monotonic clock. */
  readonly now: () => number;
}

/** The missing chunks of one file. */
export class MissingChunks {
  readonly #options: MissingChunksOptions;
  readonly #window: DeliveryWindow;
  /** The chunk behind the last one that was asked for. */
  #askedUpTo = 0;
  #heardAt: number;

  constructor(options: MissingChunksOptions) {
    this.#options = options;
    this.#window = new DeliveryWindow({ now: options.now, most: WINDOW_MAX });
    this.#heardAt = options.now();
  }

  /** Asks from the first missing chunk on: the file was accepted, or nobody knows what was lost with a connection. */
  start(): void {
    this.#window.forget();
    this.#heardAt = this.#options.now();
    this.#askedUpTo = this.#options.data.firstMissing;
    this.#askMore(1);
  }

  /** A chunk came. */
  came(index: number): void {
    this.#heardAt = this.#options.now();
    this.#window.came(String(index));
    this.#askMore(Math.ceil(this.#window.size / 2));
  }

  /** Nothing more is asked for: all is here, or the file is not taken any longer. */
  stop(): void {
    this.#options.ask(this.#options.data.firstMissing, 0);
  }

  /** Asks again where nothing was heard for too long. */
  sweep(): void {
    if (this.#options.now() - this.#heardAt >= FILE_PULL_AGAIN_MS) this.start();
  }

  /** Asks for as many chunks as the window has room for, where these are at least `least` or the last ones. */
  #askMore(least: number): void {
    const { data, ask } = this.#options;
    const { firstMissing } = data;
    const from = Math.max(firstMissing, this.#askedUpTo);
    const room = firstMissing + this.#window.size - from;
    const count = Math.min(data.missing(from, WINDOW_MAX), room, FILE_PULL_CHUNKS_MAX);
    if (count <= 0 || (room < least && from > firstMissing)) return;
    for (let index = from; index < from + count; index++) this.#window.sent(String(index));
    this.#askedUpTo = from + count;
    ask(from, count);
  }
}
