// Paints what is shown for a terminal: the look of each span follows from its role and from what it is a part of.

import type { Look, Style } from "../terminal/style.ts";
import type { NoteLevel } from "../base/note_level.ts";
import type { RenderedLine, Span, SpanRow } from "./shown.ts";

/** How a terminal shows rows. */
export interface PaintOptions {
  readonly style: Style;
  /** Whether links are clickable (OSC 8); default false. */
  readonly links?: () => boolean;
}

// Each of its rows carries all of it: without a bound a message of one link would grow with the square of its length.
const BROKEN_LINK_MAX = 500;

const NOTE_LOOKS: Readonly<Record<NoteLevel, readonly Look[]>> = {
  info: ["info"],
  warning: ["warning"],
  danger: ["error", "bold"],
  error: ["error"],
};

/** The painted rows, with `\n` between them. */
export function paint(shown: RenderedLine, options: PaintOptions): string {
  return paintedRows(shown, options).join("\n");
}

/** Each row painted. */
export function paintedRows(shown: RenderedLine, options: PaintOptions): string[] {
  return shown.rows.map((row) => paintRow(row, shown, options));
}

function paintRow(row: SpanRow, shown: RenderedLine, { style, links }: PaintOptions): string {
  let [painted, waiting, last] = ["", "", ""];
  let looks: readonly Look[] = [];
  const flush = () => {
    painted += style.paint(waiting, ...looks);
    waiting = "";
  };
  for (const span of row) {
    const next = looksOf(span, shown);
    const isApart = span.role === "name" || span.role === "link";
    if (isApart || next.join() !== last) flush();
    [looks, last] = [next, next.join()];
    if (!isApart) waiting += span.text;
    else if (span.role === "link") {
      painted += linked(style.paint(span.text, ...next), span, links?.() ?? false);
    } else painted += paintName(span, shown, style);
  }
  flush();
  return painted;
}

function looksOf({ role }: Span, shown: RenderedLine): readonly Look[] {
  switch (role) {
    case "gap":
      return [];
    case "time":
    case "number":
    case "room":
    case "about":
    case "hint":
    case "more":
      return ["faint"];
    case "code":
    case "fence":
      return ["code"];
    // Shown without colors as well, and in every theme.
    case "bar":
      return ["faint", "inverse"];
    case "language":
      return ["faint"];
    case "added":
      return ["good"];
    case "removed":
      return ["error"];
    case "hunk":
      return ["info"];
    case "strong":
      return ["bold", ...weightOf(shown)];
    case "emphasis":
      return ["italic", ...weightOf(shown)];
    case "link":
      return ["underline", ...weightOf(shown)];
    case "name":
    case "mark":
    case "text":
      return lineLooks(shown);
  }
}

function lineLooks(shown: RenderedLine): readonly Look[] {
  switch (shown.kind) {
    case "chat":
      return weightOf(shown);
    case "system": {
      const { level = "info" } = shown;
      return level === "info" ? ["faint"] : NOTE_LOOKS[level];
    }
    case "day":
    case "room switch":
      return ["faint"];
    case "progress":
      return [];
    case "file":
    case "note":
    case "connection":
      return NOTE_LOOKS[shown.level ?? "info"];
  }
}

function weightOf(
  { mention = false, action = false, backlog = false }: RenderedLine,
): readonly Look[] {
  if (backlog) return ["faint"];
  return mention ? ["bold"] : action ? ["italic"] : [];
}

function paintName({ text, color }: Span, shown: RenderedLine, style: Style): string {
  const weight: Look[] = shown.action ? ["italic"] : [];
  if (shown.mention) return style.paint(text, "inverse", ...weight);
  if (shown.direct) return style.paint(text, "direct", "bold", ...weight);
  if (shown.own || color === undefined) return style.paint(text, "bold", ...weight);
  return style.name(text, color);
}

/** Every part of a link that is broken into rows leads to all of it, which the rows show. */
function linked(painted: string, { text, target = "" }: Span, isWanted: boolean): string {
  const isWhole = text === target;
  if (!isWanted || target === "" || (!isWhole && target.length > BROKEN_LINK_MAX)) return painted;
  // Parts with one id and one target are one link to the terminal.
  const parameters = isWhole ? "" : "id=1";
  return `\x1b]8;${parameters};${target}\x1b\\${painted}\x1b]8;;\x1b\\`;
}
