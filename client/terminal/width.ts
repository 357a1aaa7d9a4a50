// Text in the cells of a terminal: clusters of code points, each so many cells wide, and their direction.
import stringWidth from "string-width";

/** One user-perceived character. */
export interface Cluster {
  readonly text: string;
  /** Cells that it takes. */
  readonly width: number;
  /** Most cells that a terminal gives it: some draw the parts of a joined emoji, or a vowel sign, side by side. */
  readonly widest: number;
  /** False if terminals disagree about the width; the cursor is then set by column after it. */
  readonly exact: boolean;
}

const SEGMENTER = new Intl.Segmenter(undefined, { granularity: "grapheme" });
const ASCII_ONLY = /^[\x20-\x7e]*$/;
// Scripts whose letters every width table agrees about: Latin, Greek, Cyrillic; kana, Han, Hangul syllables.
const NARROW = /^[\u00c0-\u02af\u0370-\u0373\u0376-\u0482\u048a-\u052f]$/;
const WIDE = /^[\u3041-\u3096\u30a1-\u30fa\u4e00-\u9fff\uac00-\ud7a3\uff01-\uff60]$/;
// Emoji of several code points are one picture in most terminals.
const PICTURE = /[\p{Extended_Pictographic}\p{Regional_Indicator}\ufe0f\u20e3]/u;
// Vowels and finals of conjoining Hangul are drawn within the syllable.
const JAMO = /[\u1160-\u11ff\ud7b0-\ud7ff]/;
const SPACING_MARK = /\p{Mc}/u;
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
    if (ASCII_ONLY.test(text) || NARROW.test(text)) {
      return { text, width: 1, widest: 1, exact: true };
    }
    if (WIDE.test(text)) return { text, width: 2, widest: 2, exact: true };
  }
  const joined = Math.min(2, stringWidth(text));
  const apart = [...text].reduce((sum, character) => sum + cellsApart(character), 0);
  const widest = Math.max(joined, apart);
  // Most terminals draw the vowel signs of Indic and other scripts in cells of their own (wcwidth). Where one does not, a
  // cell stays blank; the other way round the next letter would be drawn over the sign.
  return { text, width: PICTURE.test(text) ? joined : widest, widest, exact: false };
}

/** Most cells of one code point on its own: a spacing mark (Mc) takes one, and in some terminals so does a mark. */
function cellsApart(character: string): number {
  if (JAMO.test(character)) return 0;
  return SPACING_MARK.test(character) || character === LEFT_TO_RIGHT ? 1 : stringWidth(character);
}

// A terminal that reorders text takes the direction of a row from its first letter: without a mark, a Hebrew name would
// move to the right end of its row.

/** LEFT-TO-RIGHT MARK (UAX #9): no glyph, no width, and a strong left-to-right character for the algorithm. */
export const LEFT_TO_RIGHT = "\u200e";

// The blocks whose characters have Bidi_Class R or AL, assigned or not (DerivedBidiClass.txt).
const RIGHT_TO_LEFT =
  /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufeff\u{10800}-\u{10fff}\u{1e800}-\u{1efff}]/u;

/** The mark if one of the texts has right-to-left letters, else "". */
export function markFor(...texts: readonly string[]): string {
  return texts.some((text) => RIGHT_TO_LEFT.test(text)) ? LEFT_TO_RIGHT : "";
}

/** Rows that each begin at the left, whatever their letters are. */
export function fromTheLeft(rows: string): string {
  if (!RIGHT_TO_LEFT.test(rows)) return rows;
  return rows.split("\n").map((row) => markFor(row) + row).join("\n");
}
