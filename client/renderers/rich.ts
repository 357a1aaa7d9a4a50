// The renderer for people: time, sequence, colours, mentions, and rows that wrap under their own line.

import { nameKey } from "../../shared/names.ts";
import type { SgrName, Style } from "../terminal/style.ts";
import { textWidth } from "../terminal/width.ts";
import {
  type ChatLine,
  chatLines,
  clockTime,
  type LinkNote,
  NOTE_WORDS,
  type NoteLevel,
  type Renderer,
  roomTag,
  safeLine,
  safeLines,
  safeName,
  systemText,
} from "./text.ts";
import { transferText } from "./transfer_text.ts";

/** What the rich renderer draws with. */
export interface RichOptions {
  readonly style: Style;
  /** Width of the terminal in cells; absent where rows have no width. */
  readonly columns?: () => number;
}

// Colours of the 256 that can be read on black and on white, and are neither red nor yellow.
const NAME_COLORS = [30, 31, 32, 35, 37, 62, 64, 65, 66, 68, 70, 71, 72, 97, 98, 99, 133, 134, 139];

const INDENT = "    ";
// All that shows as a gap: what stands after one must not begin a row.
const GAP = /[ \u3000\u2800]+/;

const NOTE_COLORS: Readonly<Record<NoteLevel, readonly SgrName[]>> = {
  info: ["cyan"],
  warning: ["yellow"],
  danger: ["red", "bold"],
  error: ["red"],
};

/** Renders `time #sequence <name> text`, `time * server's line`, `time - our own line`. */
export function createRichRenderer({ style, columns }: RichOptions): Renderer {
  const gray = (text: string) => style.paint(text, "gray");
  const wrap = (lines: readonly string[], first: number) =>
    columns === undefined
      ? lines.join(`\n${INDENT}`)
      : wrapLines(lines, { first, columns: columns() });

  function ownLine(
    mark: string,
    line: { time: string; text: string; hint?: string | undefined },
    ...colors: SgrName[]
  ): string {
    const head = `${clockTime(line.time)} ${mark} `;
    const paint = (text: string) =>
      text.split("\n").map((row) => style.paint(row, ...colors)).join("\n");
    const rows = paint(wrap(safeLines(line.text), head.length));
    const hint = line.hint === undefined
      ? ""
      : `\n${INDENT}${gray(wrap([`hint: ${safeLine(line.hint)}`], INDENT.length))}`;
    return gray(clockTime(line.time)) + ` ${style.paint(mark, ...colors)} ` + rows + hint;
  }

  return {
    chat(line) {
      const name = safeName(line.sender);
      const tag = roomTag(line);
      const head = `${clockTime(line.time)} #${line.sequence} ${tag}<${name}> `;
      const text = wrap(chatLines(line), textWidth(head));
      return gray(`${clockTime(line.time)} #${line.sequence} ${tag}`) +
        `${paintedName(style, line)} ` +
        (line.mention ? text.split("\n").map((row) => style.paint(row, "bold")).join("\n") : text);
    },
    system: (line) =>
      ownLine("*", { time: line.time, text: roomTag(line) + systemText(line) }, "gray"),
    file(event, time) {
      const shown = transferText(event);
      if (shown === undefined) return undefined;
      return ownLine("-", { time, text: shown.text }, ...NOTE_COLORS[shown.level]);
    },
    note: ({ level, text, hint, time }) =>
      ownLine(level === "info" ? "-" : "!", {
        time,
        text: level === "info" ? text : NOTE_WORDS[level] + safeLine(text),
        hint,
      }, ...NOTE_COLORS[level]),
    link: (note: LinkNote) =>
      ownLine("-", note, ...NOTE_COLORS[note.state === "lost" ? "warning" : "info"]),
  };
}

/** The colour that a name always has, whoever runs the client. */
export function nameColor(name: string): number {
  let hash = 0;
  for (const unit of nameKey(name)) hash = (31 * hash + (unit.codePointAt(0) ?? 0)) % 65_521;
  return NAME_COLORS[hash % NAME_COLORS.length] as number;
}

function paintedName(style: Style, { sender, own, mention }: ChatLine): string {
  const name = `<${safeName(sender)}>`;
  if (mention) return style.paint(name, "inverse");
  return own ? style.paint(name, "bold") : style.indexed(name, nameColor(sender));
}

/**
 * Rows of at most `columns` cells, all but the first indented: text that wraps to the first column could pass
 * for a line of the server's. Words stay whole, so that a long link can still be copied.
 */
export function wrapLines(
  lines: readonly string[],
  { first, columns }: { readonly first: number; readonly columns: number },
): string {
  const rows: string[] = [];
  lines.forEach((line, index) => {
    let row = index === 0 ? "" : INDENT;
    let width = index === 0 ? first : INDENT.length;
    let empty = true;
    for (const piece of pieces(line)) {
      const cells = textWidth(piece);
      if (!empty && width + cells > columns && !GAP.test(piece)) {
        rows.push(row.trimEnd());
        [row, width] = [INDENT, INDENT.length];
      }
      row += piece;
      width += cells;
      empty = false;
    }
    rows.push(row);
  });
  return rows.join("\n");
}

/** Words and the gaps between them, in turn. */
function pieces(line: string): string[] {
  return line.split(/([ \u3000\u2800]+)/).filter((piece) => piece !== "");
}
