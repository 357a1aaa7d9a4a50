// The rules for names of people and rooms: docs/PROTOCOL.md, after RFC 8266 (nicknames) and UTS #39.
import { CONFUSABLES_PACKED, SCRIPT_CASE_PAIRS, SCRIPT_SHAPES_PACKED } from "./confusables.ts";
import { LimitError, UsageError } from "../base/errors.ts";
import { MARKS_IN_A_ROW_MAX, NAME_MAX_BYTES, NAME_MAX_CHARACTERS } from "../base/limits.ts";
import { quote } from "../base/sanitize.ts";

// What the program says itself: no member may look as if these words spoke.
const RESERVED = [
  "cmdchat",
  "cmdchat server",
  "cmdchat client",
  "server",
  "system",
  "error",
  "warning",
  "hint",
  "notice",
  "server notice",
  "admin",
  "administrator",
  "operator",
  "moderator",
  "you",
  "everybody",
  "nobody",
];

// A search that finds so many suffixes taken has met a caller that says "taken" to everything.
const SUFFIX_MAX = 1_000_000;
const SUFFIXES_TRIED_IN_TURN = 16;

const PLAIN_ASCII = /^[\x20-\x7e]*$/;
const LETTER_OR_DIGIT = /[\p{L}\p{Nd}]/u;
const IGNORABLES = /\p{DI}/gu;
// Letters and marks without ink that Unicode does not list as ignorable.
const BLANK_LETTER = /[\u{13441}\u{13442}\u{16fe4}]/u;
// Letters that look like a colon would forge "alice: hi"; in Lisu the second one is a tone.
const COLON_LETTER = /\u02d0|(?<!\p{Script=Lisu})\ua4fd/u;
const FORBIDDEN = /[^\p{L}\p{Mn}\p{Mc}\p{Nd} ._-]|\p{DI}/u;
// Vowels and finals of conjoining Hangul are letters, but stand on the letter before them.
const STACKING = "[\\p{M}\\u1160-\\u11ff\\ud7b0-\\ud7ff]";
const MARK_ALONE = new RegExp(`(?:^|[ ._-])${STACKING}`, "u");
const MARK_FLOOD = new RegExp(`${STACKING}{${MARKS_IN_A_ROW_MAX + 1}}|(\\p{Mn})\\1`, "u");

const encoder = new TextEncoder();

/** A member's name in the form that is shown and sent. Throws UsageError. */
export function parseName(raw: string): string {
  const name = normalize(raw, "name");
  if (isReserved(name)) {
    throw new UsageError(
      `Cannot use the name ${quote(name)}: it is one of the program's own words`,
    );
  }
  return name;
}

/** Whether a name is a word of the program, with digits around it or in place of letters: `server2`, `0perator`. */
function isReserved(name: string): boolean {
  const bare = name.replaceAll(/[ ._-]/g, "");
  const keys = [bare, bare.replace(/^\p{Nd}+/u, "").replace(/\p{Nd}+$/u, "")].map(nameKey);
  return keys.some((key) => reservedKeys().has(key));
}

/** A room's name, in lower case. Throws UsageError. */
export function parseRoom(raw: string): string {
  return normalize(toLower(raw), "room name");
}

/** A room's name as people type it: `#dev` is `dev`, and quotes around it are those of a list. Throws UsageError. */
export function parseTypedRoom(raw: string): string {
  const typed = raw.trim().replace(/^#(?=.)/, "");
  const [, quoted = typed] = /^"(.+)"$/.exec(typed) ?? [];
  return parseRoom(quoted);
}

// One word: what stands in a sentence without its end or another name being a part of it.
const ONE_WORD = /^[\p{L}\p{M}\p{Nd}_-]+$/u;

/** A name for a sentence or a list: a name of several words is quoted, so that it cannot pass for a sentence. */
export function nameInSentence(name: string): string {
  return ONE_WORD.test(name) ? name : `"${name.replaceAll('"', "'")}"`;
}

/** Two names with one key look the same or differ by case only: what must be unique in a room. */
export function nameKey(name: string): string {
  if (PLAIN_ASCII.test(name)) return asciiKey(name);
  const characters = [...name.normalize("NFKD").replace(IGNORABLES, "")];
  const key = characters.map(keyOf).join("").normalize("NFD");
  if (!characters.some((character) => scriptShapes().has(character))) return key;
  return SCRIPT_CASE_PAIRS.reduce((text, [from, to]) => text.replaceAll(from, to), key);
}

/** `name`, or the first of `name-2`, `name-3` … that is free; `name` must come from `parseName`. */
export function nextFreeName(name: string, isTaken: (key: string) => boolean): string {
  const isFree = (n: number) => !isTaken(nameKey(suffixed(name, n)));
  for (let n = 1; n <= SUFFIXES_TRIED_IN_TURN; n++) if (isFree(n)) return suffixed(name, n);
  // Doubling, then halving: 10,000 members called "anonymous" must not cost 10,000 tries each.
  let free = 2 * SUFFIXES_TRIED_IN_TURN;
  while (free < SUFFIX_MAX && !isFree(free)) free *= 2;
  if (free < SUFFIX_MAX) return suffixed(name, lowestFree(free / 2, free, isFree));
  // Somebody sits on the powers of two.
  for (let n = SUFFIXES_TRIED_IN_TURN; n <= SUFFIX_MAX; n++) {
    if (isFree(n)) return suffixed(name, n);
  }
  throw new LimitError(`Cannot use the name ${quote(name)}: it is taken ${SUFFIX_MAX} times`);
}

function lowestFree(taken: number, free: number, isFree: (n: number) => boolean): number {
  while (free - taken > 1) {
    const middle = Math.floor((taken + free) / 2);
    if (isFree(middle)) free = middle;
    else taken = middle;
  }
  return free;
}

function normalize(raw: string, what: string): string {
  // No name can shrink this much; NFKC need not see what is refused anyway.
  if (raw.length > 32 * NAME_MAX_CHARACTERS) throw tooLong(raw, what, [...raw].length);
  const name = raw.normalize("NFKC").replace(/ +/g, " ").replace(/^ | $/g, "");
  const fault = faultOf(name);
  if (fault !== undefined) throw new UsageError(`Cannot use the ${what} ${quote(raw)}: ${fault}`);
  const characters = [...name].length;
  if (characters > NAME_MAX_CHARACTERS) throw tooLong(raw, what, characters);
  const bytes = encoder.encode(name).length;
  if (bytes > NAME_MAX_BYTES) {
    throw new UsageError(
      `Cannot use the ${what} ${
        quote(raw)
      }: it has ${bytes} bytes, at most ${NAME_MAX_BYTES} are allowed`,
    );
  }
  return name;
}

function tooLong(raw: string, what: string, characters: number): UsageError {
  const limit = `at most ${NAME_MAX_CHARACTERS} are allowed`;
  return new UsageError(
    `Cannot use the ${what} ${quote(raw)}: it has ${characters} characters, ${limit}`,
  );
}

function faultOf(name: string): string | undefined {
  if (name === "") return `it is empty, and must have 1 to ${NAME_MAX_CHARACTERS} characters`;
  const forbidden = (FORBIDDEN.exec(name) ?? BLANK_LETTER.exec(name) ?? COLON_LETTER.exec(name))
    ?.[0];
  if (forbidden !== undefined) {
    return `${
      codePoint(forbidden)
    } cannot be in it; letters, digits, single spaces, "-", "_" and "." can`;
  }
  if (!LETTER_OR_DIGIT.test(name)) return "it has no letter and no digit, and must have one";
  const decomposed = name.normalize("NFD");
  if (MARK_ALONE.test(decomposed)) return "it has an accent without a letter";
  if (MARK_FLOOD.test(decomposed)) {
    return `it has too many accents on one letter, at most ${MARKS_IN_A_ROW_MAX} different ones are allowed`;
  }
  return undefined;
}

// Beyond ASCII the number, because what is refused is often invisible, or looks like something else.
function codePoint(character: string): string {
  if (/[\x21-\x7e]/.test(character)) return `the character ${character}`;
  if (character === "\t") return "a tab";
  if (character === "\n" || character === "\r") return "a line break";
  const hex = character.codePointAt(0)!.toString(16).toUpperCase().padStart(4, "0");
  return `the character U+${hex}`;
}

// All three forms of sigma are one letter; which small one stands where is up to toLowerCase().
function toLower(text: string): string {
  return text.normalize("NFKC").replace(/[σς]/g, "Σ").toLowerCase();
}

let reserved: ReadonlySet<string> | undefined;

function reservedKeys(): ReadonlySet<string> {
  return reserved ??= new Set(RESERVED.map((word) => nameKey(word.replaceAll(" ", ""))));
}

// What the table gives for ASCII, without decoding it: most clients never do.
function asciiKey(name: string): string {
  return name.toLowerCase().replace(/[i1|]/g, "l").replaceAll("0", "o").replaceAll("m", "rn");
}

function keyOf(character: string): string {
  if (PLAIN_ASCII.test(character)) return asciiKey(character);
  const key = confusables().get(character);
  if (key !== undefined) return key;
  const folded = fold(character);
  return folded === character ? character : [...folded].map(keyOf).join("");
}

// Three steps, since ẞ lowers to ß and only ß rises to SS; must equal `fold` in the generator.
function fold(text: string): string {
  return text.toLowerCase().toUpperCase().toLowerCase();
}

let decodedTable: ReadonlyMap<string, string> | undefined;
let decodedShapes: ReadonlySet<string> | undefined;

function confusables(): ReadonlyMap<string, string> {
  return decodedTable ??= decodeTable(CONFUSABLES_PACKED);
}

function scriptShapes(): ReadonlySet<string> {
  return decodedShapes ??= new Set(decodeCharacters(SCRIPT_SHAPES_PACKED.replaceAll("\n", "")));
}

function decodeTable(packed: string): Map<string, string> {
  const table = new Map<string, string>();
  let before = 0;
  for (const row of packed.replaceAll("\n", "").split(";")) {
    const [codes, differences] = row.split(":");
    const key = String.fromCodePoint(...codes!.split("+").map(fromBase36));
    const sources = decodeCharacters(differences!, before);
    for (const source of sources) table.set(source, key);
    before = sources[0]!.codePointAt(0)!;
  }
  return table;
}

function decodeCharacters(differences: string, before = 0): string[] {
  let code = before;
  return differences.split(",").map((difference) => {
    code += fromBase36(difference);
    return String.fromCodePoint(code);
  });
}

function fromBase36(digits: string): number {
  return Number.parseInt(digits, 36);
}

/** `name-n` within both limits; the stem gives way, character by character as a reader sees them. */
function suffixed(name: string, n: number): string {
  if (n === 1) return name;
  const suffix = `-${n}`;
  if (fits(name + suffix)) return name + suffix;
  const graphemes = Array.from(new Intl.Segmenter().segment(name), ({ segment }) => segment);
  const stem = longestThatFits(graphemes, suffix) || longestThatFits([...name], suffix);
  return stem.trimEnd() + suffix;
}

function longestThatFits(parts: readonly string[], suffix: string): string {
  for (let count = parts.length - 1; count > 0; count--) {
    const stem = parts.slice(0, count).join("");
    if (fits(stem + suffix)) return stem;
  }
  return "";
}

function fits(name: string): boolean {
  return [...name].length <= NAME_MAX_CHARACTERS && encoder.encode(name).length <= NAME_MAX_BYTES;
}
