// Lends the terminal to another program and takes it back.

import type { Tty } from "./terminal.ts";
import type { PaintScheduler } from "./paint_scheduler.ts";
import type { Screen } from "./screen.ts";
import { TERMINAL_MODES_OFF, TERMINAL_MODES_ON } from "./terminal_modes.ts";

/** What pauses while the terminal is lent. */
export interface LentTerminal {
  readonly tty: Tty;
  readonly screen: Screen;
  readonly scheduler: PaintScheduler;
  /** Texts to print first. */
  readonly above: readonly string[];
}

/** Runs `use` with the terminal in its original state, and takes the terminal back even if `use` throws. */
export async function lendTerminal<T>(
  { tty, screen, scheduler, above }: LentTerminal,
  use: () => Promise<T>,
): Promise<T> {
  scheduler.pause();
  tty.write(screen.leave(above) + TERMINAL_MODES_OFF);
  await tty.flush();
  tty.suspend();
  try {
    return await use();
  } finally {
    tty.resume();
    tty.write(TERMINAL_MODES_ON);
    screen.resize(tty.columns, tty.rows);
    scheduler.resume();
  }
}

/** Stops the program with the terminal in its original state, until `fg`; false if the system does not let it. */
export async function stopProgram(
  { tty, screen, scheduler, above }: LentTerminal,
): Promise<boolean> {
  scheduler.pause();
  tty.write(screen.leave(above) + TERMINAL_MODES_OFF);
  await tty.flush();
  return tty.stop();
}

/** Paints the prompt again after a stop: the shell has written below it meanwhile. */
export function takeBack({ tty, screen, scheduler }: Omit<LentTerminal, "above">): void {
  tty.write(TERMINAL_MODES_ON);
  screen.forget();
  screen.resize(tty.columns, tty.rows);
  scheduler.resume();
}
