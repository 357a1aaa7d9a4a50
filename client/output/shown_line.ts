// A line that can be shown again: its content is kept, and it is drawn for the present width and settings.

/** A line of a member, a system line, or a line about a file. */
export interface ShownLine {
  /** The room that it is about; undefined if none. */
  readonly room: string | undefined;
  /** ISO 8601. */
  readonly time: string;
  /** Draws the rows; `elsewhere`: whether its room is not the current one. */
  readonly draw: (elsewhere: boolean) => string;
  /** The number by which /more finds its hidden rows, if it has any. */
  more?: number | undefined;
}

const UNSEEN = /\p{Cc}\]8;\P{Cc}*\p{Cc}\\|\p{Cc}\[[0-9;:]*m|[\s\u200e]/gu;

/** Visible characters in rows, without colors and blanks: equal for every width. */
export function readingLength(rows: readonly string[]): number {
  return rows.reduce((sum, row) => sum + row.replace(UNSEEN, "").length, 0);
}

/** The last rows with at least `length` visible characters. */
export function lastRows(rows: readonly string[], length: number): string[] {
  let start = rows.length;
  for (let left = length; left > 0 && start > 0;) left -= readingLength([rows[--start] ?? ""]);
  return rows.slice(start);
}
