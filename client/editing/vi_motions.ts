// Where vi's motions lead in a text: from one cluster to another. Independent of keys, modes and the terminal.

import { ClusterCells } from "./cluster_cells.ts";

/** A text as clusters, as vi moves over it. */
export interface ViText {
  readonly text: string;
  readonly clusters: readonly string[];
  /** Index in UTF-16 units of each cluster, and of the end. */
  readonly starts: readonly number[];
}

/** Where a motion leads. */
export interface ViTarget {
  /** Number of the cluster; that of the end where it leads behind the text. */
  readonly to: number;
  /** Whether an operator takes the cluster there as well. */
  readonly inclusive: boolean;
}

/** A search within a line: `f`, `F`, `t` or `T`, and for what. */
export interface ViFind {
  readonly how: "f" | "F" | "t" | "T";
  readonly what: string;
}

/** A text in clusters, told once for all keys that do not change it. */
export class ViTexts {
  readonly #cells = new ClusterCells();
  #last: ViText = { text: "", clusters: [], starts: [0] };

  /** The text in clusters. */
  of(text: string): ViText {
    if (text === this.#last.text) return this.#last;
    this.#cells.update(text);
    const starts: number[] = [];
    for (let at = 0; at < text.length; at++) if (this.#cells.at(at) !== 0) starts.push(at);
    starts.push(text.length);
    const clusters = starts.slice(0, -1).map((start, n) => text.slice(start, starts[n + 1]));
    return this.#last = { text, clusters, starts };
  }
}

/** The number of the cluster at an index in UTF-16 units. */
export function clusterAt({ starts }: ViText, index: number): number {
  let [low, high] = [0, starts.length - 1];
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if ((starts[middle] as number) >= index) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** First cluster of the line of cluster `at`, and the line's end: a line end, or the end of the text. */
export function lineOfCluster(
  all: ViText,
  at: number,
): { readonly start: number; readonly end: number } {
  const { text, starts } = all;
  const index = starts[at] ?? text.length;
  const before = index === 0 ? -1 : text.lastIndexOf("\n", index - 1);
  const after = text.indexOf("\n", index);
  return {
    start: clusterAt(all, before + 1),
    end: after < 0 ? starts.length - 1 : clusterAt(all, after),
  };
}

/** The whole lines that an operator takes: up or down to a numbered one, or so many. */
export function linesFrom(
  text: ViText,
  motion: string,
  { at, count }: { readonly at: number; readonly count: number },
): { readonly start: number; readonly end: number } {
  const { length } = text.clusters;
  let { start, end } = lineOfCluster(text, at);
  if (isLineMotion(motion)) {
    const other = lineNumbered(text, motion, count);
    start = Math.min(start, other.start);
    end = Math.max(end, other.end);
  } else for (let n = 1; n < count && end < length; n++) end = lineOfCluster(text, end + 1).end;
  return { start, end };
}

/** Whether a motion leads to a line by its number. */
export function isLineMotion(motion: string): boolean {
  return motion === "gg" || motion === "G";
}

/** The line of that number, from 1; 0: the first one for `gg`, the last one for `G`. */
function lineNumbered(
  text: ViText,
  motion: string,
  number: number,
): { readonly start: number; readonly end: number } {
  const { length } = text.clusters;
  if (number === 0 && motion === "G") return lineOfCluster(text, length);
  let line = lineOfCluster(text, 0);
  for (let n = 1; n < number && line.end < length; n++) line = lineOfCluster(text, line.end + 1);
  return line;
}

/** The last cluster on which the cursor may stand in the line of cluster `at`, outside of inserting. */
export function lastInLine(text: ViText, at: number): number {
  const { start, end } = lineOfCluster(text, at);
  return Math.max(start, end - 1);
}

/** Motions by their keys; undefined where one leads nowhere. `count`: how often, or to which line (0: none was said). */
export function moveBy(
  text: ViText,
  key: string,
  { at, count }: { readonly at: number; readonly count: number },
): ViTarget | undefined {
  const line = lineOfCluster(text, at);
  const big = key === key.toUpperCase();
  const repeated = (step: (from: number) => number): number => {
    let to = at;
    for (let n = 0; n < count; n++) {
      const next = step(to);
      if (next === to) break;
      to = next;
    }
    return to;
  };
  switch (key) {
    case "h":
      return { to: Math.max(line.start, at - count), inclusive: false };
    case "l":
    case " ":
      return { to: Math.min(line.end, at + count), inclusive: false };
    case "0":
      return { to: line.start, inclusive: false };
    case "^":
      return { to: firstInk(text, line), inclusive: false };
    case "$":
      return { to: Math.max(line.start, line.end - 1), inclusive: line.end > line.start };
    case "w":
    case "W":
      return { to: repeated((from) => nextWord(text, from, big)), inclusive: false };
    case "e":
    case "E":
      return { to: repeated((from) => wordEnd(text, from, big)), inclusive: true };
    case "b":
    case "B":
      return { to: repeated((from) => wordStart(text, from, big)), inclusive: false };
    case "ge":
    case "gE":
      return { to: repeated((from) => wordEndBefore(text, from, key === "gE")), inclusive: true };
    case "gg":
    case "G":
      return { to: lineNumbered(text, key, count).start, inclusive: false };
    default:
      return undefined;
  }
}

/** Where a search within the line leads; undefined where it finds nothing. `again`: by `;` or `,`. */
export function findIn(
  text: ViText,
  { how, what }: ViFind,
  { at, count, again }: {
    readonly at: number;
    readonly count: number;
    readonly again: boolean;
  },
): ViTarget | undefined {
  const { start, end } = lineOfCluster(text, at);
  const by = how === "f" || how === "t" ? 1 : -1;
  const isBefore = how === "t" || how === "T";
  // Repeated, `t` does not stay before the letter at which it stands.
  let to = at + (again && isBefore ? by : 0);
  for (let left = count; left > 0; left--) {
    do to += by; while (to >= start && to < end && text.clusters[to] !== what);
    if (to < start || to >= end) return undefined;
  }
  return { to: isBefore ? to - by : to, inclusive: by > 0 };
}

/** The same search the other way round. */
export function reversed({ how, what }: ViFind): ViFind {
  return { how: ({ f: "F", F: "f", t: "T", T: "t" } as const)[how], what };
}

/** The first cluster of a line that is no blank, or its last one. */
export function firstInk(
  { clusters }: ViText,
  { start, end }: { readonly start: number; readonly end: number },
): number {
  for (let at = start; at < end; at++) {
    if (!isBlank(clusters[at])) return at;
  }
  return Math.max(start, end - 1);
}

/** Whether a cluster is a blank or a line end; none is. */
function isBlank(cluster: string | undefined): boolean {
  return cluster === undefined || /^\s/.test(cluster);
}

/** The text between two clusters. */
export function cut(
  { text, starts }: ViText,
  from: number,
  to: number = starts.length - 1,
): string {
  return text.slice(starts[from] ?? text.length, starts[to] ?? text.length);
}

/** `dw` ends at the line's end, and `cw` with the word. */
export function withinWord(
  { clusters }: ViText,
  { at, to, changes }: { readonly at: number; readonly to: number; readonly changes: boolean },
): ViTarget {
  let end = to;
  const between = clusters.slice(at, end);
  const isOverLine = between.some((cluster, n) => n > 0 && cluster === "\n");
  if ((changes && !isBlank(clusters[at])) || isOverLine) {
    while (end > at + 1 && isBlank(clusters[end - 1])) end--;
  }
  return { to: end, inclusive: false };
}

/** The word around a cluster: `iw`, or `aw` with the blanks behind it; undefined for another range. */
export function wordAround(
  { clusters }: ViText,
  range: string,
  at: number,
): { readonly from: number; readonly to: number } | undefined {
  const [, how, size] = /^([ia])([wW])$/.exec(range) ?? [];
  if (how === undefined || clusters.length === 0) return undefined;
  const kind = (n: number) => kindOf(clusters[n], size === "W");
  let [from, to] = [at, at + 1];
  while (from > 0 && kind(from - 1) === kind(at)) from--;
  while (to < clusters.length && kind(to) === kind(at)) to++;
  while (how === "a" && to < clusters.length && clusters[to] === " ") to++;
  return { from, to };
}

/** What belongs together: blanks, words, other signs; for the big motions all that is no blank. */
function kindOf(cluster: string | undefined, big: boolean): "blank" | "word" | "sign" {
  if (isBlank(cluster)) return "blank";
  return big || /^[\p{L}\p{N}\p{M}_]/u.test(cluster ?? "") ? "word" : "sign";
}

function nextWord({ clusters }: ViText, from: number, big: boolean): number {
  const kind = kindOf(clusters[from], big);
  let at = from;
  while (at < clusters.length && kind !== "blank" && kindOf(clusters[at], big) === kind) at++;
  while (at < clusters.length && isBlank(clusters[at])) at++;
  return at;
}

function wordEnd({ clusters }: ViText, from: number, big: boolean): number {
  const last = Math.max(0, clusters.length - 1);
  let at = Math.min(last, from + 1);
  while (at < last && isBlank(clusters[at])) at++;
  const kind = kindOf(clusters[at], big);
  while (at < last && kindOf(clusters[at + 1], big) === kind) at++;
  return at;
}

function wordStart({ clusters }: ViText, from: number, big: boolean): number {
  let at = Math.max(0, from - 1);
  while (at > 0 && isBlank(clusters[at])) at--;
  const kind = kindOf(clusters[at], big);
  while (at > 0 && kindOf(clusters[at - 1], big) === kind) at--;
  return at;
}

function wordEndBefore({ clusters }: ViText, from: number, big: boolean): number {
  const kind = kindOf(clusters[from], big);
  let at = from;
  while (at > 0 && kind !== "blank" && kindOf(clusters[at], big) === kind) at--;
  while (at > 0 && isBlank(clusters[at])) at--;
  return at;
}
