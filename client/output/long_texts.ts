// Hidden rows of long messages, for /more; bounded, in memory only.

import type { RenderedLine, SpanRow } from "../render/shown.ts";
import { lastRows, readingLength } from "./shown_line.ts";

const TEXTS_MAX = 50;
const LENGTH_MAX = 1_048_576;

interface LongText {
  /** All rows of the message for the present width. */
  readonly draw: () => RenderedLine;
  /** Characters of it that are hidden, counted from its end. */
  readonly rest: number;
}

/** Messages with hidden rows, by number. */
export class LongTexts {
  readonly #texts = new Map<number, LongText>();
  #last = 0;
  #newest = 0;
  #length = 0;

  /**
   * Keeps a message whose `rows` at the end are hidden, and returns its number: `n` if it had one already. Above the
   * bound the oldest messages are dropped.
   */
  keep(
    rows: readonly SpanRow[],
    { draw, n = ++this.#last }: {
      readonly draw: () => RenderedLine;
      readonly n?: number | undefined;
    },
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

  /** The hidden rows of message `n`, by default the newest, for the present width; undefined if there are none. */
  find(n: number = this.#newest): RenderedLine | undefined {
    const text = this.#texts.get(n);
    if (text === undefined) return undefined;
    const shown = text.draw();
    return { ...shown, rows: lastRows(shown.rows, text.rest) };
  }

  /** The numbers of all kept messages. */
  get numbers(): number[] {
    return [...this.#texts.keys()];
  }

  /** Drops all messages. */
  clear(): void {
    this.#texts.clear();
    this.#length = 0;
  }

  #forget(n: number): void {
    this.#length -= this.#texts.get(n)?.rest ?? 0;
    this.#texts.delete(n);
  }
}
