// Lines of other rooms that are only counted (`/set others count`): they are shown when the user goes there.

import { HELD_LINES_MAX } from "../base/limits.ts";
import type { ShownLine } from "./shown_line.ts";

/** Lines by room, the last HELD_LINES_MAX of each. */
export class HeldLines {
  readonly #rooms = new Map<string, ShownLine[]>();

  /** Keeps a line of `room`. */
  keep(room: string, line: ShownLine): void {
    const lines = this.#rooms.get(room) ?? [];
    this.#rooms.set(room, lines);
    lines.push(line);
    if (lines.length > HELD_LINES_MAX) lines.shift();
  }

  /** What was kept of `room`, in order; nothing is kept of it any more. */
  take(room: string): readonly ShownLine[] {
    const lines = this.#rooms.get(room) ?? [];
    this.#rooms.delete(room);
    return lines;
  }
}
