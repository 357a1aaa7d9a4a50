// Text of peers and servers -> text that a terminal and a log can take: it moves no cursor, hides
// nothing, and reaches no cell but its own. One pass, linear; what is clean comes back unchanged.

// UTS #39 §5.4 asks for 4 in names; 8 is what the longest stack in use needs (Tibetan ཧྐྵྨླྺྼྻྂ).
const TEXT_MARKS_IN_A_ROW_MAX = 8;

// The longest sequence that Unicode recommends (emoji-zwj-sequences.txt) joins four pictures; a
// longer chain is one or a thousand cells wide, depending on the terminal.
const EMOJI_JOINERS_IN_A_ROW_MAX = 3;

const ZWJ = "\u200d";
const ZWNJ = "\u200c";
const TEXT_STYLE = "\ufe0e";
const EMOJI_STYLE = "\ufe0f";
const KEYCAP = "\u20e3";
const BLACK_FLAG = "\u{1f3f4}";
const REPLACEMENT = "\ufffd";
// Carries a mark that would otherwise land on what the program printed before.
const DOTTED_CIRCLE = "\u25cc";

const PLAIN_ASCII = /^[\x20-\x7e]*$/;
const BREAK = /\r\n?|[\n\v\f\x85\u2028\u2029]/g;

// Vowels and finals of conjoining Hangul are letters, but take no cell of their own.
const STACKING = /[\p{M}\u1160-\u11ff\ud7b0-\ud7ff]/u;
// All else that the long way looks at: other (control, format, surrogate …), blanks, ignorables.
const SUSPECT =
  /[\p{C}\p{Zl}\p{Zp}\p{M}\p{DI}\u1160-\u11ff\ud7b0-\ud7ff\u2800\u303f\u{13441}\u{13442}\u{1d159}]|(?![ \u3000])\p{Zs}/u;

const IGNORABLE = /\p{DI}/u;
// Blanks by category, and the characters without ink whose category does not tell: by their names in UnicodeData.txt
// Braille blank, half fill space, hieroglyph blanks, Khitan filler and null notehead. (Hangul fillers are ignorable.)
const BLANK = /(?!\u3000)\p{Zs}|[\u2800\u303f\u{13441}\u{13442}\u{16fe4}\u{1d159}]/u;
const UNSHOWABLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Noncharacter_Code_Point}]/u;
const EMOJI = /\p{Emoji}/u;
const PICTURE = /\p{Extended_Pictographic}/u;
const EMOJI_MODIFIER = /\p{Emoji_Modifier}/u;
// What may stand before a joiner inside an emoji: a picture, its skin tone or its variation selector.
const JOINABLE_PICTURE = /[\p{Extended_Pictographic}\p{Emoji_Modifier}\ufe0f]/u;
// Scripts whose spelling needs the joiner and the non-joiner (Unicode core specification §23.2).
const JOINING_SCRIPT = new RegExp(
  [
    "Arabic|Syriac|Nko|Mandaic|Mongolian|Devanagari|Bengali|Gurmukhi|Gujarati|Oriya|Tamil",
    "Telugu|Kannada|Malayalam|Sinhala|Khmer|Myanmar|Tibetan",
  ].join("|").replace(/\w+/g, "\\p{scx=$&}"),
  "u",
);

// England, Scotland, Wales: the only tag sequences in use. Other tags spell hidden text.
const TAG_BASE = 0xe0000;
const TAG_FLAGS = ["gbeng", "gbsct", "gbwls"].map((region) => {
  return [...region, "\x7f"].map((letter) => tag(letter.charCodeAt(0))).join("");
});

/** Anything a peer or a server sent -> one line that is safe for terminals and logs. Idempotent. */
export function sanitizeLine(text: string): string {
  if (PLAIN_ASCII.test(text) || !SUSPECT.test(text)) return text;
  return clean(text.replace(BREAK, "⏎"), " ");
}

/** Like `sanitizeLine`, but line breaks stay (as `\n`), and a tab becomes four spaces. Idempotent. */
export function sanitizeText(text: string): string {
  if (PLAIN_ASCII.test(text) || !SUSPECT.test(text)) return text;
  return clean(text.replace(BREAK, "\n"), "    ");
}

// What stands behind the # of a link of this program lets people in.
const END_OF_LINK = /\b(cmdchat:[^\s"'#]*#)[^\s"']+/gi;
// The token and the room's secret of any invite link, also where it was cut or escaped.
const SECRET_PART = /(?<![a-z])(secret|token)(=|%3d)[^\s&"'<>]+/gi;

/** The text without the secrets of invite links in it: what a user typed or pasted is repeated in errors. */
export function withoutSecrets(text: string): string {
  return text.replace(END_OF_LINK, "$1…").replace(SECRET_PART, "$1$2…");
}

/**
 * Text for an error message: one safe line in double quotes, cut to `max` characters with `…`, without the secrets of
 * invite links.
 */
export function quote(text: string, max = 40): string {
  const characters = [...sanitizeLine(withoutSecrets(text))];
  if (characters.length <= max) return `"${characters.join("")}"`;
  // Once more, because the cut may have gone through an emoji.
  return `"${sanitizeLine(characters.slice(0, max - 1).join(""))}…"`;
}

/** What a message says, for a line about it: in double quotes, and cut where it is long. */
export function quoteMessage(text: string): string {
  return quote(text.replace(/\s+/g, " "), 60);
}

function clean(text: string, tab: string): string {
  return new Cleaner(text.toWellFormed(), tab).run();
}

/** Decides by what it kept so far, never by what it dropped: so a second pass changes nothing. */
class Cleaner {
  readonly #text: string;
  readonly #tab: string;
  #output = "";
  #previous = "\n";
  #marks = 0;
  #emojiJoiners = 0;
  // Counts only between two characters that it joins, so it waits for the second one.
  #joiner = "";

  constructor(text: string, tab: string) {
    this.#text = text;
    this.#tab = tab;
  }

  run(): string {
    for (let next = 0; next < this.#text.length;) {
      const character = String.fromCodePoint(this.#text.codePointAt(next)!);
      next += character.length;
      if (!SUSPECT.test(character)) this.#keep(character);
      else if (isTag(character)) next += this.#takeFlag(next - character.length);
      else this.#takeSuspect(character, next);
    }
    return this.#output;
  }

  #takeSuspect(character: string, next: number): void {
    if (character === "\n") this.#keep(character);
    else if (character === "\t") this.#keep(this.#tab);
    else if (character === ZWJ || character === ZWNJ) this.#joiner ||= character;
    else if (character === TEXT_STYLE || character === EMOJI_STYLE) this.#style(character, next);
    else if (IGNORABLE.test(character)) return;
    else if (BLANK.test(character)) this.#keep(" ");
    else if (STACKING.test(character)) this.#stack(character);
    else this.#keep(UNSHOWABLE.test(character) ? picture(character) : character);
  }

  #keep(characters: string): void {
    if (this.#emitJoiner(characters)) this.#emojiJoiners++;
    else if (!EMOJI_MODIFIER.test(characters)) this.#emojiJoiners = 0;
    this.#output += characters;
    this.#previous = characters.at(-1) === " " ? " " : characters;
    this.#marks = 0;
  }

  #stack(mark: string): void {
    if (this.#previous === "\n") this.#keep(DOTTED_CIRCLE);
    if (this.#marks === TEXT_MARKS_IN_A_ROW_MAX) return;
    this.#emitJoiner(mark);
    this.#output += mark;
    this.#previous = mark;
    this.#marks++;
  }

  /** Whether the joiner that waits was written, because `next` is what it can join. */
  #emitJoiner(next: string): boolean {
    const joiner = this.#joiner;
    this.#joiner = "";
    if (joiner === "" || !this.#joins(joiner, next)) return false;
    this.#output += joiner;
    return true;
  }

  #joins(joiner: string, next: string): boolean {
    if (JOINING_SCRIPT.test(this.#previous)) return JOINING_SCRIPT.test(next);
    return joiner === ZWJ && this.#emojiJoiners < EMOJI_JOINERS_IN_A_ROW_MAX &&
      JOINABLE_PICTURE.test(this.#previous) && PICTURE.test(next);
  }

  // After an ASCII digit it would only widen a cell, unless it begins a keycap.
  #style(selector: string, next: number): void {
    if (this.#joiner !== "" || !EMOJI.test(this.#previous)) return;
    if (this.#previous < "\x7f" && !this.#text.startsWith(KEYCAP, next)) return;
    this.#output += selector;
    this.#previous = selector;
  }

  /** Takes the flag whose tags start at `start`; returns the code units used beyond the first tag. */
  #takeFlag(start: number): number {
    const tags = TAG_FLAGS.find((flag) => this.#text.startsWith(flag, start));
    if (tags === undefined || this.#previous !== BLACK_FLAG || this.#joiner !== "") return 0;
    this.#output += tags;
    this.#previous = tags.slice(-2);
    return tags.length - 2;
  }
}

function tag(code: number): string {
  return String.fromCodePoint(TAG_BASE + code);
}

function isTag(character: string): boolean {
  const code = character.codePointAt(0)!;
  return code >= TAG_BASE && code <= TAG_BASE + 0x7f;
}

// Control pictures show what was there: ESC becomes ␛.
function picture(character: string): string {
  const code = character.codePointAt(0)!;
  if (code === 0x7f) return "␡";
  return code < 0x20 ? String.fromCharCode(0x2400 + code) : REPLACEMENT;
}
