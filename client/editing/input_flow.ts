// The input wrapped to rows, with its cursor. Rows are kept from key to key: those before a change stay, and those behind
// it only move. Glyphs are made of the rows that are seen.

import {
  type Glyph,
  type Position,
  type Row,
  rowWidth,
  shortenPrompt,
  usableColumns,
} from "../terminal/layout.ts";
import { type Cluster, clusterOf } from "../terminal/width.ts";
import { type ChangedPart, ClusterCells, LINE_END, TAB_CELLS } from "./cluster_cells.ts";

/** What is laid out. */
export interface FlowInput {
  readonly text: string;
  /** Index into the text, UTF-16 units. */
  readonly cursor: number;
  readonly columns: number;
}

/** The rows of one input. */
export class InputFlow {
  readonly #cells = new ClusterCells();
  /** Index into the text at which each row begins. */
  #starts: number[] = [0];
  #usable = 0;
  #head: Row = [];
  #headCells = 0;
  #cursor: Position = { row: 0, column: 0 };

  /** Wraps prompt and text for a terminal of `columns`; the prompt is shortened to half of a row. */
  update(prompt: Row, { text, cursor, columns }: FlowInput): void {
    const usable = usableColumns(columns);
    this.#head = shortenPrompt(prompt, Math.ceil(usable / 2));
    const headCells = rowWidth(this.#head);
    const isSame = usable === this.#usable && headCells === this.#headCells;
    [this.#usable, this.#headCells] = [usable, headCells];
    const changed = this.#cells.update(text);
    if (!isSame) this.#starts = [0];
    this.#wrap(isSame ? changed : { from: 0, to: text.length, shift: 0 });
    this.#cursor = this.#positionOf(this.#cells.startOf(cursor));
  }

  /** Number of rows. */
  get height(): number {
    return this.#starts.length;
  }

  /** The cell of the cursor. */
  get cursor(): Position {
    return this.#cursor;
  }

  /** The rows from `top` on, `count` at most. */
  rows(top: number, count: number): Row[] {
    const rows: Row[] = [];
    for (let row = top; row < Math.min(top + count, this.height); row++) {
      const glyphs = this.#glyphs(this.#starts[row] ?? 0, this.#endOf(row));
      rows.push(row === 0 ? [...this.#head, ...glyphs] : glyphs);
    }
    return rows;
  }

  /** Those of the clusters as they were measured: a row may begin within one that is wider than it. */
  #glyphs(from: number, end: number): Glyph[] {
    const { text } = this.#cells;
    const glyphs: Glyph[] = [];
    for (let start = from; start < end;) {
      let next = start + 1;
      while (next < end && this.#cells.at(next) === 0) next++;
      if (text[start] !== "\n") glyphs.push(visible(clusterOf(text.slice(start, next))));
      start = next;
    }
    return glyphs;
  }

  /** Index of the text nearest to the cell, for moving up and down over wrapped rows. */
  indexAt({ row, column }: Position): number {
    const start = this.#starts[row] ?? 0;
    const end = this.#endOf(row);
    let best = start;
    let used = row === 0 ? this.#headCells : 0;
    for (let index = start; index < end; index++) {
      const cells = this.#cells.at(index);
      if (cells === 0) continue;
      if (used <= column) best = index;
      if (cells === LINE_END) return best;
      used += cells;
    }
    return row === this.height - 1 && used <= column ? end : best;
  }

  #endOf(row: number): number {
    return this.#starts[row + 1] ?? this.#cells.text.length;
  }

  #positionOf(index: number): Position {
    const row = lastAtMost(this.#starts, index);
    let column = row === 0 ? this.#headCells : 0;
    for (let at = this.#starts[row] ?? 0; at < index; at++) column += this.#cells.at(at);
    return { row, column };
  }

  /** Wraps from the last row on that a change does not touch, up to a row that begins where one began before. */
  #wrap({ from, to, shift }: ChangedPart): void {
    const starts = this.#starts;
    // Where a row begins is decided by the cluster there and by those before it in the row above.
    const kept = Math.max(1, lastAtMost(starts, from - 1) + 1);
    const old = starts.splice(kept);
    let known = 0;
    let used = kept === 1 ? this.#headCells : 0;
    const { length } = this.#cells.text;
    // Whether the row that begins at the index began before as well, and all behind it did.
    const begin = (index: number): boolean => {
      while (known < old.length && (old[known] as number) + shift < index) known++;
      const isKnown = index >= to && (old[known] ?? Infinity) + shift === index;
      if (!isKnown) starts.push(index);
      used = 0;
      return isKnown;
    };
    for (let index = starts[kept - 1] as number; index < length; index++) {
      const cells = this.#cells.at(index);
      if (cells === 0) continue;
      const isOver = cells !== LINE_END && used > 0 && used + cells > this.#usable;
      if ((isOver && begin(index)) || (cells === LINE_END && begin(index + 1))) {
        for (; known < old.length; known++) starts.push((old[known] as number) + shift);
        return;
      }
      if (cells !== LINE_END) used += cells;
    }
  }
}

/** Number of the last row that begins at or before an index; -1 where none does. */
function lastAtMost(starts: readonly number[], index: number): number {
  let [low, high] = [-1, starts.length - 1];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if ((starts[middle] as number) <= index) low = middle;
    else high = middle - 1;
  }
  return low;
}

function visible(cluster: Cluster): Glyph {
  if (cluster.text === "\t") {
    return { text: " ".repeat(TAB_CELLS), width: TAB_CELLS, exact: true, style: "" };
  }
  // A direction override, a lone joiner.
  if (cluster.width === 0) return { text: "\ufffd", width: 1, exact: false, style: "" };
  return { ...cluster, style: "" };
}
