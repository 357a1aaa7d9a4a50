// The renderer for people: time, sequence, colors, mentions, days, and rows that wrap under their line.

import { nameKey } from "../../shared/text/names.ts";
import type { Look, Style } from "../terminal/style.ts";
import { fromTheLeft, textWidth } from "../terminal/width.ts";
import { type HeadPart, type MessageLine, parseMessage, type TextSpan, withHead } from "./spans.ts";
import {
  aboutText,
  type ChatLine,
  chatLines,
  clockTime,
  type LinkNote,
  moreText,
  type Note,
  type Renderer,
  roomSwitchText,
  roomTag,
  safeLine,
  safeLines,
  systemText,
  whoSays,
} from "./text.ts";
import { NOTE_WORDS, type NoteLevel } from "../base/note_level.ts";
import { transferText } from "./transfer_text.ts";
import { breakCells, breakWords, INDENT, indentFor, type RowRange, wrapLines } from "./wrap.ts";

/** How the rich renderer draws. */
export interface RichOptions {
  readonly style: Style;
  /** Width of the terminal in cells; undefined or absent if rows are not wrapped. */
  readonly columns?: () => number | undefined;
  /** How much of a line's time is shown; default seconds. */
  readonly time?: () => "seconds" | "minutes" | "off";
  /** Whether a line's number is shown; default true. */
  readonly numbers?: () => boolean;
  /** Whether links are clickable (OSC 8); default false. */
  readonly links?: () => boolean;
}

// Each of its rows carries all of it: without a bound a message of one link would grow with the square of its length.
const BROKEN_LINK_MAX = 500;

const TIME_LENGTH = { seconds: 8, minutes: 5, off: 0 } as const;

const NOTE_LOOKS: Readonly<Record<NoteLevel, readonly Look[]>> = {
  info: ["info"],
  warning: ["warning"],
  danger: ["error", "bold"],
  error: ["error"],
};

/** Creates a renderer for `time #sequence <name> text`, `time * system line`, `time - note`. */
export function createRichRenderer(options: RichOptions): Renderer {
  const { style, columns } = options;
  const timeOf = (iso: string) =>
    clockTime(iso).slice(0, TIME_LENGTH[options.time?.() ?? "seconds"]);

  function wrap(lines: readonly string[], first: number, keepsWords = false): string {
    const width = columns?.();
    if (width === undefined) return lines.join(`\n${INDENT}`);
    return wrapLines(lines, { first, columns: width, table: lines.length > 1, keepsWords });
  }

  function faint(text: string): string {
    return paintRows(text, ["faint"]);
  }

  function paintRows(rows: string, looks: readonly Look[]): string {
    return rows.split("\n").map((row) => style.paint(row, ...looks)).join("\n");
  }

  function markedLine(mark: string, line: MarkedLine, ...looks: Look[]): string {
    const time = spaced(timeOf(line.time));
    const first = textWidth(`${time}${mark} `);
    const rows = paintRows(wrap(safeLines(line.text), first, line.isCopyable), looks);
    const hint = line.hint === undefined
      ? ""
      : `\n${INDENT}${faint(wrap([`hint: ${safeLine(line.hint)}`], INDENT.length))}`;
    const head = `${faint(time.trimEnd())}${time && " "}${style.paint(mark, ...looks)} `;
    return fromTheLeft(head + rows + hint);
  }

  function chat(line: ChatLine): string {
    const stamp = [
      timeOf(line.time),
      ...(line.to === undefined && (options.numbers?.() ?? true) ? [`#${line.sequence}`] : []),
    ].filter((part) => part !== "").join(" ");
    const head: HeadPart[] = [
      { kind: "stamp", text: spaced(stamp) + roomTag(line) },
      { kind: "name", text: `${whoSays(line)} ` },
      { kind: "about", text: aboutText(line) },
    ];
    const [start, ...rest] = parseMessage(chatLines(line));
    const lines = start === undefined ? [] : [withHead(head, start), ...rest];
    return fromTheLeft(new MessagePainter(line, options).paint(lines));
  }

  return {
    chat,
    system: (line) => markedLine("*", { time: line.time, text: systemText(line) }, "faint"),
    file(event, time, tag = "") {
      const shown = transferText(event);
      if (shown === undefined) return undefined;
      return markedLine("-", { time, text: tag + shown.text }, ...NOTE_LOOKS[shown.level]);
    },
    note({ level, text, ...note }) {
      const shown = level === "info" ? text : NOTE_WORDS[level] + safeLine(text);
      return markedLine(
        level === "info" ? "-" : "!",
        { ...note, text: shown },
        ...NOTE_LOOKS[level],
      );
    },
    link: (note: LinkNote) =>
      markedLine("-", note, ...NOTE_LOOKS[note.state === "lost" ? "warning" : "info"]),
    day: (day) => faint(`— ${day} —`),
    roomSwitch: (room) => fromTheLeft(faint(wrap([`— ${roomSwitchText(room)} —`], 0))),
    more: (rows, n) => INDENT + faint(moreText(rows, n)),
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

function spaced(text: string): string {
  return text === "" ? "" : `${text} `;
}

/** Paints one message. */
class MessagePainter {
  readonly #line: ChatLine;
  readonly #options: RichOptions;
  readonly #weight: readonly Look[];

  constructor(line: ChatLine, options: RichOptions) {
    this.#line = line;
    this.#options = options;
    this.#weight = line.mention ? ["bold"] : line.action ? ["italic"] : [];
  }

  paint(lines: readonly MessageLine[]): string {
    const columns = this.#options.columns?.();
    const indent = columns === undefined ? INDENT : indentFor(columns);
    const rows = lines.flatMap((line, index) => {
      const first = index === 0 ? 0 : indent.length;
      return this.#rows(line, rowsOf(line, { first, rest: indent.length, columns }));
    });
    return rows.join(`\n${indent}`);
  }

  /** The rows of a line; both rows and spans are in order, so one walk over the spans serves all rows. */
  #rows(line: MessageLine, rows: readonly RowRange[]): string[] {
    const { style } = this.#options;
    const { text, spans } = line;
    let next = 0;
    return rows.map(({ start, end }) => {
      let [painted, at] = ["", start];
      while ((spans[next]?.end ?? Infinity) <= start) next++;
      for (let index = next; index < spans.length; index++) {
        const span = spans[index] as TextSpan;
        if (span.start >= end) break;
        const to = Math.min(span.end, end);
        const from = Math.max(span.start, at);
        painted += style.paint(text.slice(at, from), ...this.#weight);
        painted += this.#span(line, span, text.slice(from, to));
        at = to;
      }
      return painted + style.paint(text.slice(at, end), ...this.#weight);
    });
  }

  /** The part `shown` of a span. */
  #span({ text }: MessageLine, span: TextSpan, shown: string): string {
    const { style } = this.#options;
    switch (span.kind) {
      case "stamp":
      case "about":
        return style.paint(shown, "faint");
      case "name":
        return this.#name(shown);
      case "code":
        return style.paint(shown, "code");
      case "link":
        return this.#link(style.paint(shown, "underline", ...this.#weight), {
          target: text.slice(span.start, span.end),
          isWhole: shown.length === span.end - span.start,
        });
    }
  }

  #name(shown: string): string {
    const { style } = this.#options;
    const { mention, own, to, sender } = this.#line;
    const weight: Look[] = this.#line.action ? ["italic"] : [];
    const name = shown.trimEnd();
    const gap = shown.slice(name.length);
    if (mention) return style.paint(name, "inverse", ...weight) + gap;
    if (to !== undefined) return style.paint(name, "direct", "bold", ...weight) + gap;
    if (own) return style.paint(name, "bold", ...weight) + gap;
    return style.name(name, nameNumber(sender)) + gap;
  }

  /** Every part of a link that is broken into rows leads to all of it, which the rows show. */
  #link(painted: string, { target, isWhole }: { target: string; isWhole: boolean }): string {
    const isWanted = this.#options.links?.() ?? false;
    if (!isWanted || (!isWhole && target.length > BROKEN_LINK_MAX)) return painted;
    // Parts with one id and one target are one link to the terminal.
    const parameters = isWhole ? "" : "id=1";
    return `\x1b]8;${parameters};${target}\x1b\\${painted}\x1b]8;;\x1b\\`;
  }
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
