// vi's modes over the input line: which keys are commands, and what each of them does to the text.

import type { UserKey } from "../terminal/key_reader.ts";
import { splitClusters } from "../terminal/width.ts";
import type { LineEditor } from "./line_editor.ts";
import { isChange, keyBehindEscape, parseCommand, type ViCommand } from "./vi_command.ts";
import {
  clusterAt,
  cut,
  findIn,
  firstInk,
  isLineMotion,
  lastInLine,
  lineOfCluster,
  linesFrom,
  moveBy,
  reversed,
  type ViFind,
  type ViTarget,
  type ViText,
  ViTexts,
  withinWord,
  wordAround,
} from "./vi_motions.ts";

/** What vi's commands need besides the text. */
export interface ViOptions {
  readonly editor: LineEditor;
  /** A row up or down, or at the first or last row an earlier or later line. */
  readonly vertical: (by: 1 | -1) => void;
  /** Searches in earlier lines. */
  readonly search: () => void;
  /** Opens the user's editor. */
  readonly edit: () => void;
}

/** Most changes that can be undone. */
const MAX_UNDO = 64;

interface Snapshot {
  readonly text: string;
  readonly cursor: number;
}

/** Keys that end inserting, or are commands; all others keep their meaning. */
export class ViMode {
  readonly #options: ViOptions;
  #mode: "insert" | "normal" = "insert";
  /** What was typed of a command. */
  #typed = "";
  #register = { text: "", isLines: false };
  #find: ViFind | undefined;
  readonly #texts = new ViTexts();
  readonly #undo: Snapshot[] = [];
  readonly #redo: Snapshot[] = [];
  /** The events of the change that goes on, and of the last one. */
  #recording: UserKey[] | undefined;
  #last: readonly UserKey[] = [];
  #isReplaying = false;

  constructor(options: ViOptions) {
    this.#options = options;
  }

  /** Which mode it is, and the beginning of a command. */
  get state(): { readonly mode: "insert" | "normal"; readonly typed: string } {
    return { mode: this.#mode, typed: this.#typed };
  }

  /** Outside of inserting the cursor stands on a letter of its line, whatever moved it. */
  settle(): void {
    if (this.#mode === "normal") this.#stay();
  }

  /** A new line: inserting, and nothing to undo. */
  begin(): void {
    this.#mode = "insert";
    this.#typed = "";
    this.#recording = undefined;
    this.#undo.length = 0;
    this.#redo.length = 0;
  }

  /** Handles a key if it is one of vi's in the present mode. */
  takes(event: UserKey): boolean {
    return this.#mode === "insert" ? this.#insertTakes(event) : this.#normalTakes(event);
  }

  #insertTakes(event: UserKey): boolean {
    const key = event.kind === "key" ? event.key : "";
    const behind = keyBehindEscape(key);
    if (key !== "escape" && behind === undefined) {
      this.#recording?.push(event);
      return false;
    }
    this.#recording?.push({ kind: "key", key: "escape" });
    this.#endInsert();
    return behind === undefined || this.#normalTakes({ kind: "text", text: behind });
  }

  #endInsert(): void {
    const { editor } = this.#options;
    this.#mode = "normal";
    if (this.#recording !== undefined && !this.#isReplaying) this.#last = this.#recording;
    this.#recording = undefined;
    const { text, at } = this.#here();
    this.#goTo(text, Math.max(lineOfCluster(text, at).start, at - 1));
    const before = this.#undo.at(-1);
    if (before?.text === editor.text) this.#undo.pop();
  }

  #normalTakes(event: UserKey): boolean {
    if (event.kind === "text") {
      // Keys that came at once; behind one that begins to insert the rest is text.
      const clusters = splitClusters(event.text).map(({ text }) => text);
      for (const [index, key] of clusters.entries()) {
        if (this.#mode === "normal") {
          this.#type(key);
          continue;
        }
        const rest = clusters.slice(index).join("");
        this.#recording?.push({ kind: "text", text: rest });
        this.#options.editor.insert(rest);
        break;
      }
      return true;
    }
    if (event.kind !== "key") return false;
    const behind = keyBehindEscape(event.key);
    if (behind !== undefined) {
      this.#typed = "";
      return this.#normalTakes({ kind: "text", text: behind });
    }
    switch (event.key) {
      case "escape":
        this.#typed = "";
        return true;
      case "backspace":
        this.#type("h");
        return true;
      case "ctrl-r":
        this.#step(this.#redo, this.#undo);
        return true;
      default:
        this.#typed = "";
        return false;
    }
  }

  #type(key: string): void {
    this.#typed += key;
    const typed = parseCommand(this.#typed);
    if (typed === undefined) return;
    const all = this.#typed;
    this.#typed = "";
    if (typed.rest === ".") return this.#again(typed.count);
    const isRecorded = isChange(typed) && !this.#isReplaying;
    if (isRecorded) this.#recording = [{ kind: "text", text: all }];
    this.#do(typed);
    if (isRecorded && this.#mode === "normal") {
      this.#last = this.#recording ?? [];
      this.#recording = undefined;
    }
    if (this.#mode === "normal") this.#stay();
  }

  /** Does the last change again; a count takes the place of the one that it had. */
  #again(count: number): void {
    const [first, ...rest] = this.#last;
    if (first?.kind !== "text") return;
    const text = count === 0 ? first.text : count + first.text.replace(/^[1-9]\d*/, "");
    this.#isReplaying = true;
    for (const event of [{ kind: "text", text } as const, ...rest]) {
      if (this.takes(event) || event.kind === "pause") continue;
      if (event.kind === "key") this.#replayKey(event.key);
      else this.#options.editor.insert(event.text);
    }
    this.#isReplaying = false;
  }

  #replayKey(key: string): void {
    const { editor } = this.#options;
    if (key === "backspace") editor.delete("back");
    else if (key === "ctrl-w") editor.kill("back", "blank");
    else if (key === "ctrl-u") editor.kill("back", "line");
    else if (key === "alt-enter" || key === "shift-enter") editor.insert("\n");
  }

  #do({ count, operator, rest }: ViCommand): void {
    const times = isLineMotion(rest) ? count : Math.max(1, count);
    if (operator !== "") {
      if ([operator, "G", "gg"].includes(rest)) return this.#operateOnLines(operator, rest, times);
      const { text, at } = this.#here();
      const word = wordAround(text, rest, at);
      if (word !== undefined) {
        this.#goTo(text, word.from);
        return this.#operate(operator, { to: word.to, inclusive: false });
      }
      const target = this.#target(rest, times, operator);
      return target === undefined ? undefined : this.#operate(operator, target);
    }
    const { text, at } = this.#here();
    const line = lineOfCluster(text, at);
    switch (rest) {
      case "i":
        return this.#insertAt(at);
      case "I":
        return this.#insertAt(firstInk(text, line));
      case "a":
        return this.#insertAt(Math.min(line.end, at + 1));
      case "A":
        return this.#insertAt(line.end);
      case "o":
        return this.#openLine(line.end, line.end + 1);
      case "O":
        return this.#openLine(line.start, line.start);
      case "x":
        return this.#operate("d", { to: Math.min(line.end, at + times), inclusive: false });
      case "X":
        return this.#operate("d", { to: Math.max(line.start, at - times), inclusive: false });
      case "s":
        return this.#operate("c", { to: Math.min(line.end, at + times), inclusive: false });
      case "D":
      case "C":
        return this.#operate(rest.toLowerCase(), { to: line.end, inclusive: false });
      case "S":
        return this.#operateOnLines("c", "c", times);
      case "Y":
        return this.#operateOnLines("y", "y", times);
      case "~":
        return this.#swapCase(text, { at, end: Math.min(line.end, at + times) });
      case "p":
      case "P":
        return this.#put(rest === "p", times);
      case "u":
        for (let n = 0; n < times; n++) this.#step(this.#undo, this.#redo);
        return;
      case "j":
      case "k":
        for (let n = 0; n < times; n++) this.#options.vertical(rest === "j" ? 1 : -1);
        return;
      case "/":
      case "?":
        return this.#options.search();
      case "v":
        return this.#options.edit();
    }
    if (rest.startsWith("r")) return this.#replace(rest.slice(1), times);
    const target = this.#target(rest, times);
    if (target !== undefined) this.#goTo(text, target.to);
  }

  /** Where a motion leads from here; undefined where it leads nowhere. */
  #target(motion: string, count: number, operator = ""): ViTarget | undefined {
    const { text, at } = this.#here();
    const [, how, what = ""] = /^([fFtT])(.+)$/su.exec(motion) ?? [];
    if (how !== undefined) this.#find = { how: how as ViFind["how"], what };
    if (how !== undefined || motion === ";" || motion === ",") {
      if (this.#find === undefined) return undefined;
      const find = motion === "," ? reversed(this.#find) : this.#find;
      return findIn(text, find, { at, count, again: how === undefined });
    }
    const target = moveBy(text, motion, { at, count });
    if (target === undefined || !/^[wW]$/.test(motion) || operator === "") return target;
    return withinWord(text, { at, to: target.to, changes: operator === "c" });
  }

  #operate(operator: string, target: ViTarget): void {
    const { text, at } = this.#here();
    const from = Math.min(at, target.to);
    const to = Math.min(
      text.clusters.length,
      Math.max(at, target.to) + (target.inclusive ? 1 : 0),
    );
    this.#register = { text: cut(text, from, to), isLines: false };
    if (operator === "y") return this.#goTo(text, from);
    this.#note();
    this.#options.editor.set(cut(text, 0, from) + cut(text, to), text.starts[from]);
    if (operator === "c") this.#mode = "insert";
  }

  #operateOnLines(operator: string, motion: string, count: number): void {
    const { text, at } = this.#here();
    const { start, end } = linesFrom(text, motion, { at, count });
    this.#register = { text: cut(text, start, end), isLines: true };
    if (operator === "y") return;
    this.#note();
    if (operator === "c") {
      this.#options.editor.set(cut(text, 0, start) + cut(text, end), text.starts[start]);
      this.#mode = "insert";
      return;
    }
    // One line end goes with the lines: the one behind them, or at the end of the text the one before.
    const isLast = end === text.clusters.length;
    const [from, to] = isLast ? [Math.max(0, start - 1), end] : [start, end + 1];
    const left = cut(text, 0, from) + cut(text, to);
    this.#options.editor.set(left, text.starts[from]);
    const here = this.#here();
    this.#goTo(here.text, firstInk(here.text, lineOfCluster(here.text, here.at)));
  }

  #put(behind: boolean, count: number): void {
    const { text, isLines } = this.#register;
    if (text === "") return;
    const here = this.#here();
    const line = lineOfCluster(here.text, here.at);
    this.#note();
    if (isLines) {
      const lines = Array.from({ length: count }, () => text).join("\n");
      const [added, place] = behind ? [`\n${lines}`, line.end] : [`${lines}\n`, line.start];
      this.#insert(added, { text: here.text, place, cursor: behind ? 1 : 0 });
      return;
    }
    const place = behind && line.end > line.start ? here.at + 1 : here.at;
    const added = text.repeat(count);
    this.#insert(added, { text: here.text, place, cursor: added.length });
    const { text: after, at } = this.#here();
    this.#goTo(after, Math.max(0, at - 1));
  }

  #insert(
    added: string,
    { text, place, cursor }: {
      readonly text: ViText;
      readonly place: number;
      readonly cursor: number;
    },
  ): void {
    const { editor } = this.#options;
    editor.cursor = text.starts[place] ?? text.text.length;
    // Text that does not fit is not inserted.
    if (editor.insert(added)) editor.cursor = (text.starts[place] ?? 0) + cursor;
  }

  #openLine(place: number, cursor: number): void {
    const { text } = this.#here();
    this.#note();
    this.#insert("\n", { text, place, cursor: cursor - place });
    this.#mode = "insert";
  }

  #insertAt(place: number): void {
    this.#note();
    this.#goTo(this.#here().text, place);
    this.#mode = "insert";
  }

  #replace(what: string, count: number): void {
    const { text, at } = this.#here();
    if (at + count > lineOfCluster(text, at).end) return;
    this.#note();
    const changed = cut(text, 0, at) + what.repeat(count) + cut(text, at + count);
    this.#options.editor.set(changed, text.starts[at + count - 1]);
  }

  #swapCase(text: ViText, { at, end }: { readonly at: number; readonly end: number }): void {
    const swapped = text.clusters.slice(at, end).map((cluster) =>
      cluster === cluster.toUpperCase() ? cluster.toLowerCase() : cluster.toUpperCase()
    ).join("");
    this.#note();
    const before = cut(text, 0, at);
    this.#options.editor.set(before + swapped + cut(text, end), before.length + swapped.length);
  }

  /** Keeps the text as it is before a change. */
  #note(): void {
    const { text, cursor } = this.#options.editor;
    this.#undo.push({ text, cursor });
    if (this.#undo.length > MAX_UNDO) this.#undo.shift();
    this.#redo.length = 0;
  }

  #step(from: Snapshot[], to: Snapshot[]): void {
    const { editor } = this.#options;
    const snapshot = from.pop();
    if (snapshot === undefined) return;
    to.push({ text: editor.text, cursor: editor.cursor });
    editor.set(snapshot.text, snapshot.cursor);
    this.#stay();
  }

  #here(): { readonly text: ViText; readonly at: number } {
    const { editor } = this.#options;
    const text = this.#texts.of(editor.text);
    return { text, at: clusterAt(text, editor.cursor) };
  }

  #goTo({ starts, text }: ViText, at: number): void {
    this.#options.editor.cursor = starts[at] ?? text.length;
  }

  /** Outside of inserting the cursor stands on a letter of its line. */
  #stay(): void {
    const { text, at } = this.#here();
    const last = lastInLine(text, at);
    if (at > last) this.#goTo(text, last);
  }
}
