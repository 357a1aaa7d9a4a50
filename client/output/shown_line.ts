// A line that can be shown again: its content is kept, and it is drawn for the present width and settings.

import { type RenderedLine, rowText, type SpanRow } from "../render/shown.ts";

/** For what a line is drawn. */
export interface Showing {
  /** Whether its room is not the current one. */
  readonly elsewhere: boolean;
  /** Whether the user asked for it, perhaps for its number. */
  readonly isAsked?: boolean;
  /** Whether it was shown before. */
  readonly isAgain?: boolean;
}

/** A line of a member, a system line, or a line about a file. */
export interface ShownLine {
  /** The room that it is about; undefined if none. */
  readonly room: string | undefined;
  /** ISO 8601. */
  readonly time: string;
  /** Draws the rows. */
  readonly draw: (showing: Showing) => RenderedLine;
  /** Whether a member said it. */
  readonly isSaid?: boolean;
  /** It replaces the line before it that has the same here, while both are held back. */
  readonly folds?: string;
  /** The number by which /more finds its hidden rows, if it has any. */
  more?: number | undefined;
}

/** A line that is drawn for the moment. */
export function shownLine(
  { room, time }: Pick<ShownLine, "room" | "time">,
  draw: ShownLine["draw"],
): ShownLine {
  return { room, time, draw };
}

/** The lines by their times; one without a valid time follows the line before it. */
export function inOrder(lines: readonly ShownLine[]): readonly ShownLine[] {
  let last = -Infinity;
  const timed = lines.map((line) => {
    const time = Date.parse(line.time);
    if (!Number.isNaN(time)) last = time;
    return { line, time: last };
  });
  return timed.toSorted((a, b) => a.time - b.time).map(({ line }) => line);
}

/** What a line is drawn for when the user asks to see it again; `current`: the title of the current room. */
export function again({ room }: Pick<ShownLine, "room">, current: string | undefined): Showing {
  return { elsewhere: room !== undefined && room !== current, isAsked: true, isAgain: true };
}

const UNSEEN = /[\s\u200e]/g;

/** Visible characters in rows, without blanks: equal for every width. */
export function readingLength(rows: readonly SpanRow[]): number {
  return rows.reduce((sum, row) => sum + rowText(row).replace(UNSEEN, "").length, 0);
}

/** The last rows with at least `length` visible characters. */
export function lastRows(rows: readonly SpanRow[], length: number): SpanRow[] {
  let start = rows.length;
  for (let left = length; left > 0 && start > 0;) left -= readingLength([rows[--start] ?? []]);
  return rows.slice(start);
}
