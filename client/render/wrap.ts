// Where rows end. All but a message's first are indented: text that begins in the first column could pass for a
// line of the server's. Words stay whole, so that a long link can still be copied.

import { splitClusters, textWidth } from "../terminal/width.ts";

/** What stands before all rows of a line but the first of the message. */
export const INDENT = "    ";

// All that shows as a gap: what stands after one must not begin a row.
const GAP = /[ \u3000\u2800]+/;

/** A row as a stretch of its line, from `start` up to `end` (UTF-16 units). */
export interface RowRange {
  readonly start: number;
  readonly end: number;
}

/** What a line has to fit into: cells before its first row, and cells of a row. */
export interface RowWidth {
  readonly first: number;
  readonly columns: number;
  /** Cells before all rows but the first; an indent unless told. */
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

/** Rows of a line, broken wherever the row is full. */
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

// The left column of a table takes no more than this share of a row; else its rows hang like all others.
const HANG_SHARE = 0.45;
const LEFT_COLUMN = /^\S(?:.*?\S)?? {2,}(?=\S)/;

/** Cells under which the right column of a line in two columns goes on; none where it has no columns. */
function hangOf(line: string, columns: number): number {
  const cells = textWidth(LEFT_COLUMN.exec(line)?.[0] ?? "");
  return cells <= columns * HANG_SHARE ? cells : 0;
}

/**
 * Lines as rows of at most `columns` cells, `first` of which are taken before the first row. In a `table` what stands
 * in the right of two columns stays there.
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
