// How often progress is told: a file of 10 MiB has 320 chunks, and nobody wants 320 lines of JSON about it.

/** Percent of the file that must have come since the last report. */
const STEP_PERCENT = 1;
/** Milliseconds that must have passed since the last report. */
const STEP_MS = 100;

/** Decides which steps of one transfer are told: the first, those a step further in bytes and in time, and the end. */
export class Progress {
  readonly #size: number;
  readonly #now: () => number;
  #told = 0;
  #toldAt = -Infinity;

  /** `size` in bytes; `now` in milliseconds of any monotonic clock. */
  constructor(size: number, now: () => number) {
    this.#size = size;
    this.#now = now;
  }

  /** Whether to tell that `done` bytes are through; true counts as told. */
  isWorthTelling(done: number): boolean {
    const now = this.#now();
    const hasMoved = (done - this.#told) * 100 >= this.#size * STEP_PERCENT;
    if (done < this.#size && !(hasMoved && now - this.#toldAt >= STEP_MS)) return false;
    this.#told = done;
    this.#toldAt = now;
    return true;
  }
}
