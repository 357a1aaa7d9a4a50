// Text in the cells of a terminal: clusters of code points, each 0, 1 or 2 cells wide.
import stringWidth from "string-width";

/** One user-perceived character. */
export interface Cluster {
  readonly text: string;
  /** Cells that it takes. */
  readonly width: number;
  /** False if terminals disagree about the width; the cursor is then set by column after it. */
  readonly exact: boolean;
}

const SEGMENTER = new Intl.Segmenter(undefined, { granularity: "grapheme" });
const ASCII_ONLY = /^[\x20-\x7e]*$/;
// Scripts whose letters every width table agrees about: Latin, Greek, Cyrillic; kana, Han, Hangul syllables.
const NARROW = /^[\u00c0-\u02af\u0370-\u0373\u0376-\u0482\u048a-\u052f]$/;
const WIDE = /^[\u3041-\u3096\u30a1-\u30fa\u4e00-\u9fff\uac00-\ud7a3\uff01-\uff60]$/;
const CACHE_MAX = 2_000;
const cache = new Map<string, Cluster>();

/** Splits text into clusters with their widths; control characters count as width 0. */
export function splitClusters(text: string): Cluster[] {
  if (ASCII_ONLY.test(text)) return Array.from(text, toCluster);
  return Array.from(SEGMENTER.segment(text), ({ segment }) => toCluster(segment));
}

/** Cells that plain text takes; escape sequences are not recognized. */
export function textWidth(text: string): number {
  if (ASCII_ONLY.test(text)) return text.length;
  return splitClusters(text).reduce((sum, cluster) => sum + cluster.width, 0);
}

/** Start of the cluster that ends at or holds the index before `index`; 0 at the start. */
export function previousBoundary(text: string, index: number): number {
  return index <= 0 ? 0 : SEGMENTER.segment(text).containing(index - 1)?.index ?? 0;
}

/** End of the cluster that begins at or holds `index`; the text's length at its end. */
export function nextBoundary(text: string, index: number): number {
  const found = SEGMENTER.segment(text).containing(index);
  return found === undefined ? text.length : found.index + found.segment.length;
}

/** The index itself if a cluster begins there, else the end of the cluster that it splits. */
export function snapToBoundary(text: string, index: number): number {
  if (index <= 0 || index >= text.length) return Math.max(0, Math.min(index, text.length));
  return SEGMENTER.segment(text).containing(index)?.index === index
    ? index
    : nextBoundary(text, index);
}

function toCluster(text: string): Cluster {
  const known = cache.get(text);
  if (known !== undefined) return known;
  if (cache.size >= CACHE_MAX) cache.clear();
  const cluster = measure(text);
  cache.set(text, cluster);
  return cluster;
}

function measure(text: string): Cluster {
  if (text.length === 1) {
    if (ASCII_ONLY.test(text) || NARROW.test(text)) return { text, width: 1, exact: true };
    if (WIDE.test(text)) return { text, width: 2, exact: true };
  }
  return { text, width: Math.min(2, stringWidth(text)), exact: false };
}
