// The rest of long messages, for /more; bounded, in memory only.

const TEXTS_MAX = 50;
const LENGTH_MAX = 1_048_576;

/** Rows that were left out, by number. */
export class LongTexts {
  readonly #texts = new Map<number, string>();
  #last = 0;
  #length = 0;

  /** Keeps rows; gives the number under which they are found. The oldest ones go where there are too many. */
  keep(rows: readonly string[]): number {
    const text = rows.join("\n");
    this.#texts.set(++this.#last, text);
    this.#length += text.length;
    for (const [n, { length }] of this.#texts) {
      if (this.#texts.size <= TEXTS_MAX && this.#length <= LENGTH_MAX) break;
      this.#texts.delete(n);
      this.#length -= length;
    }
    return this.#last;
  }

  /** The rows of that number, the newest unless told; undefined where there are none. */
  find(n: number = this.#last): string | undefined {
    return this.#texts.get(n);
  }

  /** Numbers that are still kept. */
  get numbers(): number[] {
    return [...this.#texts.keys()];
  }

  /** Forgets all. */
  clear(): void {
    this.#texts.clear();
    this.#length = 0;
  }
}
