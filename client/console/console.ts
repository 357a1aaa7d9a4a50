// The user's side as the client core sees it: text out, lines in. Prompt (a terminal) and LineConsole (pipes)
// implement it. Nothing here depends on Deno; tests implement Tty over a terminal emulator.

import type { LimitError } from "../../shared/base/errors.ts";
import type { RoomChoice } from "../editing/key_bindings.ts";
import type { Alert } from "../terminal/terminal.ts";
import type { StatusText } from "./status_fit.ts";

/** The user entered a line, chose a room, wants to quit (Ctrl-C), or the input ended (Ctrl-D, end of file). */
export type UserEvent =
  | { readonly kind: "line"; readonly text: string }
  /** A key goes to another room. */
  | { readonly kind: "room"; readonly n: RoomChoice }
  /** A line that the terminal cut: not all of it arrived, so it must not be used. */
  | { readonly kind: "cut"; readonly fault: LimitError }
  | { readonly kind: "interrupt" }
  | { readonly kind: "end" };

/** Options of a question. */
export interface AskOptions {
  /** True for secrets: nothing of the answer is shown or remembered. */
  readonly hidden?: boolean;
}

/** The user's side of the chat. */
export interface ChatConsole {
  /** Prints styled, already sanitized text above the input, with `\n` between lines. */
  print(text: string): void;
  /** The present status line in full, styled. */
  readonly status: string;
  /** Sets the styled status line under the input; parts of low priority that do not fit are left out. */
  setStatus(status: StatusText): void;
  /** Sets styled rows above the input that change in place; each is cut to the width. */
  setLive(rows: readonly string[]): void;
  /** Calls the user's attention. */
  alert(alert: Alert): void;
  /** Sets the styled text before the input, for example `alice> `. */
  setPrompt(text: string): void;
  /** Puts text into the input line, the cursor at its end. */
  setInput(text: string): void;
  /** Wipes the screen and, where the terminal can, its scrollback. */
  clear(): void;
  /** Shows what was there before, and the newest line with `query` first; absent where no row is ever painted twice. */
  lookBack?(query?: string): void;
  /** Asks one question on the input line; undefined if the user refused it or the input ended. */
  ask(question: string, options?: AskOptions): Promise<string | undefined>;
  /** What the user does; to be iterated once. */
  readonly events: AsyncIterable<UserEvent>;
  /** The keys, where they are not those of a terminal, with what each does; such a console has none of the user's own. */
  readonly keys?: readonly (readonly [string, string])[];
  /** Restores the terminal and leaves the cursor on a fresh line; idempotent. */
  close(): Promise<void>;
}
