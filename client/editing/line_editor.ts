// The text of the input line and how keys change it. Independent of the terminal: text and cursor only.
import { nextBoundary, previousBoundary, snapToBoundary } from "../terminal/width.ts";

/** Most UTF-16 units that the input holds; longer text is refused. Far above a message's limit. */
export const MAX_INPUT_LENGTH = 131_072;

const MAX_KILLS = 16;
const MAX_UNDO = 64;
const WORD = /[\p{L}\p{N}\p{M}_]+/gu;
const WORD_LETTER = /^[\p{L}\p{N}\p{M}_]/u;

interface Snapshot {
  readonly text: string;
  readonly cursor: number;
}

/** A direction in the text. */
export type HistoryDirection = "back" | "forward";

/** One input with cursor, kill ring and undo, as in Emacs and readline. */
export class LineEditor {
  #text = "";
  #cursor = 0;
  readonly #kills: string[] = [];
  readonly #undo: Snapshot[] = [];
  #yanked: { start: number; ring: number } | undefined;
  #last: "kill" | "insert" | "other" = "other";
  /** Whether something did not fit. */
  #isFull = false;

  get text(): string {
    return this.#text;
  }

  /** Index in UTF-16 units, always between two clusters. */
  get cursor(): number {
    return this.#cursor;
  }

  set cursor(index: number) {
    this.#cursor = snapToBoundary(this.#text, index);
    this.#settle("other");
  }

  /** Replaces everything; by default the cursor goes to the end. */
  set(text: string, cursor: number = text.length): void {
    this.#change(text, cursor);
    this.#settle("other");
  }

  /** Empties the input and its undo list; the kill ring stays. */
  reset(): void {
    this.#text = "";
    this.#cursor = 0;
    this.#isFull = false;
    this.#undo.length = 0;
    this.#settle("other");
  }

  /** Whether something that was typed did not fit. */
  get isFull(): boolean {
    return this.#isFull;
  }

  /** Inserts what may go on: once something does not fit, nothing does until something is taken out. So no gap is left. */
  type(text: string): boolean {
    this.#isFull ||= this.#text.length + text.length > MAX_INPUT_LENGTH;
    return !this.#isFull && this.insert(text);
  }

  /** Inserts text at the cursor; false if it does not fit. */
  insert(text: string): boolean {
    if (this.#text.length + text.length > MAX_INPUT_LENGTH) return false;
    const { before, after } = this.#halves();
    if (this.#last === "insert" && text.trim() !== "") {
      this.#put(before + text + after, this.#cursor + text.length);
    } else {
      this.#change(before + text + after, this.#cursor + text.length);
    }
    this.#settle("insert");
    return true;
  }

  /** Moves by one cluster, one word, to the end of the line, or of the whole text. */
  move(direction: HistoryDirection, by: "cluster" | "word" | "line" | "all"): void {
    this.cursor = this.#target(direction, by);
  }

  /** Deletes one cluster; it cannot be yanked back. */
  delete(direction: HistoryDirection): void {
    this.#cut(this.#target(direction, "cluster"));
    this.#settle("other");
  }

  /** Cuts text into the kill ring; consecutive cuts are one entry. */
  kill(direction: HistoryDirection, by: "word" | "blank" | "line" | "all"): void {
    const joined = this.#last === "kill";
    const target = this.#target(direction, by);
    // At the end of a line the line end itself goes, so that the next Ctrl-K or Ctrl-U joins two lines.
    const joins = by === "line" && target === this.#cursor;
    const killed = this.#cut(joins ? this.#target(direction, "cluster") : target);
    if (killed === "") return;
    if (joined) {
      const entry = this.#kills.pop() ?? "";
      this.#kills.push(direction === "back" ? killed + entry : entry + killed);
    } else {
      this.#kills.push(killed);
      if (this.#kills.length > MAX_KILLS) this.#kills.shift();
    }
    this.#settle("kill");
  }

  /** Inserts the last kill at the cursor. */
  yank(): void {
    const start = this.#cursor;
    const ring = this.#kills.length - 1;
    const text = this.#kills[ring];
    if (text === undefined || !this.insert(text)) return;
    this.#settle("other");
    this.#yanked = { start, ring };
  }

  /** Directly after a yank: replaces the inserted text with the kill before it. */
  yankOlder(): void {
    if (this.#yanked === undefined) return;
    const { start, ring } = this.#yanked;
    const older = (ring - 1 + this.#kills.length) % this.#kills.length;
    const text = this.#kills[older] ?? "";
    this.#change(this.#text.slice(0, start) + text + this.#halves().after, start + text.length);
    this.#settle("other");
    this.#yanked = { start, ring: older };
  }

  /** Swaps the clusters around the cursor, at the end of the text the last two. */
  transpose(): void {
    const text = this.#text;
    const right = this.#cursor < text.length ? this.#cursor : previousBoundary(text, text.length);
    const left = previousBoundary(text, right);
    if (left === right) return;
    const end = nextBoundary(text, right);
    const swapped = text.slice(right, end) + text.slice(left, right);
    this.#change(text.slice(0, left) + swapped + text.slice(end), end);
    this.#settle("other");
  }

  /** Changes the case of the word at or after the cursor, and moves behind it. */
  recase(how: "upper" | "lower" | "capital"): void {
    const { before, after } = this.#halves();
    const end = wordEnd(after);
    const word = after.slice(0, end);
    const changed = how === "upper"
      ? word.toUpperCase()
      : how === "lower"
      ? word.toLowerCase()
      : word.toLowerCase().replace(/[\p{L}\p{N}]/u, (first) => first.toUpperCase());
    if (word === "") return;
    this.#change(before + changed + after.slice(end), before.length + changed.length);
    this.#settle("other");
  }

  /** Undoes the last change. */
  undo(): void {
    const before = this.#undo.pop();
    if (before === undefined) return;
    this.#put(before.text, before.cursor);
    this.#settle("other");
  }

  #halves(): { before: string; after: string } {
    return { before: this.#text.slice(0, this.#cursor), after: this.#text.slice(this.#cursor) };
  }

  #target(direction: HistoryDirection, by: "cluster" | "word" | "blank" | "line" | "all"): number {
    const back = direction === "back";
    const { before, after } = this.#halves();
    switch (by) {
      case "cluster":
        return back
          ? previousBoundary(this.#text, this.#cursor)
          : nextBoundary(this.#text, this.#cursor);
      case "word":
        return back ? wordStart(before) : this.#cursor + wordEnd(after);
      case "blank":
        return back ? blankStart(before) : this.#cursor + blankEnd(after);
      case "line":
        return back ? before.lastIndexOf("\n") + 1 : this.#cursor + lineEnd(after);
      case "all":
        return back ? 0 : this.#text.length;
    }
  }

  /** Removes and returns the text between the cursor and the index. */
  #cut(index: number): string {
    const [from, to] = index < this.#cursor ? [index, this.#cursor] : [this.#cursor, index];
    const removed = this.#text.slice(from, to);
    if (removed !== "") this.#change(this.#text.slice(0, from) + this.#text.slice(to), from);
    return removed;
  }

  #change(text: string, cursor: number): void {
    this.#undo.push({ text: this.#text, cursor: this.#cursor });
    if (this.#undo.length > MAX_UNDO) this.#undo.shift();
    this.#put(text, cursor);
  }

  #put(text: string, cursor: number): void {
    if (text.length < this.#text.length) this.#isFull = false;
    this.#text = text;
    this.#cursor = snapToBoundary(text, cursor);
  }

  #settle(last: "kill" | "insert" | "other"): void {
    this.#last = last;
    this.#yanked = undefined;
  }
}

function wordStart(before: string): number {
  let start = before.length;
  let isInWord = false;
  while (start > 0) {
    const letter = lastCodePoint(before, start);
    const belongs = WORD_LETTER.test(letter);
    if (isInWord && !belongs) return start;
    isInWord ||= belongs;
    start -= letter.length;
  }
  return 0;
}

/** The code point that ends at an index. */
function lastCodePoint(text: string, end: number): string {
  const pair = text.slice(Math.max(0, end - 2), end);
  return pair.codePointAt(0) as number > 0xffff ? pair : pair.slice(-1);
}

function wordEnd(after: string): number {
  WORD.lastIndex = 0;
  const found = WORD.exec(after);
  return found === null ? after.length : found.index + found[0].length;
}

/** Start of the last run of visible characters; trailing blanks belong to it. */
function blankStart(before: string): number {
  let start = before.trimEnd().length;
  while (start > 0 && !/\s/.test(before[start - 1] as string)) start--;
  return start;
}

function blankEnd(after: string): number {
  return /^\s*\S*/.exec(after)?.[0].length ?? 0;
}

function lineEnd(after: string): number {
  const end = after.indexOf("\n");
  return end < 0 ? after.length : end;
}
