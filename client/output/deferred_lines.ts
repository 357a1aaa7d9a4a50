// Lines of other rooms that are only counted (`/set others count`); they are shown when the user goes to the room.

import { DEFERRED_LINES_MAX } from "../base/limits.ts";
import type { ShownLine } from "./shown_line.ts";

/** Lines by room, the last HELD_LINES_MAX of each. */
export class DeferredLines {
  readonly #rooms = new Map<string, ShownLine[]>();

  /** Keeps a line of `room`. */
  keep(room: string, line: ShownLine): void {
    const lines = this.#rooms.get(room) ?? [];
    this.#rooms.set(room, lines);
    if (line.folds !== undefined && lines.at(-1)?.folds === line.folds) lines.pop();
    lines.push(line);
    if (lines.length > DEFERRED_LINES_MAX) lines.shift();
  }

  /** Removes and returns the lines of `room`, in order. */
  take(room: string): readonly ShownLine[] {
    const lines = this.#rooms.get(room) ?? [];
    this.#rooms.delete(room);
    return lines;
  }
}
