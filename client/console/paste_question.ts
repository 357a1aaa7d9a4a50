// One question before a long paste is sent, so that one key does not send what went into the wrong window.

/** Most lines of a paste that are sent without asking. */
const PASTE_LINES = 5;

/** Whether a paste in the line has still to be asked about. */
export class PasteQuestion {
  readonly #max: (() => number) | undefined;
  #isUnasked = false;

  /** `max`: most lines that are sent without asking, 0 for any number; 5 unless told. */
  constructor(max: (() => number) | undefined) {
    this.#max = max;
  }

  /** A text was pasted. */
  note(text: string): void {
    const max = this.#max?.() ?? PASTE_LINES;
    if (max > 0 && !this.#isUnasked) this.#isUnasked = hasLineBreaks(text, max);
  }

  /** Whether to ask now; true once for each paste. */
  asks(): boolean {
    const asks = this.#isUnasked;
    this.#isUnasked = false;
    return asks;
  }

  /** The line was dropped, or another one took its place. */
  reset(): void {
    this.#isUnasked = false;
  }
}

/** Whether a text has that many line breaks; looks no further than these. */
function hasLineBreaks(text: string, count: number): boolean {
  let at = -1;
  for (let found = 0; found < count; found++) {
    at = text.indexOf("\n", at + 1);
    if (at < 0) return false;
  }
  return true;
}
