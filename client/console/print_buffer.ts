// Text that waits for the next update of the screen.

// A terminal that takes no output (suspended, or a dead line) must not make the client grow without bound.
const MAX_WAITING = 4_194_304;

/** Printed texts in order, bounded. Above the bound the oldest are dropped, and their number is printed. */
export class PrintBuffer {
  readonly #maxLength: number;
  #texts: string[] = [];
  #length = 0;
  #dropped = 0;

  /** `maxLength` in UTF-16 units. */
  constructor(maxLength: number = MAX_WAITING) {
    this.#maxLength = maxLength;
  }

  /** Adds a text at the end. */
  add(text: string): void {
    this.#texts.push(text);
    this.#length += text.length;
    if (this.#length > this.#maxLength) this.#dropOldest();
  }

  /** Removes and returns all waiting texts. */
  take(): readonly string[] {
    const texts = this.#texts;
    if (this.#dropped > 0) {
      texts.unshift(`(${this.#dropped} messages not shown: the terminal was busy)`);
    }
    this.#texts = [];
    this.#length = 0;
    this.#dropped = 0;
    return texts;
  }

  /** Down to half of the bound, so that a storm does not shift the array for each text. */
  #dropOldest(): void {
    let count = 0;
    while (this.#length > this.#maxLength / 2 && count < this.#texts.length - 1) {
      this.#length -= this.#texts[count++]?.length ?? 0;
    }
    this.#texts.splice(0, count);
    this.#dropped += count;
  }
}
