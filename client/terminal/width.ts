// Text in the cells of a terminal: clusters of code points, each so many cells wide, and their direction.
import { eastAsianWidth } from "get-east-asian-width";

/** One user-perceived character. */
export interface Cluster {
  readonly text: string;
  /** Cells that it takes. */
  readonly width: number;
  /**
   * Most cells that a terminal gives it: some draw the parts of a joined emoji, or a vowel sign, side by side, and one with
   * an old table draws each mark that it does not know in a cell of its own.
   */
  readonly widest: number;
  /** False if terminals disagree about the width; the cursor is then set by column after it. */
  readonly exact: boolean;
  /** It is a part of a cluster that is wider than a row may be, and another part stands before it. */
  readonly continues?: boolean;
}

const ASCII_ONLY = /^[\x20-\x7e]*$/;
// Each of these is a cluster of its own beside any other of them (UAX #29 joins none): the letters below, and the signs
// that the program itself writes. The rest needs a segmenter, which takes 8 ms to make.
const ALL_SEPARATE =
  /^[\x20-\x7e\u00a1-\u00a8\u00aa-\u00ac\u00af-\u02af\u0370-\u0373\u0376-\u0482\u048a-\u052f\u2010-\u2027\u2030-\u203b\u2190-\u2193\u2500-\u259f\u2713\u2717\u3041-\u3096\u30a1-\u30fa\u4e00-\u9fff\uac00-\ud7a3\uff01-\uff60]*$/;
// Scripts whose letters every width table agrees about: Latin, Greek, Cyrillic; kana, Han, Hangul syllables.
const NARROW = /^[\u00c0-\u02af\u0370-\u0373\u0376-\u0482\u048a-\u052f]$/;
const WIDE = /^[\u3041-\u3096\u30a1-\u30fa\u4e00-\u9fff\uac00-\ud7a3\uff01-\uff60]$/;
// Emoji of several code points are one picture in most terminals.
const PICTURE = /[\p{Extended_Pictographic}\p{Emoji_Modifier}\p{Regional_Indicator}\ufe0f\u20e3]/u;
// Vowels and finals of conjoining Hangul are drawn within the syllable.
const JAMO = /[\u1160-\u11ff\ud7b0-\ud7ff]/;
const SPACING_MARK = /\p{Mc}/u;
const SPACING_MARKS = /\p{Mc}/gu;
// Marks, and what is not drawn at all, take no cell. The signs above numbers in Arabic and Kaithi are drawn, although they
// are format characters; the regular expression has no room for the exception.
const INVISIBLE = /[\p{Default_Ignorable_Code_Point}\p{Cc}\p{Me}\p{Mn}\p{Cf}]/u;
// Marks, and what is not drawn, that the table of Unicode 5 has already: no terminal gives them a cell. Between the ends of
// a range are letters as well, but no mark that is newer. What is newer takes a cell in a terminal with that table, which
// wcwidth implementations are still made with.
const NEVER_DRAWN =
  /[\p{Cc}\u0300-\u0486\u0488-\u0615\u064b-\u065e\u0670-\u07f3\u0901-\u0902\u093c-\u0954\u0962-\u09e3\u0a01-\u0a4d\u0a70-\u0a71\u0a81-\u0ae3\u0b01-\u0b43\u0b4d\u0b56\u0b82-\u0bcd\u0c3e-\u0c56\u0cbc-\u0ce3\u0d41-\u0d43\u0d4d\u0dca-\u0eb9\u0ebb-\u0ecd\u0f18-\u0f87\u0f90-\u1032\u1036-\u1039\u1058-\u1059\u1160-\u11ff\u135f-\u180d\u18a9-\u1a18\u1b00-\u1b73\u1dc0-\u1dca\u1dfe-\u2063\u206a-\u20ef\u302a-\u309a\ua806-\ua826\ufb1e-\ufe23\ufeff\ufff9-\ufffb\u{10a01}-\u{10a3f}\u{1d167}-\u{1d244}\u{e0001}\u{e0020}-\u{e007f}\u{e0100}-\u{e01ef}]/u;
// Characters that an old table takes as wide because their whole block is; in newer ones they are narrow, as some
// circled numbers are.
const ONCE_WIDE =
  /[\u115f\u2e80-\u3029\u302e-\u303e\u3040-\u3098\u309b-\ua4cf\ufe30-\ufe6f\uff00\u{1f93b}\u{1f946}]/u;
const NUMBER_SIGN = /[\u0600-\u0605\u06dd\u0890\u0891\u08e2\u{110bd}\u{110cd}]/u;
const NUMBER_SIGNS = /^[\u0600-\u0605\u06dd\u0890\u0891\u08e2\u{110bd}\u{110cd}]+/u;
const HANGUL = /^[\u1100-\u11ff\ua960-\ua97c\uac00-\ud7a3\ud7b0-\ud7c6\ud7cb-\ud7fb]/;
// What every sequence of RGI_Emoji begins with (UTS #51, 1.4.9 and ED-20 to ED-25). The property itself has each sequence
// as an alternative of its own: to compile it took 10 ms.
const EMOJI =
  /^(?:\p{Emoji_Presentation}|\p{Emoji}\ufe0f|\p{Emoji_Modifier_Base}\p{Emoji_Modifier}|\p{Regional_Indicator})/u;
const JOINED_EMOJI = /\u200d\p{Extended_Pictographic}/u;
// A tone of skin that no picture takes is a picture itself.
const STRAY_TONE = /(?<![\p{Emoji_Modifier_Base}\u200d])\p{Emoji_Modifier}/u;
// Vowels of Kirat Rai behind another one.
const VOWELS_OF_ONE_GLYPH = /(?<=[\u{16d63}-\u{16d6a}])[\u{16d63}-\u{16d6a}]+/gu;
// Those of the first plane all have a text style, and terminals know it.
const TEXT_STYLE = /^\p{Emoji_Presentation}\ufe0e/u;
const FIRST_PLANE = 0xffff;
// Signs of East Asia, which were wide before there were pictures.
const WIDE_SIGN = /[\u3030\u303d\u3297\u3299]/;
// Signs that a selector makes wide.
const WIDENED = /(?!\p{Emoji_Presentation})\p{Emoji}\ufe0f/gu;
/** Four pictures that are joined, each with a tone of skin: no cluster that people write is wider. */
const CLUSTER_CELLS_MAX = 16;
const PIECE_CELLS_MAX = 8;
const CACHE_MAX = 2_000;
const cache = new Map<string, Cluster>();

/** Kinds of clusters about whose width terminals disagree, each with an example that a terminal can be asked about. */
export const DISPUTED_CLUSTERS = {
  /** One picture: a single cell where the terminal's table is older than it. */
  picture: "\u{1f600}",
  /** A letter and a vowel sign: two cells by wcwidth, one where a terminal thinks in clusters. */
  sign: "\u0915\u093f",
  family: "\u{1f469}\u200d\u{1f467}",
  flag: "\u{1f1e9}\u{1f1ea}",
  variation: "\u2764\ufe0f",
  tone: "\u{1f44d}\u{1f3fd}",
} as const;

/** A kind of cluster about which terminals disagree. */
export type DisputedKind = keyof typeof DISPUTED_CLUSTERS;

/** How the terminal of this program draws each kind: its parts in one, or each in cells of its own. */
const learned = new Map<DisputedKind, "joined" | "apart">();
/** Cells of one picture. */
let pictureCells = 2;
let revision = 0;

/** Takes from a terminal how many cells the examples took; what it did not say, and what makes no sense, stays a guess. */
export function learnWidths(cells: Readonly<Partial<Record<DisputedKind, number>>>): void {
  learned.clear();
  pictureCells = cells.picture === 1 ? 1 : 2;
  for (const [kind, example] of Object.entries(DISPUTED_CLUSTERS) as [DisputedKind, string][]) {
    if (cells[kind] === joinedWidth(example)) learned.set(kind, "joined");
    else if (cells[kind] === apartWidth(example)) learned.set(kind, "apart");
  }
  cache.clear();
  revision++;
}

/** Another number once the widths of clusters are others. */
export function widthRevision(): number {
  return revision;
}

/** Splits text into clusters with their widths; control characters count as width 0. None is wider than a row may be. */
export function splitClusters(text: string): Cluster[] {
  if (ALL_SEPARATE.test(text)) return Array.from(text, clusterOf);
  return [...segments(text)].flatMap(({ segment }) => {
    const cluster = clusterOf(segment);
    return cluster.widest <= CLUSTER_CELLS_MAX ? cluster : piecesOf(segment);
  });
}

/** Letters of some scripts join into one cluster without end, which no row could hold: parts of one as clusters. */
function piecesOf(cluster: string): Cluster[] {
  const pieces: Cluster[] = [];
  let [piece, cells] = ["", 0];
  for (const character of cluster) {
    const drawn = Math.max(apartWidth(character), drawnWidth(character));
    const width = Math.max(drawn, mostApart(character));
    // A mark stays with what carries it, as far as a cluster has room.
    if (cells + width > (drawn > 0 || width > 1 ? PIECE_CELLS_MAX : CLUSTER_CELLS_MAX)) {
      pieces.push(clusterOf(piece));
      [piece, cells] = ["", 0];
    }
    piece += character;
    cells += width;
  }
  pieces.push(clusterOf(piece));
  return pieces.map((each, n) => n === 0 ? each : { ...each, continues: true });
}

/** Cells that plain text takes; escape sequences are not recognized. */
export function textWidth(text: string): number {
  if (ASCII_ONLY.test(text)) return text.length;
  return splitClusters(text).reduce((sum, cluster) => sum + cluster.width, 0);
}

/** Most cells that a terminal gives a plain text. */
export function mostTextWidth(text: string): number {
  if (ASCII_ONLY.test(text)) return text.length;
  return splitClusters(text).reduce((sum, { widest }) => sum + widest, 0);
}

/** The clusters of a text from a boundary on, as they are asked for. */
export function* clustersFrom(text: string, start: number): Generator<Cluster> {
  for (let from = start; from < text.length;) {
    const end = certainBoundary(text, from + BLOCK_LENGTH, 1);
    yield* splitClusters(text.slice(from, end));
    from = end;
  }
}

/** Start of the cluster that ends at or holds the index before `index`; 0 at the start. */
export function previousBoundary(text: string, index: number): number {
  return index <= 0 ? 0 : clusterAround(text, Math.min(index, text.length) - 1).start;
}

/** End of the cluster that begins at or holds `index`; the text's length at its end. */
export function nextBoundary(text: string, index: number): number {
  return index >= text.length ? text.length : clusterAround(text, index).end;
}

/** The index itself if a cluster begins there, else the end of the cluster that it splits. */
export function snapToBoundary(text: string, index: number): number {
  if (index <= 0 || index >= text.length) return Math.max(0, Math.min(index, text.length));
  const { start, end } = clusterAround(text, index);
  return start === index ? index : end;
}

/** The cluster that holds the unit at `index`. Only what is near it is looked at. */
function clusterAround(
  text: string,
  index: number,
): { readonly start: number; readonly end: number } {
  const from = certainBoundary(text, index, -1);
  const near = text.slice(from, certainBoundary(text, index + 1, 1));
  if (ALL_SEPARATE.test(near)) return { start: index, end: index + 1 };
  const found = segments(near).containing(index - from);
  const { index: inside = 0, segment = "" } = found ?? {};
  let start = from + inside;
  // Of one that is wider than a row may be, the part.
  if (segment.length <= CLUSTER_CELLS_MAX / 2) return { start, end: start + segment.length };
  for (const { text: part } of splitClusters(segment)) {
    if (index < start + part.length) return { start, end: start + part.length };
    start += part.length;
  }
  return { start, end: start };
}

let segmenter: Intl.Segmenter | undefined;

function segments(text: string): Intl.Segments {
  segmenter ??= new Intl.Segmenter(undefined, { granularity: "grapheme" });
  return segmenter.segment(text);
}

/** Units that are split at a time. */
const BLOCK_LENGTH = 1_024;

/** The nearest index from `index` on in a direction between two letters that never join others; or the text's start or end. */
function certainBoundary(text: string, index: number, by: 1 | -1): number {
  let at = Math.min(index, text.length);
  while (at > 0 && at < text.length && !(joinsNone(text, at - 1) && joinsNone(text, at))) at += by;
  return at;
}

/** Whether the unit at an index is a whole cluster beside any other such unit: UAX #29 has no rule that joins two of them. */
function joinsNone(text: string, index: number): boolean {
  const code = text.charCodeAt(index);
  if (code < 0x7f) return code >= 0x20 || code === 0x0a;
  const unit = text[index] as string;
  return NARROW.test(unit) || WIDE.test(unit);
}

/** How a text is painted that is one cluster, or a part of one, as splitClusters() gave it. */
export function clusterOf(text: string): Cluster {
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
    // A sign, which some terminals of East Asia draw wide. Without this the status line of each start costs 2 ms.
    if (ALL_SEPARATE.test(text)) return { text, width: 1, widest: 1, exact: false };
  }
  const [joined, widened] = [joinedWidth(text), widenedBySelectors(text)];
  const apart = apartWidth(text) + widened;
  const widest = Math.max(joined, mostWidth(text) + widened);
  const kind = disputedKind(text);
  const known = kind === undefined ? undefined : learned.get(kind);
  if (known !== undefined) {
    return { text, width: known === "joined" ? joined : apart, widest, exact: false };
  }
  // Most terminals draw the vowel signs of Indic and other scripts in cells of their own (wcwidth). Where one does not, a
  // cell stays blank; the other way round the next letter would be drawn over the sign.
  return {
    text,
    width: PICTURE.test(text) ? joined : Math.max(joined, apart),
    widest,
    exact: false,
  };
}

function disputedKind(text: string): DisputedKind | undefined {
  if (/\p{Regional_Indicator}/u.test(text)) return "flag";
  if (/\p{Emoji_Modifier}/u.test(text)) return "tone";
  if (PICTURE.test(text)) {
    return text.includes("\u200d") ? "family" : text.includes("\ufe0f") ? "variation" : undefined;
  }
  return SPACING_MARK.test(text) ? "sign" : undefined;
}

/** Cells that one picture takes at most. */
function mostCells(text: string): number {
  return PICTURE.test(text) && !WIDE_SIGN.test(text) ? pictureCells : 2;
}

/** Cells that selectors add to the parts of a cluster where a terminal minds them, though it joins no parts. */
function widenedBySelectors(text: string): number {
  if (pictureCells === 1 || learned.get("variation") === "apart") return 0;
  return text.match(WIDENED)?.length ?? 0;
}

/** Cells of a cluster whose parts are drawn in one; letters that a sign joins keep a cell each. */
function joinedWidth(text: string): number {
  const most = mostCells(text);
  if (PICTURE.test(text) || !SPACING_MARK.test(text)) return Math.min(most, drawnWidth(text));
  return Math.max(1, apartWidth(text.replace(SPACING_MARKS, "")));
}

/**
 * Cells of a cluster as most terminals draw it. The rules of string-width 9, which the tests compare: a picture has two, a
 * syllable of Hangul those of its first letter, all else the sum of what is drawn before a joiner.
 */
export function drawnWidth(cluster: string): number {
  const text = cluster.toWellFormed().replace(VOWELS_OF_ONE_GLYPH, "");
  const signs = NUMBER_SIGNS.exec(text)?.[0];
  if (signs !== undefined) return widthWithSigns([...signs].length, text.slice(signs.length));
  const visible = fromVisible(text);
  if (visible === "") return 0;
  if (HANGUL.test(text)) return STRAY_TONE.test(text) ? 2 : cellsOf(text);
  if (TEXT_STYLE.test(visible) && codeOf(visible) <= FIRST_PLANE) return 1;
  if (EMOJI.test(visible) || JOINED_EMOJI.test(visible)) return 2;
  let width = 0;
  for (const character of visible) {
    if (character === "\u200d") break;
    if (isVisible(character)) width += cellsOf(character);
  }
  return width;
}

/** A wide glyph takes the signs before it into its own cells. */
function widthWithSigns(signs: number, rest: string): number {
  const width = drawnWidth(rest);
  const visible = fromVisible(rest);
  const isWide = width >= 2 &&
    (cellsOf(visible) === 2 || EMOJI.test(visible) || JOINED_EMOJI.test(visible));
  return isWide ? width : signs + width;
}

function fromVisible(text: string): string {
  let from = 0;
  for (const character of text) {
    if (isVisible(character)) break;
    from += character.length;
  }
  return text.slice(from);
}

function isVisible(character: string): boolean {
  return !INVISIBLE.test(character) || NUMBER_SIGN.test(character);
}

function cellsOf(text: string): number {
  return eastAsianWidth(codeOf(text));
}

function codeOf(text: string): number {
  return text.codePointAt(0) as number;
}

function apartWidth(text: string): number {
  return [...text].reduce((sum, character) => sum + cellsApart(character), 0);
}

/** Most cells of one code point on its own: a spacing mark (Mc) takes one, and in some terminals so does a mark. */
function cellsApart(character: string): number {
  if (JAMO.test(character)) return 0;
  if (PICTURE.test(character)) return Math.min(mostCells(character), drawnWidth(character));
  return SPACING_MARK.test(character) || character === LEFT_TO_RIGHT ? 1 : drawnWidth(character);
}

function mostWidth(text: string): number {
  return [...text].reduce((sum, character) => sum + mostApart(character), 0);
}

/** Most cells of one code point by any table, the oldest included, where a terminal draws it on its own. */
function mostApart(character: string): number {
  if (ONCE_WIDE.test(character)) return 2;
  return Math.max(cellsApart(character), NEVER_DRAWN.test(character) ? 0 : 1);
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
