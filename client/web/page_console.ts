// The user's side of a chat, as a page has it.

import type { AskOptions, ChatConsole, UserEvent } from "../console/console.ts";
import { type StatusText, wholeStatus } from "../console/status_fit.ts";
import { plainRow } from "../render/shown.ts";
import type { Alert } from "../terminal/terminal.ts";
import type { PageView } from "./page_view.ts";

/** What a page's console works with. */
export interface PageConsoleOptions {
  readonly view: PageView;
  /** Something may have changed that the page shows beside the lines. */
  readonly changed: () => void;
}

// What client/page/composer.ts and chat_screen.ts make of them.
const KEYS = [
  ["Enter", "send"],
  ["Shift-Enter", "start a new line in the message"],
  ["Tab", "complete commands, names, rooms and :emoji; again: the next candidate"],
  ["Up, Down", "earlier lines, from an empty input"],
  ["Alt-Up, Alt-Down", "go to the room before this one, and to the one after it"],
  ["PgUp", "go to the messages; there Up, Down and Enter choose one"],
  ["Esc", "close what is open, and go back to the input"],
] as const;

/** Passes on what the chat shows; what the user does comes by PageActions. */
export class PageConsole implements ChatConsole {
  status = "";
  readonly keys = KEYS;
  readonly events: AsyncIterable<UserEvent> = {
    [Symbol.asyncIterator]: () => ({ next: () => new Promise<never>(() => {}) }),
  };
  readonly #view: PageView;
  readonly #changed: () => void;

  constructor({ view, changed }: PageConsoleOptions) {
    this.#view = view;
    this.#changed = changed;
  }

  print(text: string): void {
    this.#view.print({ kind: "note", rows: text.split("\n").map((row) => plainRow(row)) });
  }

  /** Kept for `/status`; the page shows the state in its own way. */
  setStatus(status: StatusText): void {
    this.status = wholeStatus(status);
    this.#changed();
  }

  /** Does nothing: the output gives its live lines to the view. */
  setLive(): void {}

  alert({ notice }: Alert): void {
    if (notice !== undefined) this.#view.notify(notice.text);
  }

  /** Does nothing: a page has no prompt. */
  setPrompt(): void {}

  setInput(text: string): void {
    this.#view.setInput(text);
  }

  clear(): void {
    this.#view.clear();
  }

  ask(question: string, { hidden = false }: AskOptions = {}): Promise<string | undefined> {
    return this.#view.ask(question, { hidden });
  }

  /** Does nothing: the page stays as it is. */
  close(): Promise<void> {
    return Promise.resolve();
  }
}
