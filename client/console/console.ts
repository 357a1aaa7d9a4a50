// What the client core sees of the user's side: text out, lines in. Implemented by Prompt (a terminal)
// and LineConsole (pipes). Nothing here knows Deno; tests implement Tty over a terminal emulator.

import type { StatusText } from "./status_fit.ts";

/** A terminal as bytes in and text out; `openTty` in tty.ts is the real one. */
export interface Tty {
  /** Width in cells, at least 1; changes before the handler of `onResize` runs. */
  readonly columns: number;
  /** Height in rows, at least 1. */
  readonly rows: number;
  /** Bytes typed by the user; ends when the terminal is gone or closed. */
  readonly input: AsyncIterable<Uint8Array>;
  /** Queues text; what is queued leaves in order. */
  write(text: string): void;
  /** Resolves when all that was queued has been taken by the terminal. */
  flush(): Promise<void>;
  /** Calls the handler after each change of size. */
  onResize(handler: () => void): void;
  /** Looks at the size, and calls the handler now where it has changed and nothing told of it yet. */
  measure(): void;
  /** Leaves the terminal to another program until `resume`; what is queued must have left. */
  suspend(): void;
  /** Takes it back. */
  resume(): void;
  /** Puts the terminal back as it was found; idempotent. */
  close(): Promise<void>;
}

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

/** Calls the user: rings, and shows a notice on the desktop where one is wanted. */
export interface Alert {
  /** A safe line, and the sequence that the terminal takes it by. */
  readonly notice?: { readonly form: "osc9" | "osc777"; readonly text: string };
}

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
