// Rows of cells: styled text cut to a width, and the input wrapped to rows with its cursor.
// The last column is never written. So no row leaves the terminal in its "wrap is pending" state, and the cursor
// behind a full row has its own cell.
import { type Cluster, LEFT_TO_RIGHT, splitClusters } from "./width.ts";

/** One cluster as it is painted. */
export interface Glyph {
  readonly text: string;
  /** Cells; 0 for a direction mark only. */
  readonly width: number;
  /** False where terminals disagree about the width. */
  readonly exact: boolean;
  /** SGR sequences that apply to it, from a reset state; "" is plain. */
  readonly style: string;
}

/** A row of the painted area. */
export type Row = readonly Glyph[];

/** A cell, both from 0. */
export interface Position {
  readonly row: number;
  readonly column: number;
}

/** The cell of the cursor at an index of the text (UTF-16 units). */
export interface Cell extends Position {
  readonly index: number;
}

/** The input as rows. */
export interface InputLayout {
  readonly rows: readonly Row[];
  readonly cursor: Position;
  /** Every cell that the cursor may be on, in the order of the text. */
  readonly cells: readonly Cell[];
}

const SGR_SEQUENCE = /(\p{Cc}\[[0-9;:]*m)/u;
const RESET = /^\p{Cc}\[0*m$/u;
const ELLIPSIS: Glyph = { text: "…", width: 1, exact: false, style: "" };
const TAB = "    ";

/** Cells of a row that may be written in a terminal of that width. */
export function usableColumns(columns: number): number {
  return Math.max(1, columns - 1);
}

/** Cells that a row takes. */
export function rowWidth(row: Row): number {
  return row.reduce((sum, glyph) => sum + glyph.width, 0);
}

/** Text with SGR sequences as glyphs; characters without width are left out, and a line end becomes a space. */
export function parseStyled(text: string): Glyph[] {
  const glyphs: Glyph[] = [];
  let style = "";
  for (const part of text.split(SGR_SEQUENCE)) {
    if (SGR_SEQUENCE.test(part)) {
      style = RESET.test(part) ? "" : style + part;
      continue;
    }
    for (const cluster of splitClusters(part.replace(/\s/g, " "))) {
      // A direction mark has no cell: the next glyph is set to its column, whatever the terminal makes of it.
      const isShown = cluster.width > 0 || cluster.text === LEFT_TO_RIGHT;
      if (isShown) glyphs.push({ ...cluster, style });
    }
  }
  return glyphs;
}

/** The row cut to `width` cells, with an ellipsis at its end if something was left out. */
export function shortenEnd(row: Row, width: number): Row {
  if (rowWidth(row) <= width) return row;
  const kept = takeWhileFits(row, width - 1);
  return [...kept, { ...ELLIPSIS, style: row[kept.length]?.style ?? "" }];
}

/** The row cut in its middle to `width` cells, so that its last two glyphs (`> `) stay. */
export function shortenPrompt(row: Row, width: number): Row {
  if (rowWidth(row) <= width || width < 4) return takeWhileFits(row, width);
  const tail = row.slice(-2);
  const kept = takeWhileFits(row, width - rowWidth(tail) - 1);
  return [...kept, { ...ELLIPSIS, style: row[kept.length]?.style ?? "" }, ...tail];
}

/** Wraps prompt and text to rows for a terminal of `columns`; the prompt is shortened to half of a row. */
export function layoutInput(
  prompt: Row,
  input: { readonly text: string; readonly cursor: number; readonly columns: number },
): InputLayout {
  const usable = usableColumns(input.columns);
  const head = shortenPrompt(prompt, Math.ceil(usable / 2));
  const wrapper = new Wrapper(usable, head);
  let index = 0;
  for (const cluster of splitClusters(input.text)) {
    wrapper.add(index, cluster.text === "\n" ? "newline" : visible(cluster));
    index += cluster.text.length;
  }
  const cells = wrapper.end(index);
  const at = cells.findLast((cell) => cell.index <= input.cursor) ?? cells[0];
  return {
    rows: wrapper.rows,
    cursor: { row: at?.row ?? 0, column: at?.column ?? 0 },
    cells,
  };
}

/** Index of the text nearest to the cell, for moving up and down over wrapped rows. */
export function indexAt(layout: InputLayout, position: Position): number {
  const inRow = layout.cells.filter((cell) => cell.row === position.row);
  const best = inRow.findLast((cell) => cell.column <= position.column) ?? inRow[0];
  return best?.index ?? 0;
}

/** How a terminal of that width wraps a row: the rows that it takes, and the one that the column comes to. */
export function rewrap(
  row: Row,
  options: { readonly columns: number; readonly column: number },
): { readonly rows: number; readonly cursorRow: number } {
  let rows = 1;
  let used = 0;
  let seen = 0;
  let cursorRow = 0;
  for (const glyph of row) {
    if (used + glyph.width > options.columns) {
      rows++;
      used = 0;
    }
    used += glyph.width;
    if (seen <= options.column) cursorRow = rows - 1;
    seen += glyph.width;
  }
  return { rows, cursorRow };
}

function takeWhileFits(row: Row, width: number): Row {
  let used = 0;
  const end = row.findIndex((glyph) => (used += glyph.width) > width);
  return end < 0 ? row : row.slice(0, end);
}

function visible(cluster: Cluster): Glyph {
  if (cluster.text === "\t") return { text: TAB, width: TAB.length, exact: true, style: "" };
  // A cluster without width (a direction override, a lone joiner) is shown, so that the user sees all that is sent.
  if (cluster.width === 0) return { text: "\ufffd", width: 1, exact: false, style: "" };
  return { ...cluster, style: "" };
}

class Wrapper {
  readonly rows: Glyph[][];
  readonly #usable: number;
  readonly #cells: Cell[] = [];
  #column: number;

  constructor(usable: number, head: Row) {
    this.#usable = usable;
    this.rows = [[...head]];
    this.#column = rowWidth(head);
  }

  add(index: number, glyph: Glyph | "newline"): void {
    if (glyph !== "newline" && this.#column > 0 && this.#column + glyph.width > this.#usable) {
      this.#newRow();
    }
    this.#cells.push({ index, row: this.rows.length - 1, column: this.#column });
    if (glyph === "newline") return this.#newRow();
    this.rows.at(-1)?.push(glyph);
    this.#column += glyph.width;
  }

  end(index: number): readonly Cell[] {
    this.#cells.push({ index, row: this.rows.length - 1, column: this.#column });
    return this.#cells;
  }

  #newRow(): void {
    this.rows.push([]);
    this.#column = 0;
  }
}
