/// <reference lib="dom" />
// Where the user writes. Enter sends, Shift-Enter begins a new row, Tab completes.

import type { PageCompletions } from "../web/page_view.ts";
import { element, iconButton } from "./element.ts";
import { icon } from "./icons.ts";

const HISTORY_MAX = 100;
const CANDIDATES_MAX = 8;

/** What the input does. */
export interface ComposerActions {
  readonly entered: (text: string) => void;
  readonly typing: (text: string) => void;
  readonly sendFiles: (
    files: readonly (File | FileSystemDirectoryEntry)[],
    line: string,
  ) => void;
  readonly complete: (text: string, cursor: number) => PageCompletions;
}

/** Where the user writes. */
export class Composer {
  readonly element: HTMLFormElement;
  readonly #actions: ComposerActions;
  readonly #input = element("textarea", {
    attributes: {
      rows: "1",
      "aria-label": "Message",
      placeholder: "Message",
      autocomplete: "off",
      enterkeyhint: "send",
      "aria-describedby": "candidates",
    },
  });
  readonly #candidates = element("div", {
    class: "candidates",
    attributes: { id: "candidates", "aria-live": "polite" },
  });
  readonly #drafts = new Map<string, string>();
  #room: string | undefined;
  /** Whether the user is in that room no longer. */
  #hasLeft = false;
  #history: string[] = [];
  /** Index into the history; its length = the text that is being written. */
  #at = 0;
  #completions: PageCompletions | undefined;
  /** Which of the completions stands in the input. */
  #chosen = 0;

  constructor(actions: ComposerActions) {
    this.#actions = actions;
    const files = this.#fileInput();
    const folder = this.#fileInput({ webkitdirectory: true });
    this.element = element(
      "form",
      { class: "composer", attributes: { "aria-label": "Write a message" } },
      this.#candidates,
      iconButton(icon("attach"), "Send files", { class: "attach", onClick: () => files.click() }),
      iconButton(icon("folder"), "Send a folder", {
        class: "attach folder",
        onClick: () => folder.click(),
      }),
      files,
      folder,
      this.#input,
      iconButton(icon("send"), "Send", { class: "send", attributes: { type: "submit" } }),
    );
    this.#candidates.hidden = true;
    this.#listen();
  }

  #fileInput(more: Readonly<Record<string, boolean>> = {}): HTMLInputElement {
    const input = element("input", {
      attributes: {
        type: "file",
        multiple: true,
        hidden: true,
        tabindex: "-1",
        "aria-hidden": "true",
        ...more,
      },
    });
    input.addEventListener("change", () => {
      this.sendFiles([...input.files ?? []]);
      input.value = "";
      this.focus();
    });
    return input;
  }

  /** Whether something is written for some room and not sent. */
  get hasText(): boolean {
    return [this.#input.value, ...this.#drafts.values()].some((text) => text.trim() !== "");
  }

  /** Takes nothing more, and shows what was not sent, for the user to copy it. */
  end(): void {
    this.#input.value = [this.#input.value, ...this.#drafts.values()].filter((text) => text !== "")
      .join("\n");
    this.#input.readOnly = true;
    this.#showCandidates(undefined);
    this.element.querySelectorAll("button").forEach((button) => button.remove());
    this.#fit();
  }

  /** Takes the keyboard. */
  focus(): void {
    this.#input.focus();
  }

  /** Puts text into the input. */
  setText(text: string): void {
    this.#input.value = text;
    this.#fit();
    this.#actions.typing(text);
  }

  /** Sends files, to whom a command in the input names, which is done with them. */
  sendFiles(files: readonly (File | FileSystemDirectoryEntry)[]): void {
    const line = this.#input.value;
    if (/^\s*\/send(?:\s|$)/i.test(line)) this.begin("");
    this.#actions.sendFiles(files, line);
  }

  /** Begins a command or an answer: puts text into the input, for the user to go on. What was there, the arrow up brings back. */
  begin(text: string): void {
    this.#remember(this.#input.value);
    this.setText(text);
    this.focus();
  }

  /** Keeps what was written for one room while the user is in another. */
  switchTo(room: string, label: string): void {
    this.#input.placeholder = `Message ${label}`;
    if (room === this.#room) return;
    if (this.#hasLeft) this.#remember(this.#input.value);
    else if (this.#room !== undefined) this.#drafts.set(this.#room, this.#input.value);
    this.#hasLeft = false;
    // What was typed before there was a room stays.
    if (this.#room !== undefined) this.#input.value = this.#drafts.get(room) ?? "";
    this.#drafts.delete(room);
    this.#room = room;
    this.#fit();
  }

  /** Drops what was written for rooms that the user has left; the arrow up brings it back. */
  keepOnly(rooms: ReadonlySet<string>): void {
    for (const [room, text] of this.#drafts) {
      if (rooms.has(room)) continue;
      this.#drafts.delete(room);
      this.#remember(text);
    }
    this.#hasLeft = this.#room !== undefined && !rooms.has(this.#room);
  }

  #remember(text: string): void {
    if (text.trim() !== "") this.#history = [...this.#history, text].slice(-HISTORY_MAX);
    this.#at = this.#history.length;
  }

  #listen(): void {
    this.element.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#send();
    });
    this.#input.addEventListener("input", () => {
      this.#showCandidates(undefined);
      this.#fit();
      this.#actions.typing(this.#input.value);
    });
    this.#input.addEventListener("keydown", (event) => {
      if (!this.#input.readOnly) this.#key(event);
    });
    this.#input.addEventListener("paste", (event) => {
      const files = [...event.clipboardData?.files ?? []];
      if (files.length === 0) return;
      event.preventDefault();
      this.sendFiles(files);
    });
  }

  #send(): void {
    const text = this.#input.value;
    this.focus();
    if (text.trim() === "") return;
    this.#showCandidates(undefined);
    this.#remember(text);
    this.setText("");
    this.#actions.entered(text);
  }

  #key(event: KeyboardEvent): void {
    // An input method takes Enter and Tab for itself; Safari says so by the code alone.
    const isComposing = event.isComposing || event.keyCode === 229;
    if (isComposing || event.ctrlKey || event.metaKey || event.altKey) return;
    const { key, shiftKey } = event;
    const isTaken = key === "Enter" && !shiftKey
      ? (this.#send(), true)
      : key === "Tab" && !shiftKey
      ? this.#complete()
      : key === "Escape"
      ? this.#endCompletion()
      : key === "ArrowUp" || key === "ArrowDown"
      ? this.#recall(key === "ArrowUp" ? -1 : 1)
      : false;
    if (isTaken) event.preventDefault();
  }

  /** Moves through earlier inputs, only from an input that is empty or came from there. */
  #recall(by: 1 | -1): boolean {
    const isOwn = this.#input.value === "" || this.#input.value === this.#history[this.#at];
    const to = this.#at + by;
    if (!isOwn || to < 0 || to > this.#history.length) return false;
    this.#at = to;
    this.setText(this.#history[to] ?? "");
    return true;
  }

  #endCompletion(): boolean {
    const wasShown = !this.#candidates.hidden;
    this.#showCandidates(undefined);
    return wasShown;
  }

  // An empty input gives Tab back: the keyboard must find its way out.
  #complete(): boolean {
    const { value, selectionStart: cursor } = this.#input;
    if (value.trim() === "") return false;
    if (this.#completions !== undefined && this.#completions.candidates.length > 1) {
      this.#chosen = (this.#chosen + 1) % this.#completions.candidates.length;
      this.#insert(this.#completions, cursor);
      this.#showCandidates(this.#completions);
      return true;
    }
    const found = this.#actions.complete(value, cursor);
    if (found.candidates.length === 0) return false;
    this.#chosen = 0;
    this.#insert(found, cursor);
    this.#showCandidates(found.candidates.length > 1 ? found : undefined);
    return true;
  }

  #insert({ start, candidates }: PageCompletions, end: number): void {
    this.#input.setRangeText(candidates[this.#chosen] ?? "", start, end, "end");
    this.#fit();
    this.#actions.typing(this.#input.value);
  }

  #showCandidates(found: PageCompletions | undefined): void {
    this.#completions = found;
    this.#candidates.hidden = found === undefined;
    const first = Math.max(0, this.#chosen - CANDIDATES_MAX + 1);
    const shown = found?.candidates.slice(first, first + CANDIDATES_MAX) ?? [];
    this.#candidates.replaceChildren(
      ...shown.map((word, n) =>
        element(
          "bdi",
          { class: first + n === this.#chosen ? "candidate chosen" : "candidate" },
          word,
        )
      ),
    );
  }

  // As high as its text; CSS sets the most.
  #fit(): void {
    this.#input.style.height = "auto";
    this.#input.style.height = `${this.#input.scrollHeight}px`;
  }
}
