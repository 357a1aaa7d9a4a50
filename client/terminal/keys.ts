// Parses bytes of a terminal into key events. Incremental: every chunking gives the same events, except for a lone
// Escape, which only time tells from the start of a sequence. The caller's timer decides; see `pending`.

import { CURSOR_REPORT, DEVICE_REPORT } from "./terminal_modes.ts";

/** What the user did. Key names: `a`, `enter`, `up` …, prefixed with `ctrl-`, `alt-`, `shift-` in this order. */
export type KeyEvent =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "key"; readonly key: string }
  | { readonly kind: "paste"; readonly text: string; readonly cut: boolean }
  /** A paste of so many characters so far has paused without its end. */
  | { readonly kind: "pause"; readonly length: number }
  /** An answer of the terminal to a question: of OSC its text, of DA1 and CPR the sequence without its ESC. */
  | { readonly kind: "report"; readonly text: string };

/** Most UTF-16 units of one paste that are kept; the rest is read and dropped. */
export const MAX_PASTE_LENGTH = 65_536;

const ESC = "\x1b";
const INTERRUPT = 0x03;
const PASTE_START = "[200~";
const PASTE_END = `${ESC}[201~`;
// Nothing longer is a key sequence. Without a bound a stray introducer would swallow what the user types.
const MAX_SEQUENCE_LENGTH = 256;

const CONTROLS: Readonly<Record<string, string>> = {
  "\r": "enter",
  "\n": "enter",
  "\t": "tab",
  "\x7f": "backspace",
  "\b": "backspace",
  "\0": "ctrl-space",
  [ESC]: "escape",
  "\x1c": "ctrl-\\",
  "\x1d": "ctrl-]",
  "\x1e": "ctrl-^",
  "\x1f": "ctrl-_",
};
const FINALS: Readonly<Record<string, string>> = {
  A: "up",
  B: "down",
  C: "right",
  D: "left",
  H: "home",
  F: "end",
  Z: "shift-tab",
};
const TILDES: Readonly<Record<string, string>> = {
  1: "home",
  2: "insert",
  3: "delete",
  4: "end",
  5: "page-up",
  6: "page-down",
  7: "home",
  8: "end",
};

// Modifiers of CSI sequences, and those that make a key somebody else's: Super, Hyper, Meta.
const [SHIFT, ALT, CTRL, OTHER_MODIFIERS] = [1, 2, 4, 8 | 16 | 32];
/** Modifiers of rxvt, in the place of the tilde, in the numbering of the others. Its arrows with them are small letters. */
const RXVT_FINALS: Readonly<Record<string, number>> = {
  "$": 1 + SHIFT,
  "^": 1 + CTRL,
  "@": 1 + CTRL + SHIFT,
};
/** The event type of a key that was let go (kitty keyboard protocol). */
const RELEASE = "3";
/** Keys of the keypad by their numbers in the kitty keyboard protocol: digits, `./*-+`, Enter, `=`. */
const KEYPAD: Readonly<Record<string, string>> = Object.fromEntries(
  [..."0123456789./*-+\r="].map((character, index) => [String(57_399 + index), character]),
);

const ESCAPE: KeyEvent = { kind: "key", key: "escape" };

/** Turns chunks of bytes into key events. */
export class KeyParser {
  readonly #decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  #rest = "";
  #paste: string | undefined;
  #pasteCut = false;
  /** Whether the open paste paused: then Ctrl-C alone ends it. */
  #isPaused = false;
  /** The form of an answer whose beginning was given up: its rest may still come. */
  #lostReport: "string" | "sequence" | undefined;
  #expectsReport = false;

  /** Whether a question to the terminal is open: its answer may come late and in pieces, and is never text. */
  get expectsReport(): boolean {
    return this.#expectsReport;
  }

  set expectsReport(expects: boolean) {
    if (this.#expectsReport && !expects) this.#giveUpReport();
    this.#expectsReport = expects;
  }

  /** What is incomplete and waits for more bytes or for `timeOut`. */
  get pending(): "sequence" | "report" | "paste" | "nothing" {
    if (this.#paste !== undefined) return "paste";
    if (this.#rest === "") return "nothing";
    const isReport = /^\p{Cc}(?:\]|\[[\d;?]*$|$)/u.test(this.#rest);
    return this.expectsReport && isReport ? "report" : "sequence";
  }

  /** The events that these bytes complete. */
  feed(bytes: Uint8Array): KeyEvent[] {
    const isInterrupt = bytes.length === 1 && bytes[0] === INTERRUPT;
    if (this.#isPaused && isInterrupt) return this.#endPausedPaste();
    this.#isPaused = false;
    this.#rest += this.#decoder.decode(bytes, { stream: true });
    if (this.#lostReport !== undefined) this.#dropReport();
    const events: KeyEvent[] = [];
    while (this.#rest !== "") {
      const before = this.#rest.length;
      if (this.#paste === undefined) this.#takeKey(events);
      else this.#takePaste(events);
      if (this.#rest.length === before) break;
    }
    return events;
  }

  /** No byte came for a while: a begun sequence was Escape or Alt and a key; an open paste stays open, however long. */
  timeOut(): KeyEvent[] {
    if (this.#paste !== undefined) {
      this.#isPaused = true;
      return [{ kind: "pause", length: this.#paste.length }];
    }
    if (this.#expectsReport && this.#giveUpReport()) return [];
    const rest = this.#rest;
    this.#rest = "";
    if (rest === "") return [];
    if (rest === ESC) return [ESCAPE];
    if (rest === ESC + ESC) return [ESCAPE, ESCAPE];
    // Escape before a sequence that did not come to its end.
    if (rest.startsWith(ESC + ESC)) return [ESCAPE, ...altKey(rest.slice(1))];
    return altKey(rest);
  }

  /** Waits no longer for the end of an answer that has begun; false where none has. */
  #giveUpReport(): boolean {
    const form = reportForm(this.#rest);
    if (form === undefined) return false;
    this.#lostReport = form;
    this.#rest = "";
    return true;
  }

  /** Drops the rest of an answer that came after its timeout, up to its end. */
  #dropReport(): void {
    const isString = this.#lostReport === "string";
    this.#rest = this.#rest.replace(isString ? /^[\da-f:/;?rgb]*/i : /^[\d;?]*/, "");
    if (this.#rest === "" || (isString && this.#rest === ESC)) return;
    this.#rest = this.#rest.replace(isString ? /^\p{Cc}\\?/u : /^[cR]/, "");
    this.#lostReport = undefined;
  }

  #takeKey(events: KeyEvent[]): void {
    const first = this.#rest[0] as string;
    if (first === ESC) return this.#takeEscape(events);
    const text = /^\P{Cc}+/u.exec(this.#rest)?.[0];
    if (text !== undefined) {
      this.#rest = this.#rest.slice(text.length);
      events.push({ kind: "text", text });
      return;
    }
    this.#rest = this.#rest.slice(1);
    const key = controlName(first);
    if (key !== undefined) events.push({ kind: "key", key });
  }

  #takeEscape(events: KeyEvent[]): void {
    // While an answer is on its way, ESC before another one is the key Escape before the answer.
    const isBeforeReport = this.#expectsReport && this.#rest.startsWith(ESC + ESC);
    const found = isBeforeReport ? 1 : escapeLength(this.#rest);
    if (found === "incomplete") {
      if (this.#rest.length > MAX_SEQUENCE_LENGTH) this.#rest = "";
      return;
    }
    const sequence = this.#rest.slice(1, found);
    this.#rest = this.#rest.slice(found);
    if (sequence === PASTE_START) {
      this.#paste = "";
      this.#pasteCut = false;
      return;
    }
    if (sequence.length > 1 && sequence.startsWith("]")) {
      events.push({ kind: "report", text: sequence.slice(1).replace(/\p{Cc}\\?$/u, "") });
      return;
    }
    if (DEVICE_REPORT.test(sequence) || CURSOR_REPORT.test(sequence)) {
      events.push({ kind: "report", text: sequence });
      return;
    }
    const event = sequenceEvent(sequence);
    if (event !== undefined) events.push(event);
  }

  #takePaste(events: KeyEvent[]): void {
    const end = this.#rest.indexOf(PASTE_END);
    if (end >= 0) {
      const text = this.#rest.slice(0, end);
      this.#rest = this.#rest.slice(end + PASTE_END.length);
      return this.#endPaste(events, text);
    }
    // The end marker may be split between chunks: what could be its beginning stays.
    const keep = partialSuffix(this.#rest, PASTE_END);
    this.#addPaste(this.#rest.slice(0, this.#rest.length - keep));
    this.#rest = this.#rest.slice(this.#rest.length - keep);
  }

  /** The user gives up a paste whose end does not come. */
  #endPausedPaste(): KeyEvent[] {
    const events: KeyEvent[] = [];
    this.#endPaste(events, this.#rest);
    this.#rest = "";
    return events;
  }

  #addPaste(text: string): void {
    const whole = (this.#paste ?? "") + text;
    if (whole.length > MAX_PASTE_LENGTH) this.#pasteCut = true;
    this.#paste = whole.slice(0, MAX_PASTE_LENGTH);
  }

  #endPaste(events: KeyEvent[], last: string): void {
    this.#addPaste(last);
    const text = cleanPaste(this.#paste ?? "");
    this.#paste = undefined;
    this.#isPaused = false;
    events.push({ kind: "paste", text, cut: this.#pasteCut });
  }
}

/** What kind of answer the beginning of one is of. */
function reportForm(rest: string): "string" | "sequence" | undefined {
  if (rest.startsWith(`${ESC}]`)) return "string";
  return /^\p{Cc}\[[\d;?]*$/u.test(rest) ? "sequence" : undefined;
}

/** Pasted text without control characters; every kind of line end is `\n`, tabs stay. */
export function cleanPaste(text: string): string {
  return text.replace(/\r\n?/g, "\n").replace(/\p{Cc}/gu, (c) => c === "\n" || c === "\t" ? c : "")
    .replace(/\p{Cs}/gu, "");
}

/** Length of the escape sequence at the start of the text, its ESC included. */
function escapeLength(text: string): number | "incomplete" {
  const second = text[1];
  if (second === undefined) return "incomplete";
  if (second === "[") {
    // A mouse report of the oldest form: button, column and row as one character each.
    if (text[2] === "M") return text.length > 5 ? 6 : "incomplete";
    if (text[2] === "[") return text.length > 3 ? 4 : "incomplete"; // Linux console: F1 is ESC [ [ A
    for (let i = 2; i < text.length; i++) {
      const code = text.charCodeAt(i);
      // rxvt ends the keys with Shift in a dollar; in the answer about a mode, CSI ? 2004 ; 1 $ y, it is in the middle.
      const isShifted = text[i] === "$" && /^\d+$/.test(text.slice(2, i));
      if ((code >= 0x40 && code <= 0x7e) || isShifted) return i + 1;
      if (code < 0x20 || code > 0x7e) return i;
    }
    return "incomplete";
  }
  if (second === "O") {
    // Some terminals put the modifiers of an arrow between: ESC O 5 C.
    const modifiers = /^\d*/.exec(text.slice(2))?.[0].length ?? 0;
    return text.length > 2 + modifiers ? 3 + modifiers : "incomplete";
  }
  if (second === "]" || second === "P" || second === "_" || second === "^") {
    const end = stringEnd(text);
    return end < 0 ? "incomplete" : end;
  }
  if (second === ESC) return escapedLength(text);
  return 1 + String.fromCodePoint(text.codePointAt(1) as number).length;
}

/** Length of two ESC and what follows: the second of them may begin the sequence of a key that was pressed with Alt. */
function escapedLength(text: string): number | "incomplete" {
  if (text.length === 2) return "incomplete";
  if (text[2] !== "[" && text[2] !== "O") return 1;
  const inner = escapeLength(text.slice(1));
  if (inner === "incomplete") return inner;
  return withAlt(text.slice(2, 1 + inner)) === undefined ? 1 : 1 + inner;
}

/** What a sequence without its ESC means behind another ESC (rxvt, PuTTY); undefined where it is not of a single key. */
function withAlt(sequence: string): KeyEvent | undefined {
  const isReport = DEVICE_REPORT.test(sequence) || CURSOR_REPORT.test(sequence);
  const event = isReport ? undefined : sequenceEvent(sequence);
  if (event?.kind !== "key") return undefined;
  const [, ctrl = "", key = ""] = /^(ctrl-)?(?:alt-)?(.+)$/.exec(event.key) ?? [];
  return { kind: "key", key: `${ctrl}alt-${key}` };
}

/** The key of ESC and one letter; none where more has come. */
function altKey(sequence: string): KeyEvent[] {
  return sequence.length === 2 ? [{ kind: "key", key: `alt-${sequence[1]}` }] : [];
}

/** Where a string sequence (an answer of the terminal) ends: after BEL or ESC \; -1 if it goes on. */
function stringEnd(text: string): number {
  const bell = text.indexOf("\x07", 2);
  const terminator = text.indexOf(`${ESC}\\`, 2);
  if (bell < 0) return terminator < 0 ? -1 : terminator + 2;
  return terminator < 0 || bell < terminator ? bell + 1 : terminator + 2;
}

/** What a sequence without its ESC means; undefined if nothing was typed, such as for an answer of the terminal. */
function sequenceEvent(sequence: string): KeyEvent | undefined {
  if (sequence === "") return ESCAPE;
  if (sequence.startsWith(ESC)) return withAlt(sequence.slice(1));
  // The Linux console's F1 to F5.
  if (sequence.startsWith("[[")) return undefined;
  const arrow = /^([[O])([a-d])$/.exec(sequence);
  if (arrow !== null) {
    const name = FINALS[(arrow[2] as string).toUpperCase()] as string;
    return { kind: "key", key: modifierNames(1 + (arrow[1] === "O" ? CTRL : SHIFT)) + name };
  }
  const modified = /^O(\d+)(.)$/s.exec(sequence);
  if (modified !== null) return csiEvent(`1;${modified[1]}${modified[2]}`);
  if (sequence.startsWith("[") || (sequence.startsWith("O") && sequence.length > 1)) {
    return csiEvent(sequence.slice(1));
  }
  if (/^[\]P_^]./s.test(sequence)) return undefined;
  const name = controlName(sequence) ?? sequence;
  const key = name.startsWith("ctrl-") ? `ctrl-alt-${name.slice(5)}` : `alt-${name}`;
  return { kind: "key", key };
}

function csiEvent(body: string): KeyEvent | undefined {
  const final = body.slice(-1);
  const [code = "", modifier = "1", third = ""] = body.slice(0, -1).split(";");
  const [modifiers = "1", event] = modifier.split(":");
  if (event === RELEASE || /[?<>]/.test(body)) return undefined;
  // xterm's modifyOtherKeys: 27 ; modifiers ; code point.
  if (final === "~" && code === "27") return codeEvent([third], Number(modifiers), "");
  if (final === "u") return codeEvent(code.split(":"), Number(modifiers), third);
  const rxvt = RXVT_FINALS[final];
  const name = final === "~" || rxvt !== undefined ? TILDES[code] : FINALS[final];
  if (name === undefined) return undefined;
  return { kind: "key", key: modifierNames(rxvt ?? Number(modifiers)) + name };
}

/**
 * A key that the terminal reports by its code point (CSI u): `codes` are the key and, where the terminal tells, the same
 * key with Shift; `text` the code points that it types.
 */
function codeEvent(
  codes: readonly string[],
  modifiers: number,
  text: string,
): KeyEvent | undefined {
  const character = KEYPAD[codes[0] ?? ""] ?? characterOf(codes[0]);
  const bits = modifiers > 0 ? modifiers - 1 : 0;
  if (character === undefined || (bits & OTHER_MODIFIERS) !== 0) return undefined;
  const control = CONTROLS[character];
  if (control !== undefined) return { kind: "key", key: modifierNames(modifiers) + control };
  if ((bits & (CTRL | ALT)) !== 0) {
    return { kind: "key", key: modifierNames(modifiers) + character.toLowerCase() };
  }
  const typed = text.split(":").map(characterOf).join("");
  if (typed !== "") return { kind: "text", text: typed };
  const shifted = characterOf(codes[1]) ?? character.toUpperCase();
  return { kind: "text", text: (bits & SHIFT) !== 0 ? shifted : character };
}

/** The character of a code point; undefined for none, and for the numbers of keys that type nothing (kitty: U+E000 …). */
function characterOf(digits: string | undefined): string | undefined {
  const code = digits === undefined || digits === "" ? NaN : Number(digits);
  if (!Number.isInteger(code) || code < 0 || code > 0x10ffff) return undefined;
  return (code >= 0xe000 && code <= 0xf8ff) || (code >= 0xd800 && code <= 0xdfff)
    ? undefined
    : String.fromCodePoint(code);
}

/** Prefix for modifiers in the numbering of terminals: 1 + shift 1 + alt 2 + ctrl 4. */
function modifierNames(value: number): string {
  const bits = Number.isInteger(value) && value > 0 ? value - 1 : 0;
  return (bits & CTRL ? "ctrl-" : "") + (bits & ALT ? "alt-" : "") + (bits & SHIFT ? "shift-" : "");
}

function controlName(character: string): string | undefined {
  const named = CONTROLS[character];
  if (named !== undefined) return named;
  const code = character.charCodeAt(0);
  return code < 0x20 ? `ctrl-${String.fromCharCode(code + 0x60)}` : undefined;
}

/** Length of the longest suffix of the text that is a prefix of the marker. */
function partialSuffix(text: string, marker: string): number {
  for (let length = Math.min(text.length, marker.length - 1); length > 0; length--) {
    if (marker.startsWith(text.slice(-length))) return length;
  }
  return 0;
}
