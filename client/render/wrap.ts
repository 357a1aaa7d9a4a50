// Wraps lines into rows. All rows but a message's first are indented: text in the first column could pass for a system
// line. Words stay whole, so that a long link can still be copied.

import { splitClusters, textWidth } from "../terminal/width.ts";

/** The indent of all rows but the first of a message. */
export const INDENT = "    ";

// All that shows as a gap: what stands after one must not begin a row.
const GAP = /[ \u3000\u2800]+/;

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
}

/** Rows of a line, broken between words. */
export function breakWords(
  line: string,
  { first, columns, rest = INDENT.length }: RowWidth,
): RowRange[] {
  const rows: RowRange[] = [];
  let [start, at, width] = [0, 0, first];
  let empty = true;
  for (const piece of line.split(/([ \u3000\u2800]+)/)) {
    const cells = textWidth(piece);
    if (!empty && piece !== "" && width + cells > columns && !GAP.test(piece)) {
      rows.push({ start, end: at });
      [start, width] = [at, rest];
    }
    at += piece.length;
    width += cells;
    empty &&= piece === "";
  }
  return [...rows, { start, end: line.length }];
}

/** Rows of a line, broken where a row is full. */
export function breakCells(line: string, { first, columns }: RowWidth): RowRange[] {
  const rows: RowRange[] = [];
  let [start, at, width] = [0, 0, first];
  for (const cluster of splitClusters(line)) {
    if (width + cluster.width > columns && at > start) {
      rows.push({ start, end: at });
      [start, width] = [at, INDENT.length];
    }
    at += cluster.text.length;
    width += cluster.width;
  }
  return [...rows, { start, end: line.length }];
}

// A left column that takes more than this share of a row is no hanging indent.
const HANG_SHARE = 0.45;
const LEFT_COLUMN = /^\S(?:.*?\S)?? {2,}(?=\S)/;

/** Hanging indent of a line in two columns: the cells before its right column; 0 without columns. */
function hangOf(line: string, columns: number): number {
  const cells = textWidth(LEFT_COLUMN.exec(line)?.[0] ?? "");
  return cells <= columns * HANG_SHARE ? cells : 0;
}

/**
 * Lines as rows of at most `columns` cells, `first` of which are taken before the first row. In a `table` the text of
 * the right column stays in its column.
 */
export function wrapLines(
  lines: readonly string[],
  { first, columns, table = false }: RowWidth & { readonly table?: boolean },
): string {
  return lines.flatMap((line, index) => {
    const rest = INDENT.length + (table ? hangOf(line, columns) : 0);
    const width = { first: index === 0 ? first : INDENT.length, rest, columns };
    return breakWords(line, width).map(({ start, end }, row, { length }) => {
      const text = line.slice(start, end);
      const before = row > 0 ? " ".repeat(rest) : index > 0 ? INDENT : "";
      return before + (row === length - 1 ? text : text.trimEnd());
    });
  }).join("\n");
}
