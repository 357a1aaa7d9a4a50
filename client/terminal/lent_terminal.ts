// The terminal in the hands of another program for a while, and back.

import type { Tty } from "./terminal.ts";
import type { PaintScheduler } from "./paint_scheduler.ts";
import type { Screen } from "./screen.ts";
import { TERMINAL_MODES_OFF, TERMINAL_MODES_ON } from "./terminal_modes.ts";

/** What has to stand still meanwhile. */
export interface LentTerminal {
  readonly tty: Tty;
  readonly screen: Screen;
  readonly pacer: PaintScheduler;
  /** What is to be shown before. */
  readonly above: readonly string[];
}

/** Runs `use` with the terminal as it was found; whatever comes of it, the terminal is ours again. */
export async function lendTerminal<T>(
  { tty, screen, pacer, above }: LentTerminal,
  use: () => Promise<T>,
): Promise<T> {
  pacer.pause();
  tty.write(screen.leave(above) + TERMINAL_MODES_OFF);
  await tty.flush();
  tty.suspend();
  try {
    return await use();
  } finally {
    tty.resume();
    tty.write(TERMINAL_MODES_ON);
    screen.resize(tty.columns, tty.rows);
    pacer.resume();
  }
}
