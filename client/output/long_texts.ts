// The rest of long messages, for /more; bounded, in memory only.

import { lastRows, readingLength } from "./shown_line.ts";

const TEXTS_MAX = 50;
const LENGTH_MAX = 1_048_576;

interface LongText {
  /** All rows of the message, for the width of now. */
  readonly draw: () => string;
  /** How much of it was left out, from its end. */
  readonly rest: number;
}

/** Messages of which rows were left out, by number. */
export class LongTexts {
  readonly #texts = new Map<number, LongText>();
  #last = 0;
  #newest = 0;
  #length = 0;

  /**
   * Keeps what was left out: `rows`, of what `draw` draws; gives the number under which it is found, `n` where it had
   * one. The oldest ones go where there are too many.
   */
  keep(
    rows: readonly string[],
    { draw, n = ++this.#last }: { readonly draw: () => string; readonly n?: number | undefined },
  ): number {
    this.#forget(n);
    const rest = readingLength(rows);
    this.#texts.set(n, { draw, rest });
    this.#length += rest;
    this.#newest = n;
    for (const oldest of this.#texts.keys()) {
      if (this.#texts.size <= TEXTS_MAX && this.#length <= LENGTH_MAX) break;
      this.#forget(oldest);
    }
    return n;
  }

  /** The rows of that number, the newest unless told, for the width of now; undefined where there are none. */
  find(n: number = this.#newest): string | undefined {
    const text = this.#texts.get(n);
    return text && lastRows(text.draw().split("\n"), text.rest).join("\n");
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

  #forget(n: number): void {
    this.#length -= this.#texts.get(n)?.rest ?? 0;
    this.#texts.delete(n);
  }
}
