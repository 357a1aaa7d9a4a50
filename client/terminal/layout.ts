// Rows of cells: styled text cut to a width, and the input wrapped to rows with its cursor.
// The last column is never written. So no row leaves the terminal in its "wrap is pending" state, and the cursor
// behind a full row has its own cell.
import { LEFT_TO_RIGHT, splitClusters } from "./width.ts";

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

const SGR_SEQUENCE = /(\p{Cc}\[[0-9;:]*m)/u;
const RESET = /^\p{Cc}\[0*m$/u;
const ELLIPSIS: Glyph = { text: "…", width: 1, exact: false, style: "" };

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
