// A line that was shown and can be shown again: it is kept as what it says, and drawn for the terminal as it is then.

/** A line of a member, of the server or about a file. */
export interface ShownLine {
  /** The room that it is about; undefined where it is about none. */
  readonly room: string | undefined;
  /** ISO 8601. */
  readonly time: string;
  /** Rows for the width and the settings of now; `elsewhere`: whether its room is not the current one. */
  readonly draw: (elsewhere: boolean) => string;
  /** The number by which /more finds its rest, where it was too long. */
  more?: number | undefined;
}

const UNSEEN = /\p{Cc}\]8;;\P{Cc}*\p{Cc}\\|\p{Cc}\[[0-9;:]*m|\s/gu;

/** How much there is to read in rows, whatever their width and colours. */
export function readingLength(rows: readonly string[]): number {
  return rows.reduce((sum, row) => sum + row.replace(UNSEEN, "").length, 0);
}

/** The last rows that hold `length` of what there is to read; a row too many at most, none too few. */
export function lastRows(rows: readonly string[], length: number): string[] {
  let start = rows.length;
  for (let left = length; left > 0 && start > 0;) left -= readingLength([rows[--start] ?? ""]);
  return rows.slice(start);
}
