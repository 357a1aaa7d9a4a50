// The lines that the user entered, for arrow keys and search; in memory only.

import { withoutSecrets } from "../../shared/base/sanitize.ts";

const MAX_ENTRIES = 500;
const MAX_LENGTH = 262_144;

/** Entered texts, oldest first, with a position that moves over them; the draft is kept meanwhile. */
export class InputHistory {
  readonly #entries: string[] = [];
  #length = 0;
  #position = 0;
  #draft = "";

  /**
   * Adds a text, and moves to the newest end. Not one that is empty or repeats the last one, and no command that is only
   * about a link with a token or a room's secret: somebody who looks at the screen later would read it.
   */
  add(text: string): void {
    if (text !== "" && text !== this.#entries.at(-1) && !isSecretCommand(text)) {
      this.#entries.push(text);
      this.#length += text.length;
      while (this.#entries.length > MAX_ENTRIES || this.#length > MAX_LENGTH) {
        this.#length -= this.#entries.shift()?.length ?? 0;
      }
    }
    this.leave();
  }

  /** The entry before the present one; the first step keeps `current` as the draft. */
  older(current: string): string | undefined {
    if (this.#position === 0) return undefined;
    if (this.#position === this.#entries.length) this.#draft = current;
    return this.#entries[--this.#position];
  }

  /** The entry after the present one; the last is the draft. */
  newer(): string | undefined {
    if (this.#position === this.#entries.length) return undefined;
    this.#position++;
    return this.#entries[this.#position] ?? this.#draft;
  }

  /** Moves to the newest end and drops the draft. */
  leave(): void {
    this.#position = this.#entries.length;
    this.#draft = "";
  }

  /** The newest entry that contains the query and has an index below `before` (default: all entries). */
  search(
    query: string,
    before: number = this.#entries.length,
  ): { readonly index: number; readonly text: string } | undefined {
    if (query === "") return undefined;
    const wanted = query.toLowerCase();
    for (let index = before - 1; index >= 0; index--) {
      const text = this.#entries[index] as string;
      if (text.toLowerCase().includes(wanted)) return { index, text };
    }
    return undefined;
  }
}

function isSecretCommand(text: string): boolean {
  return /^\/[^\s/]+\s+\S+\s*$/.test(text) && withoutSecrets(text) !== text;
}
