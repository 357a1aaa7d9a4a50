// What the client core sees of the user's side: text out, lines in. Implemented by Prompt (a terminal)
// and LineConsole (pipes). Nothing here knows Deno; tests implement Tty over a terminal emulator.

import type { Alert } from "../terminal/terminal.ts";
import type { StatusText } from "./status_fit.ts";

/** What may stand at `start` up to the cursor instead of what stands there; no candidates = nothing fits. */
export interface Completions {
  /** Index into the text, in UTF-16 units, where the completed word begins. */
  readonly start: number;
  /** Whole replacements, in the order in which Tab shows them. */
  readonly candidates: readonly string[];
  /** The same as they are listed, where that differs. */
  readonly labels?: readonly string[];
}

/** Looks up completions of the text before the cursor (UTF-16 index); must not throw. */
export interface Completer {
  (text: string, cursor: number): Completions;
}

/** A line was entered, the user wants out (Ctrl-C), or the input ended (Ctrl-D, end of file). */
export type UserEvent =
  | { readonly kind: "line"; readonly text: string }
  /** Alt and a digit: the room of this number is wanted. */
  | { readonly kind: "room"; readonly n: number }
  | { readonly kind: "interrupt" }
  | { readonly kind: "end" };

/** How a question is asked. */
export interface AskOptions {
  /** True for secrets: nothing of the answer is shown or remembered. */
  readonly hidden?: boolean;
}

/** The user's side of the chat. */
export interface ChatConsole {
  /** Shows styled text that is already sanitised, with `\n` between lines, above the input. */
  print(text: string): void;
  /** The whole status line as it is now, styled. */
  readonly status: string;
  /** Sets the styled status line under the input; what has no room in the width is left out by its worth. */
  setStatus(status: StatusText): void;
  /** Sets styled rows above the input that change in place; each is shortened to the width. */
  setLive(rows: readonly string[]): void;
  /** Calls the user. */
  alert(alert: Alert): void;
  /** Sets the styled text before the input, for example `alice> `. */
  setPrompt(text: string): void;
  /** Puts text into the input line, the cursor at its end. */
  setInput(text: string): void;
  /** Wipes the screen and, where the terminal can, its scrollback. */
  clear(): void;
  /** Asks one question on the input line; undefined when it was refused or the input ended. */
  ask(question: string, options?: AskOptions): Promise<string | undefined>;
  /** What the user does; to be iterated once. */
  readonly events: AsyncIterable<UserEvent>;
  /** Restores the terminal and leaves the cursor on a fresh line; idempotent. */
  close(): Promise<void>;
}
