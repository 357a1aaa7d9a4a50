// Where what is shown goes.

import type { Clock } from "../base/clock.ts";
import type { ChatSettings } from "../config/chat_settings.ts";
import type { History } from "../history/history.ts";
import type { Renderer } from "../render/text.ts";
import type { RenderedLine } from "../render/shown.ts";
import type { Alert } from "../terminal/terminal.ts";
import type { ShowReactions } from "./reaction_fold.ts";

/** Where output goes. */
export interface OutputOptions {
  readonly renderer: Renderer;
  /** Takes the conversation. */
  readonly print: (shown: RenderedLine) => void;
  /** Takes diagnostics; standard error if the output is piped. */
  readonly diagnose: (shown: RenderedLine) => void;
  /** Renders diagnostics; by default the same renderer. */
  readonly diagnosis?: Renderer;
  readonly history: (Pick<History, "append"> & Partial<Pick<History, "entries">>) | undefined;
  /** Lines kept for `/last`. */
  readonly bufferSize: number;
  readonly clock: Clock;
  readonly settings?: ChatSettings;
  /** Present only in a terminal with a prompt. */
  readonly screen?: OutputScreen;
}

/** A screen with rows that change in place. */
export interface OutputScreen {
  readonly setLive: (lines: readonly RenderedLine[]) => void;
  readonly alert: (alert: Alert) => void;
  readonly columns: () => number;
  /** Shows a title of the window; undefined puts the one before back. */
  readonly title?: (text: string | undefined) => void;
  /** Shows all reactions to a message at the message; false where it is not shown any more. Absent: as lines. */
  readonly react?: ShowReactions;
  /** A line as the terminal shows it; absent where it is no terminal. */
  readonly paint?: (line: RenderedLine) => string;
}
