// What a prompt needs besides its terminal: its looks, and callbacks into the program.

import type { Completer } from "../editing/completion.ts";
import type { LookBackSource } from "./look_back.ts";
import type { Timers } from "../terminal/paint_scheduler.ts";
import type { Reflow } from "../terminal/screen.ts";

/** What a prompt needs beside its terminal. */
export interface PromptOptions {
  /** Styled text before the input; default "> ". */
  readonly prompt?: string;
  /** Called with the text of the input line whenever the user adds to it. */
  readonly entered?: (text: string) => void;
  readonly complete?: Completer;
  /** Called after each change of the terminal's size, before the screen is painted. */
  readonly resized?: () => void;
  /** Lets the user edit the text in their editor (Ctrl-X Ctrl-E). Rejects with an Error that says why not. */
  readonly edit?: (text: string) => Promise<string>;
  /** What a paste into an empty line becomes, and a hint about it; undefined = it stays as it is. */
  readonly pasted?: (text: string) => { readonly text: string; readonly hint: string } | undefined;
  /** Most lines of a paste that are sent without asking, 0 for any number; default 5. */
  readonly pasteLines?: () => number;
  /** What the terminal does to long rows at a resize; default "follow-cursor". */
  readonly reflow?: Reflow;
  /** What the user may look back at. */
  readonly lookBack?: () => LookBackSource | undefined;
  /** Keys of the user's own, from readKeys(). */
  readonly keys?: ReadonlyMap<string, string>;
  /** Whether vi's keys are wanted now. */
  readonly vi?: () => boolean;
  /** Whether the terminal is asked for the widths of what terminals disagree about. */
  readonly asksWidths?: boolean;
  readonly timers?: Timers;
}
