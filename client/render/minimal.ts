// The plain renderer: no time, no color, numbers where they are of use, and a mark in the first column of every line that no member wrote.

import { plainRow, rowsFromTheLeft, type SpanRow } from "./shown.ts";
import {
  aboutText,
  type ChatLine,
  chatLines,
  messageTraits,
  moreText,
  type Renderer,
  roomSwitchText,
  roomTag,
  safeLine,
  safeLines,
  systemLevel,
  systemText,
  whoSays,
} from "./text.ts";
import { NOTE_WORDS } from "../base/note_level.ts";
import { transferText } from "./transfer_text.ts";
import { INDENT, wrapLines } from "./wrap.ts";

/** How the plain renderer draws. */
export interface MinimalOptions {
  /** Width of the terminal in cells; undefined or absent if rows are not wrapped. */
  readonly columns?: () => number | undefined;
  /** Which messages have their number before them; `auto`, the default: those that the user asked for. */
  readonly numbers?: () => "auto" | "on" | "off";
}

/** Creates a renderer for `<name> text` or `#12 <name> text`, `* system line`, `- note`. Further lines of a message are indented. */
export function createMinimalRenderer(options: MinimalOptions = {}): Renderer {
  function draw(lines: readonly string[], keepsWords = false): readonly SpanRow[] {
    const columns = options.columns?.();
    const rows = columns === undefined
      ? lines.map((line, n) => n === 0 ? line : INDENT + line)
      : wrapLines(lines, { first: 0, columns, keepsWords });
    return rowsFromTheLeft(rows.map((row) => plainRow(row)));
  }

  function withHint(rows: readonly SpanRow[], hint: string | undefined): readonly SpanRow[] {
    return hint === undefined ? rows : [...rows, ...draw([`hint: ${safeLine(hint)}`])];
  }

  /** A screen reader would read the number out before every line, so it stands only where somebody looks for it. */
  function numberOf({ to, sequence, isAsked = false }: ChatLine): string {
    const which = options.numbers?.() ?? "auto";
    const isNumbered = which === "on" || (which === "auto" && isAsked);
    return to === undefined && isNumbered ? `#${sequence} ` : "";
  }

  return {
    chat(line) {
      const [start = "", ...rest] = chatLines(line);
      const head = `${numberOf(line)}${roomTag(line)}${whoSays(line)} ${aboutText(line)}`;
      const rows = draw([head + start, ...rest]);
      return { ...messageTraits(line), rows };
    },
    system: (line) => ({
      kind: "system",
      level: systemLevel(line),
      rows: draw([`* ${systemText(line)}`]),
    }),
    file(event, _time, { tag = "" } = {}) {
      const shown = transferText(event);
      if (shown === undefined) return undefined;
      return { kind: "file", level: shown.level, rows: draw([`- ${tag}${shown.text}`]) };
    },
    note({ level, text, hint, isCopyable }) {
      const rows = level === "info"
        ? safeLines(text).flatMap((line) => draw([`- ${line}`], isCopyable))
        : draw([NOTE_WORDS[level] + safeLine(text)]);
      return { kind: "note", level, rows: withHint(rows, hint) };
    },
    connection: ({ text, hint }) => ({
      kind: "connection",
      rows: withHint(draw([`- ${safeLine(text)}`]), hint),
    }),
    roomSwitch: (room) => ({ kind: "room switch", rows: draw([`- ${roomSwitchText(room)}`]) }),
    rule: (text) => ({ kind: "room switch", rows: draw([`- ${safeLine(text)}`]) }),
    more: (rows, n) => plainRow(`    ${moreText(rows, n)}`, "more"),
  };
}
