// The title of the terminal's window, which is somebody else's: it is put aside first, and put back at the end.

import { stripVTControlCharacters } from "node:util";

const [PUT_ASIDE, PUT_BACK] = ["\x1b[22;2t", "\x1b[23;2t"];
const LENGTH_MAX = 80;

/** Sets the title while it is switched on (OSC 2). */
export class WindowTitle {
  readonly #write: (text: string) => void;
  #shown: string | undefined;

  constructor(write: (text: string) => void) {
    this.#write = write;
  }

  /** Shows a title; undefined puts the one before back. */
  set(title: string | undefined): void {
    if (title === this.#shown) return;
    if (title === undefined) this.#write(PUT_BACK);
    else this.#write(`${this.#shown === undefined ? PUT_ASIDE : ""}\x1b]2;${safe(title)}\x1b\\`);
    this.#shown = title;
  }
}

/** The caller has sanitized it; here it must not end the sequence, whatever it is. */
function safe(title: string): string {
  return stripVTControlCharacters(title).replace(/\p{Cc}/gu, " ").slice(0, LENGTH_MAX);
}
