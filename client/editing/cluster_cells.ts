// The clusters of a text that changes by one key at a time, and how many cells each takes in the input. Only what changed
// is split into clusters again: the next key of a long text costs as much as that of a short one.

import { type Cluster, clustersFrom, widthRevision } from "../terminal/width.ts";

/** Cells of a tab in the input. */
export const TAB_CELLS = 4;
/** In place of cells: the cluster is a line end. */
export const LINE_END = 0xffff;
const CELLS_MAX = 0x3fff;
// Beside the cells: what begins there goes on with the cluster before it, which is wider than a row may be. How such a
// cluster is parted is decided by where it begins.
const CONTINUES = 0x4000;

/** Where a text differs from the one before it. */
export interface ChangedPart {
  /** All that lies before is as it was. */
  readonly from: number;
  /** All from here on is as it was, `shift` units further on. */
  readonly to: number;
  readonly shift: number;
}

/** The clusters of one text. */
export class ClusterCells {
  #text = "";
  /** By the index at which a cluster begins: its cells, with or without CONTINUES, or LINE_END; 0 within a cluster. */
  #cells = new Uint16Array(256);
  #revision = widthRevision();

  /** The text as it is now. */
  get text(): string {
    return this.#text;
  }

  /** Cells of the cluster that begins at `index`, or LINE_END; 0 where none begins there. */
  at(index: number): number {
    if (index >= this.#text.length) return 0;
    const cells = this.#cells[index] as number;
    return cells === LINE_END ? cells : cells & CELLS_MAX;
  }

  /** Whether a whole cluster began there when the table was filled. */
  #isWhole(index: number): boolean {
    const cells = this.#cells[index] as number;
    return cells === LINE_END || (cells > 0 && (cells & CONTINUES) === 0);
  }

  /** Start of the cluster that begins at or holds the index; the text's length at its end. */
  startOf(index: number): number {
    let start = Math.max(0, Math.min(index, this.#text.length));
    while (start > 0 && start < this.#text.length && this.#cells[start] === 0) start--;
    return start;
  }

  /** Takes the text as it is now. */
  update(text: string): ChangedPart {
    const before = this.#revision === widthRevision() ? this.#text : "";
    this.#revision = widthRevision();
    this.#text = text;
    const shift = text.length - before.length;
    if (text === before) return { from: text.length, to: text.length, shift };
    const shared = sharedStart(before, text);
    const to = text.length - sharedEnd(before, text, shared);
    // A boundary is decided by what lies before it and by the code point behind it.
    let from = Math.max(0, Math.min(shared - 2, before.length - 1));
    while (from > 0 && !this.#isWhole(from)) from--;
    this.#move(to, { before, text });
    return { from, to: this.#fill(from, to), shift };
  }

  /** Makes room for the changed part, and moves what follows it. */
  #move(to: number, { before, text }: { readonly before: string; readonly text: string }): void {
    const end = to - (text.length - before.length);
    if (text.length > this.#cells.length) {
      const larger = new Uint16Array(2 * text.length);
      larger.set(this.#cells);
      this.#cells = larger;
    }
    this.#cells.copyWithin(to, end, before.length);
  }

  /** Splits the text from one boundary on, up to a known one behind the changed part; returns that. */
  #fill(from: number, to: number): number {
    const cells = this.#cells;
    let index = from;
    for (const cluster of clustersFrom(this.#text, from)) {
      const { continues = false } = cluster;
      if (index >= to && !continues && this.#isWhole(index)) return index;
      const end = index + cluster.text.length;
      cells.fill(0, index, end);
      cells[index] = cellsOf(cluster) | (continues ? CONTINUES : 0);
      index = end;
    }
    return this.#text.length;
  }
}

/** What a cluster without width takes is one cell: it is shown, so that the user sees all that is sent. */
function cellsOf({ text, width }: Cluster): number {
  if (text === "\n") return LINE_END;
  return text === "\t" ? TAB_CELLS : Math.max(1, Math.min(width, CELLS_MAX));
}

/** UTF-16 units that both texts have at their beginning. */
function sharedStart(left: string, right: string): number {
  // Texts are compared much faster than letters.
  let [low, high] = [0, Math.min(left.length, right.length)];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (left.slice(low, middle) === right.slice(low, middle)) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** UTF-16 units that both texts have at their end, behind the first `shared` ones. */
function sharedEnd(left: string, right: string, shared: number): number {
  let [low, high] = [0, Math.min(left.length, right.length) - shared];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    const [a, b] = [left.length - middle, right.length - middle];
    if (left.slice(a, left.length - low) === right.slice(b, right.length - low)) low = middle;
    else high = middle - 1;
  }
  return low;
}
