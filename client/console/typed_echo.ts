// Shows a line while it is typed, in a terminal whose cursor is never moved but back over the last letters of a row.

import { splitClusters } from "../terminal/width.ts";

const TAB = "    ";

/** The end of the typed line as far as the terminal shows it. */
export class TypedEcho {
  readonly #write: (text: string) => void;
  readonly #columns: () => number;
  /** Cells behind the last line break that was written; 0 = the cursor stands at the left. */
  #cells = 0;

  constructor(write: (text: string) => void, columns: () => number) {
    this.#write = write;
    this.#columns = columns;
  }

  /** Shows more text at the end. */
  add(text: string): void {
    this.#write(shownText(text));
    const last = text.lastIndexOf("\n");
    if (last >= 0) this.#cells = 0;
    this.#cells += cellsOf(text.slice(last + 1));
  }

  /** Takes letters off the end: `after` is the beginning of `before`. */
  shorten(before: string, after: string): void {
    const removed = before.slice(after.length);
    if (removed === "") return;
    const cells = cellsOf(removed);
    const columns = this.#columns();
    const inRow = this.#cells % columns;
    // Terminals do not go back over the start of a row, and widths are theirs to know: then the line is shown again.
    if (removed.includes("\n") || !isCertain(removed) || inRow < cells) return this.repeat(after);
    this.#write("\b".repeat(cells) + " ".repeat(cells) + "\b".repeat(cells));
    this.#cells -= cells;
  }

  /** Shows a line once more, in a separate row. */
  repeat(text: string): void {
    this.endRow();
    if (text !== "") this.add(text);
  }

  /** Marks the line as given up. */
  drop(): void {
    this.#write("^C\n");
    this.#cells = 0;
  }

  /** Ends a typed line. */
  endLine(): void {
    this.#write("\n");
    this.#cells = 0;
  }

  /** Moves to a fresh row if this one is not empty. */
  endRow(): void {
    if (this.#cells > 0) this.endLine();
  }
}

/** A lone control character or one without a cell would be lost, or do what nobody typed. */
function shownText(text: string): string {
  return text.replaceAll("\t", TAB).replace(/\p{Cc}/gu, (c) => c === "\n" ? c : "\ufffd");
}

function cellsOf(text: string): number {
  return splitClusters(shownText(text)).reduce((sum, { width }) => sum + width, 0);
}

function isCertain(text: string): boolean {
  return splitClusters(shownText(text)).every(({ exact }) => exact);
}
