// vi's keys at a prompt: whether they are wanted, the mark of the mode, and the shape of the cursor.

import type { UserKey } from "../terminal/key_reader.ts";
import type { Tty } from "../terminal/terminal.ts";
import { CURSOR_SHAPES } from "../terminal/terminal_modes.ts";
import type { LineEditor } from "./line_editor.ts";
import { ViMode, type ViOptions } from "./vi_mode.ts";

/** What vi's keys need of the prompt. */
export interface ViKeysOptions extends ViOptions {
  readonly editor: LineEditor;
  readonly tty: Tty;
  /** Whether the user wants them now. */
  readonly isWanted: () => boolean;
}

/** The keys of one prompt; without effect while they are not wanted. */
export class ViKeys {
  readonly #options: ViKeysOptions;
  readonly #mode: ViMode;
  #shape: keyof typeof CURSOR_SHAPES = "own";

  constructor(options: ViKeysOptions) {
    this.#options = options;
    this.#mode = new ViMode(options);
  }

  /** Handles a key if it is one of vi's. */
  takes(event: UserKey): boolean {
    return this.#options.isWanted() && this.#mode.takes(event);
  }

  /** Something else moved the cursor. */
  settle(): void {
    if (this.#options.isWanted()) this.#mode.settle();
  }

  /** A new line begins. */
  begin(): void {
    this.#mode.begin();
  }

  /** The mode and the beginning of a command, for the status line; "" while they are not wanted. */
  get mark(): string {
    if (!this.#options.isWanted()) return "";
    const { mode, typed } = this.#mode.state;
    return typed === "" ? mode.toUpperCase() : `${mode.toUpperCase()} ${typed}`;
  }

  /** What gives the cursor the shape of the mode; "" where it has it. */
  shape(): string {
    const wanted = this.#options.isWanted() ? this.#mode.state.mode : "own";
    if (wanted === this.#shape) return "";
    // Also where the program ends without asking.
    if (this.#shape === "own") this.#options.tty.atEnd?.(CURSOR_SHAPES.own);
    this.#shape = wanted;
    return CURSOR_SHAPES[wanted];
  }

  /** What gives the cursor back as it was, until it is painted again. */
  leave(): string {
    if (this.#shape === "own") return "";
    this.#shape = "own";
    return CURSOR_SHAPES.own;
  }
}
