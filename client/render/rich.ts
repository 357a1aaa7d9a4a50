// The renderer for people: time, sequence, mentions, days, and rows that wrap under their line.

import { nameKey } from "../../shared/text/names.ts";
import { textWidth } from "../terminal/width.ts";
import { languageOf, type MessageLine, parseMessage, rowSpans, withHead } from "./spans.ts";
import {
  plainRow,
  type RenderedLine,
  rowsFromTheLeft,
  type Span,
  type SpanRole,
  type SpanRow,
} from "./shown.ts";
import {
  aboutText,
  type ChatLine,
  chatLines,
  clockTime,
  type ConnectionNote,
  messageTraits,
  moreText,
  type Note,
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
import { breakCells, breakWords, INDENT, indentFor, type RowRange, wrapLines } from "./wrap.ts";

/** How the rich renderer draws. */
export interface RichOptions {
  /** Width of the terminal in cells; undefined or absent if rows are not wrapped. */
  readonly columns?: () => number | undefined;
  /** How much of a line's time is shown; default seconds. */
  readonly time?: () => "seconds" | "minutes" | "off";
  /** Whether a line's number is shown; default true. */
  readonly numbers?: () => boolean;
  /** Whether `*bold*` and `_italic_` are shown so; default false. */
  readonly markup?: () => boolean;
  /** Whether blocks of code have a bar in place of their fences, which only a style can show; default false. */
  readonly blocks?: boolean;
}

const TIME_LENGTH = { seconds: 8, minutes: 5, off: 0 } as const;

/** Creates a renderer for `time #sequence <name> text`, `time * system line`, `time - note`. */
export function createRichRenderer(options: RichOptions): Renderer {
  const { columns } = options;
  const timeOf = (iso: string) =>
    clockTime(iso).slice(0, TIME_LENGTH[options.time?.() ?? "seconds"]);

  function wrap(lines: readonly string[], first: number, keepsWords = false): string[] {
    const width = columns?.();
    if (width === undefined) return lines.map((line, n) => n === 0 ? line : INDENT + line);
    return wrapLines(lines, { first, columns: width, table: lines.length > 1, keepsWords });
  }

  function markedLine(mark: string, line: MarkedLine): readonly SpanRow[] {
    const time = timeOf(line.time);
    const before = time === "" ? 0 : time.length + 1;
    const first = before + textWidth(`${mark} `);
    const [start = "", ...rest] = wrap(safeLines(line.text), first, line.isCopyable);
    const hint = line.hint === undefined
      ? []
      : wrap([`hint: ${safeLine(line.hint)}`], INDENT.length);
    return rowsFromTheLeft([
      [
        ...spaced(time, "time"),
        { role: "mark", text: mark },
        { role: "gap", text: " " },
        { role: "text", text: start },
      ],
      ...rest.map((row) => plainRow(row)),
      ...hint.map((row, n): SpanRow =>
        n === 0
          ? [{ role: "gap", text: INDENT }, { role: "hint", text: row }]
          : plainRow(row, "hint")
      ),
    ]);
  }

  function chat(line: ChatLine): RenderedLine {
    const isNumbered = line.to === undefined && (options.numbers?.() ?? true);
    const time = timeOf(line.time);
    const head: Span[] = [
      { role: "time", text: time === "" ? "" : `${time} ` },
      { role: "number", text: isNumbered ? `#${line.sequence} ` : "" },
      { role: "room", text: roomTag(line) },
      { role: "name", text: whoSays(line), color: nameNumber(line.sender) },
      { role: "gap", text: " " },
      { role: "about", text: aboutText(line) },
    ];
    const parsed = parseMessage(chatLines(line), { markup: options.markup?.() ?? false });
    const [start, ...rest] = options.blocks ? withoutFences(parsed) : parsed;
    const lines = start === undefined ? [] : [withHead(head, start), ...rest];
    return {
      ...messageTraits(line),
      rows: rowsFromTheLeft(messageRows(lines, { ...options, columns: columns?.() })),
    };
  }

  return {
    chat,
    system: (line) => ({
      kind: "system",
      level: systemLevel(line),
      rows: markedLine("*", { time: line.time, text: systemText(line) }),
    }),
    file(event, time, { tag = "" } = {}) {
      const shown = transferText(event);
      if (shown === undefined) return undefined;
      const rows = markedLine("-", { time, text: tag + shown.text });
      return { kind: "file", level: shown.level, rows };
    },
    note({ level, text, ...note }) {
      const shown = level === "info" ? text : NOTE_WORDS[level] + safeLine(text);
      const rows = markedLine(level === "info" ? "-" : "!", { ...note, text: shown });
      return { kind: "note", level, rows };
    },
    connection: (note: ConnectionNote) => ({
      kind: "connection",
      level: note.state === "lost" ? "warning" : "info",
      rows: markedLine("-", note),
    }),
    day: (day) => ({ kind: "day", rows: [plainRow(`— ${day} —`)] }),
    roomSwitch: (room) => ({
      kind: "room switch",
      rows: rowsFromTheLeft(wrap([`— ${roomSwitchText(room)} —`], 0).map((row) => plainRow(row))),
    }),
    rule: (text) => ({
      kind: "room switch",
      rows: rowsFromTheLeft(wrap([`── ${safeLine(text)} ──`], 0).map((row) => plainRow(row))),
    }),
    more: (rows, n) => [
      { role: "gap", text: INDENT },
      { role: "more", text: moreText(rows, n) },
    ],
  };
}

/** A line behind a mark, NOT sanitized. */
type MarkedLine = Pick<Note, "time" | "text" | "hint" | "isCopyable">;

/** A number that every client computes equally from a name; it selects the color. */
export function nameNumber(name: string): number {
  let hash = 0;
  for (const unit of nameKey(name)) hash = (31 * hash + (unit.codePointAt(0) ?? 0)) % 65_521;
  return hash;
}

function spaced(text: string, role: SpanRole): Span[] {
  return text === "" ? [] : [{ role, text }, { role: "gap", text: " " }];
}

/** The lines with a language, if any, in place of each block's fences. */
function withoutFences(lines: readonly MessageLine[]): MessageLine[] {
  return lines.flatMap((line, index) => {
    if (line.block === "close") return [];
    if (line.block !== "open") return [line];
    const text = languageOf(line.text);
    // The first line stands behind the message's head, which is shown in any case.
    if (text === "" && index > 0) return [];
    return [{ ...line, text, spans: [{ start: 0, end: text.length, kind: "language" as const }] }];
  });
}

function messageRows(
  lines: readonly MessageLine[],
  { columns, blocks = false }: { readonly columns: number | undefined; readonly blocks?: boolean },
): SpanRow[] {
  const indent = columns === undefined ? INDENT : indentFor(columns);
  const before: SpanRow = [{ role: "gap", text: indent }];
  const bar: SpanRow = [{ role: "gap", text: indent.slice(1) }, { role: "bar", text: " " }];
  return lines.flatMap((line, index) => {
    const first = index === 0 ? 0 : indent.length;
    const rows = rowSpans(line, rowsOf(line, { first, rest: indent.length, columns }));
    const start = blocks && line.block !== undefined ? bar : before;
    return rows.map((row, n): SpanRow => index + n === 0 ? row : [...start, ...row]);
  });
}

function rowsOf(
  { text, asTyped }: MessageLine,
  { columns, ...width }: { first: number; rest: number; columns: number | undefined },
): readonly RowRange[] {
  if (columns === undefined) return [{ start: 0, end: text.length }];
  return asTyped
    ? breakCells(text, { ...width, columns })
    : breakWords(text, { ...width, columns });
}
