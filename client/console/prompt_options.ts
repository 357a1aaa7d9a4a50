// What a prompt is given beside its terminal: looks, and what it asks of the program that it does not know.

import type { Completer } from "./console.ts";
import type { Timers } from "../terminal/paint_scheduler.ts";
import type { Reflow } from "../terminal/screen.ts";

/** What a prompt needs beside its terminal. */
export interface PromptOptions {
  /** Styled text before the input; "> " unless told. */
  readonly prompt?: string;
  /** Told what stands in the input line whenever the user adds to it. */
  readonly entered?: (text: string) => void;
  readonly complete?: Completer;
  /** Told of each change of the terminal's size, before the screen is painted for it. */
  readonly resized?: () => void;
  /** Lets the user edit the text in a program of theirs (Ctrl-X Ctrl-E). Throws an Error that says why not. */
  readonly edit?: (text: string) => Promise<string>;
  /** What a paste into an empty line becomes, and what is said about it; undefined = what it is. */
  readonly pasted?: (text: string) => { readonly text: string; readonly hint: string } | undefined;
  /** Lines of a paste that are sent without asking, 0 for any number; 5 unless told. */
  readonly pasteLines?: () => number;
  /** What the terminal does to long rows when it is resized; "follow-cursor" unless told. */
  readonly reflow?: Reflow;
  readonly timers?: Timers;
}
