// Where vi's motions lead in a text: from one cluster to another. Independent of keys, modes and the terminal.

import { splitClusters } from "../terminal/width.ts";

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

/** The text in clusters. */
export function viText(text: string): ViText {
  const clusters = splitClusters(text).map((cluster) => cluster.text);
  const starts = [0];
  for (const cluster of clusters) starts.push((starts.at(-1) ?? 0) + cluster.length);
  return { text, clusters, starts };
}

/** The number of the cluster at an index in UTF-16 units. */
export function clusterAt({ starts }: ViText, index: number): number {
  const at = starts.findIndex((start) => start >= index);
  return at < 0 ? starts.length - 1 : at;
}

/** First cluster of the line of cluster `at`, and the line's end: a line end, or the end of the text. */
export function lineOfCluster(
  { clusters }: ViText,
  at: number,
): { readonly start: number; readonly end: number } {
  let [start, end] = [at, at];
  while (start > 0 && clusters[start - 1] !== "\n") start--;
  while (end < clusters.length && clusters[end] !== "\n") end++;
  return { start, end };
}

/** The whole lines that an operator takes: up to the first one, down to the last one, or so many. */
export function linesFrom(
  text: ViText,
  motion: string,
  { at, count }: { readonly at: number; readonly count: number },
): { readonly start: number; readonly end: number } {
  const { length } = text.clusters;
  let { start, end } = lineOfCluster(text, at);
  if (motion === "gg") start = 0;
  else if (motion === "G") end = length;
  else for (let n = 1; n < count && end < length; n++) end = lineOfCluster(text, end + 1).end;
  return { start, end };
}

/** The last cluster on which the cursor may stand in the line of cluster `at`, outside of inserting. */
export function lastInLine(text: ViText, at: number): number {
  const { start, end } = lineOfCluster(text, at);
  return Math.max(start, end - 1);
}

/** Motions by their keys; undefined where one leads nowhere. `count`: how often. */
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
      return { to: 0, inclusive: false };
    case "G":
      return { to: lineOfCluster(text, text.clusters.length).start, inclusive: false };
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
