// A histogram of times. Recording one costs some 20 ns (ADR 17).

/** Times in seconds, counted under ascending bounds. */
export class Histogram {
  readonly bounds: readonly number[];
  readonly #counts: Float64Array;
  #sum = 0;

  /** `bounds` in seconds, ascending; times above the last bound are counted as well. */
  constructor(bounds: readonly number[]) {
    this.bounds = bounds;
    this.#counts = new Float64Array(bounds.length + 1);
  }

  /** Records one time. */
  observe(seconds: number): void {
    let slot = 0;
    while (slot < this.bounds.length && seconds > (this.bounds[slot] as number)) slot++;
    this.#counts[slot] = (this.#counts[slot] as number) + 1;
    this.#sum += seconds;
  }

  /** Sum of all times in seconds. */
  get sum(): number {
    return this.#sum;
  }

  /** For each bound, the number of times up to it; last, the number of all times. */
  get cumulative(): number[] {
    let total = 0;
    return Array.from(this.#counts, (count) => total += count);
  }
}
