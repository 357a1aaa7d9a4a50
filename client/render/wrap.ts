// Wraps lines into rows. All rows but a message's first are indented, and no row is left for the terminal to wrap: text
// of a peer in the first column could pass for another line.

import { type Cluster, markFor, splitClusters } from "../terminal/width.ts";

/** The indent of all rows but the first of a message. */
export const INDENT = "    ";

// The blanks that sanitize.ts leaves in a text.
const GAPS = /([ \u3000]+)/;
const WIDE_BLANK = "\u3000";

/** A row as a range of its line, from `start` up to `end` (UTF-16 units). */
export interface RowRange {
  readonly start: number;
  readonly end: number;
}

/** The width of rows: cells taken before the first row, and cells of a row. */
export interface RowWidth {
  readonly first: number;
  readonly columns: number;
  /** Cells before all rows but the first; default INDENT. */
  readonly rest?: number;
  /** Whether a word wider than a row stays whole, so that it can be copied; only for texts of this client. */
  readonly keepsWords?: boolean;
}

/** Rows of a line, broken between words, and within a word that is wider than a row. */
export function breakWords(
  line: string,
  { first, columns, rest = INDENT.length, keepsWords = false }: RowWidth,
): RowRange[] {
  const rows = new RowBreaker(line, first, rest);
  const cellsMax = columns - markFor(line).length;
  // At an odd index is a gap.
  for (const [index, piece] of line.split(GAPS).entries()) {
    if (piece === "") continue;
    if (index % 2 === 1) {
      rows.take(piece.length, gapCells(piece));
      continue;
    }
    const clusters = splitClusters(piece);
    const cells = cellsOf(clusters);
    if (rows.width + cells <= cellsMax) rows.take(piece.length, cells);
    else if (rest + cells <= cellsMax || keepsWords) {
      rows.end();
      rows.take(piece.length, cells);
    } else {
      // What has to be cut begins in a row of its own, unless there is room for much of it.
      if (cellsMax - rows.width < cellsMax / 2 && rows.width > rest) rows.end();
      rows.takeCells(clusters, cellsMax);
    }
  }
  return rows.done();
}

/** Rows of a line, broken where a row is full. */
export function breakCells(
  line: string,
  { first, columns, rest = INDENT.length }: RowWidth,
): RowRange[] {
  const rows = new RowBreaker(line, first, rest);
  rows.takeCells(splitClusters(line), columns - markFor(line).length);
  return rows.done();
}

/** Collects the rows of one line from left to right. */
class RowBreaker {
  width: number;
  readonly #rows: RowRange[] = [];
  readonly #line: string;
  readonly #rest: number;
  #start = 0;
  #at = 0;

  constructor(line: string, first: number, rest: number) {
    this.#line = line;
    this.width = first;
    this.#rest = rest;
  }

  take(length: number, cells: number): void {
    this.#at += length;
    this.width += cells;
  }

  takeCells(clusters: readonly Cluster[], columns: number): void {
    for (const { text, widest } of clusters) {
      if (this.width + widest > columns && this.#at > this.#start) this.end();
      this.take(text.length, widest);
    }
  }

  /** Ends the row here, without the blanks at its end; the first row may be empty. */
  end(): void {
    const row = this.#line.slice(this.#start, this.#at);
    this.#rows.push({ start: this.#start, end: this.#start + row.trimEnd().length });
    this.#start = this.#at;
    this.width = this.#rest;
  }

  done(): RowRange[] {
    this.end();
    return this.#rows;
  }
}

/** Without finding clusters, which takes long: a text may have as many gaps as letters. */
function gapCells(gap: string): number {
  return gap.length + (gap.split(WIDE_BLANK).length - 1);
}

function cellsOf(clusters: readonly Cluster[]): number {
  return clusters.reduce((sum, { widest }) => sum + widest, 0);
}

// A left column that takes more than this share of a row is no hanging indent.
const HANG_SHARE = 0.45;
const LEFT_COLUMN = /^\S(?:.*?\S)?? {2,}(?=\S)/;

/** A line in two columns, and the cells before its right one; in a narrow terminal that stands right behind the left. */
function tableRow(line: string, columns: number): { readonly line: string; readonly hang: number } {
  const left = LEFT_COLUMN.exec(line)?.[0] ?? "";
  const cells = cellsOf(splitClusters(left));
  if (cells <= columns * HANG_SHARE) return { line, hang: cells };
  return { line: `${left.trimEnd()}  ${line.slice(left.length)}`, hang: 0 };
}

/** The indent of a row in a terminal of that width: so narrow a terminal has no room for more than a letter. */
export function indentFor(columns: number): string {
  return INDENT.slice(0, Math.max(1, columns - 2));
}

/**
 * Lines as rows of at most `columns` cells, `first` of which are taken before the first row. In a `table` the text of
 * the right column stays in its column.
 */
export function wrapLines(
  lines: readonly string[],
  { first, columns, table = false, keepsWords = false }: RowWidth & { readonly table?: boolean },
): string[] {
  const indent = indentFor(columns);
  return lines.flatMap((whole, index) => {
    const { line, hang } = table ? tableRow(whole, columns) : { line: whole, hang: 0 };
    const rest = indent.length + hang;
    const width = { first: index === 0 ? first : indent.length, rest, columns, keepsWords };
    return breakWords(line, width).map(({ start, end }, row) => {
      const before = row > 0 ? " ".repeat(rest) : index > 0 ? indent : "";
      return before + line.slice(start, end);
    });
  });
}
