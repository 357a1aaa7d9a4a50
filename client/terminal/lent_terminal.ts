// Gives the terminal to another program, or back to the shell, and takes it again.

import { UsageError } from "../../shared/base/errors.ts";
import type { UserKey } from "./key_reader.ts";
import type { Stopping, Tty } from "./terminal.ts";
import type { PaintScheduler } from "./paint_scheduler.ts";
import type { Screen } from "./screen.ts";
import {
  AFTER_DEAD_PROGRAM,
  AFTER_PROGRAM,
  TERMINAL_MODES_OFF,
  TERMINAL_MODES_ON,
} from "./terminal_modes.ts";

/** What is said before a stop that a key asked for, where the program cannot stop all that the shell waits for. */
export const STOP_NOTES: Readonly<Record<Stopping, string>> = {
  job: "",
  self: "Stopped; `fg` continues. If no shell appears, press Ctrl-Z once more.\r\n",
  keyboard: "Press Ctrl-Z once more to suspend, or Enter to continue.\r\n",
};

/** What pauses while the terminal is lent. */
export interface LentTerminalOptions {
  readonly tty: Tty;
  readonly screen: Screen;
  readonly scheduler: PaintScheduler;
  /** Takes the texts that wait to be printed. */
  readonly waiting: () => readonly string[];
  /** What else is put back as it was, until the next paint. */
  readonly leaving: () => string;
}

/** A program that had the terminal ended with a fault. */
export class DeadProgram extends UsageError {
  override readonly name = "DeadProgram";
}

/** A painted terminal that others may have for a while. */
export class LentTerminal {
  readonly #options: LentTerminalOptions;
  #isStopping = false;

  constructor(options: LentTerminalOptions) {
    this.#options = options;
  }

  /**
   * Runs `use` with the terminal in its original state, and takes the terminal back even if `use` throws: a DeadProgram
   * where a program ran and may have left the terminal as it was in the middle of its work.
   */
  async during<T>(use: () => Promise<T>): Promise<T> {
    const { tty, screen, scheduler } = this.#options;
    await this.#leave();
    tty.suspend();
    let after = AFTER_PROGRAM;
    try {
      return await use();
    } catch (error) {
      if (error instanceof DeadProgram) after = AFTER_DEAD_PROGRAM + AFTER_PROGRAM;
      throw error;
    } finally {
      tty.resume();
      tty.write(after + TERMINAL_MODES_OFF + TERMINAL_MODES_ON);
      screen.resize(tty.columns, tty.rows);
      scheduler.resume();
    }
  }

  /** Stops the program with the terminal in its original state, until `goOn` or a key. */
  async stop(note = ""): Promise<void> {
    this.#isStopping = true;
    await this.#leave(note);
    // A key may have come meanwhile.
    if (this.#isStopping) this.#options.tty.stop();
  }

  /** Paints the prompt again after a stop: the shell has written below it meanwhile. */
  goOn(): void {
    const { tty, screen, scheduler } = this.#options;
    this.#isStopping = false;
    tty.write(TERMINAL_MODES_ON);
    screen.forget();
    screen.resize(tty.columns, tty.rows);
    scheduler.resume();
  }

  /**
   * Whether keys came although the terminal was given back for a stop: then the user goes on. Such keys are a whole line
   * and its Enter, and mean nothing else: that Enter must not send the draft.
   */
  keyGoesOn({ length }: readonly UserKey[]): boolean {
    if (!this.#isStopping || length === 0) return false;
    this.#options.tty.resume();
    this.goOn();
    return true;
  }

  async #leave(note = ""): Promise<void> {
    const { tty, screen, scheduler, waiting, leaving } = this.#options;
    scheduler.pause();
    tty.write(screen.leave(waiting()) + TERMINAL_MODES_OFF + leaving() + note);
    await tty.flush();
  }
}
