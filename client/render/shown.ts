// What a renderer makes of one thing that is shown: rows of spans. A span says what its text is, never how it looks:
// a terminal paints it (paint.ts), a page makes an element of it. Every text in it is safe to show.

import type { NoteLevel } from "../base/note_level.ts";
import { markFor } from "../terminal/width.ts";

/** What the text of a span is. */
export type SpanRole =
  | "text"
  /** Blanks between other spans, and marks of the writing direction. */
  | "gap"
  | "time"
  /** The number of a message, `#12`. */
  | "number"
  /** Which room a line comes from, where it is not the current one. */
  | "room"
  /** The mark before a line that no member wrote. */
  | "mark"
  | "name"
  /** Who can read a direct message, and which message this one answers. */
  | "about"
  | "code"
  /** The line that begins or ends a block of code, as typed. */
  | "fence"
  /** The bar at the left of a block of code: a blank, so that nobody copies it. */
  | "bar"
  /** Which language a block of code is in. */
  | "language"
  /** Lines of a diff: what came, what went, and where. */
  | "added"
  | "removed"
  | "hunk"
  | "strong"
  | "emphasis"
  | "link"
  | "hint"
  /** What replaces hidden rows. */
  | "more";

/** A part of a row. */
export interface Span {
  readonly role: SpanRole;
  readonly text: string;
  /** Of a name: the number that every client computes equally from it; it selects the color. */
  readonly color?: number;
  /** Of a link or a part of it: where it leads, `http(s)://` in visible ASCII. */
  readonly target?: string;
}

/** One row as spans, in order. */
export type SpanRow = readonly Span[];

/** One thing that is shown. Who says it decides how far it can be believed. */
export interface RenderedLine {
  readonly kind:
    | "chat"
    /** The server, or the members of a sealed room. */
    | "system"
    | "file"
    /** A row with a progress bar. */
    | "progress"
    /** The client itself. */
    | "note"
    | "connection"
    | "day"
    | "room switch";
  readonly rows: readonly SpanRow[];
  /** Title of the room that it is about, as it came: NOT sanitized, to tell rooms apart. */
  readonly room?: string | undefined;
  /** ISO 8601, as it came: NOT sanitized. */
  readonly time?: string;
  /** How serious it is; default `info`. */
  readonly level?: NoteLevel;
  /** Of a message: whether the user wrote it. */
  readonly own?: boolean;
  /** Of a message: whether it names the user. */
  readonly mention?: boolean;
  /** Of a message: whether it is for one member alone. */
  readonly direct?: boolean;
  readonly action?: boolean;
  /** Of a chat: it was said before the user came in. */
  readonly backlog?: boolean;
  /** Of a message to a room: its number there. */
  readonly sequence?: number;
  /** Of a message: whether it was sealed, so that the server cannot read it. */
  readonly sealed?: boolean;
}

/** A row of one span. */
export function plainRow(text: string, role: SpanRole = "text"): SpanRow {
  return [{ role, text }];
}

/** The text of a row. */
export function rowText(row: SpanRow): string {
  return row.map(({ text }) => text).join("");
}

/** What is shown as text alone, with `\n` between rows. */
export function plainText({ rows }: Pick<RenderedLine, "rows">): string {
  return rows.map(rowText).join("\n");
}

/** Rows that each begin at the left, whatever their letters are. */
export function rowsFromTheLeft(rows: readonly SpanRow[]): readonly SpanRow[] {
  return rows.map((row) => {
    const mark = markFor(rowText(row));
    return mark === "" ? row : [{ role: "gap", text: mark }, ...row];
  });
}
