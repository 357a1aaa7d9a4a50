// The renderer for people: time, sequence, colors, mentions, days, and rows that wrap under their line.

import { nameKey } from "../../shared/text/names.ts";
import type { Look, Style } from "../terminal/style.ts";
import { textWidth } from "../terminal/width.ts";
import { type MessageLine, parseMessage, type TextSpan, withAnswered } from "./spans.ts";
import {
  aboutText,
  type ChatLine,
  chatLines,
  clockTime,
  type LinkNote,
  moreText,
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
import { breakCells, breakWords, INDENT, wrapLines } from "./wrap.ts";

/** How the rich renderer draws. */
export interface RichOptions {
  readonly style: Style;
  /** Width of the terminal in cells; absent if rows are not wrapped. */
  readonly columns?: () => number;
  /** How much of a line's time is shown; default seconds. */
  readonly time?: () => "seconds" | "minutes" | "off";
  /** Whether a line's number is shown; default true. */
  readonly numbers?: () => boolean;
  /** Whether links are clickable (OSC 8); default false. */
  readonly links?: () => boolean;
}

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
  const faint = (text: string) => style.paint(text, "faint");
  const wrap = (lines: readonly string[], first: number) =>
    columns === undefined
      ? lines.join(`\n${INDENT}`)
      : wrapLines(lines, { first, columns: columns(), table: lines.length > 1 });
  const timeOf = (iso: string) =>
    clockTime(iso).slice(0, TIME_LENGTH[options.time?.() ?? "seconds"]);

  function ownLine(
    mark: string,
    line: { time: string; text: string; hint?: string | undefined },
    ...looks: Look[]
  ): string {
    const time = spaced(timeOf(line.time));
    const paint = (text: string) =>
      text.split("\n").map((row) => style.paint(row, ...looks)).join("\n");
    const rows = paint(wrap(safeLines(line.text), textWidth(`${time}${mark} `)));
    const hint = line.hint === undefined
      ? ""
      : `\n${INDENT}${faint(wrap([`hint: ${safeLine(line.hint)}`], INDENT.length))}`;
    return `${faint(time.trimEnd())}${time && " "}${style.paint(mark, ...looks)} ${rows}${hint}`;
  }

  function chat(line: ChatLine): string {
    const [tag, name] = [roomTag(line), whoSays(line)];
    const stamp = [
      timeOf(line.time),
      ...(line.to === undefined && (options.numbers?.() ?? true) ? [`#${line.sequence}`] : []),
    ].filter((part) => part !== "").join(" ");
    const first = textWidth(`${spaced(stamp)}${tag}${name} `);
    const head = `${faint(spaced(stamp) + tag)}${paintedName(style, name, line)} `;
    return head + paintedText(chatLines(line), { first, line, options });
  }

  return {
    chat,
    system: (line) => ownLine("*", { time: line.time, text: systemText(line) }, "faint"),
    file(event, time, tag = "") {
      const shown = transferText(event);
      if (shown === undefined) return undefined;
      return ownLine("-", { time, text: tag + shown.text }, ...NOTE_LOOKS[shown.level]);
    },
    note: ({ level, text, hint, time }) =>
      ownLine(level === "info" ? "-" : "!", {
        time,
        text: level === "info" ? text : NOTE_WORDS[level] + safeLine(text),
        hint,
      }, ...NOTE_LOOKS[level]),
    link: (note: LinkNote) =>
      ownLine("-", note, ...NOTE_LOOKS[note.state === "lost" ? "warning" : "info"]),
    day: (day) => faint(`— ${day} —`),
    roomSwitch: (room) => faint(`— ${roomSwitchText(room)} —`),
    more: (rows, n) => INDENT + faint(moreText(rows, n)),
  };
}

/** A number that every client computes equally from a name; it selects the color. */
export function nameNumber(name: string): number {
  let hash = 0;
  for (const unit of nameKey(name)) hash = (31 * hash + (unit.codePointAt(0) ?? 0)) % 65_521;
  return hash;
}

function spaced(text: string): string {
  return text === "" ? "" : `${text} `;
}

function paintedName(style: Style, name: string, line: ChatLine): string {
  const weight: Look[] = line.action ? ["italic"] : [];
  if (line.mention) return style.paint(name, "inverse", ...weight);
  if (line.to !== undefined) return style.paint(name, "direct", "bold", ...weight);
  return line.own
    ? style.paint(name, "bold", ...weight)
    : style.name(name, nameNumber(line.sender));
}

interface TextOptions {
  readonly first: number;
  readonly line: ChatLine;
  readonly options: RichOptions;
}

function paintedText(lines: readonly string[], { first, line, options }: TextOptions): string {
  const weight: Look[] = line.mention ? ["bold"] : line.action ? ["italic"] : [];
  const [start, ...rest] = parseMessage(lines);
  const parts = start === undefined ? [] : [withAnswered(aboutText(line), start), ...rest];
  return parts.flatMap((part, index) => {
    const width = { first: index === 0 ? first : INDENT.length, columns: options.columns?.() ?? 0 };
    const whole = [{ start: 0, end: part.text.length }];
    const broken = options.columns === undefined
      ? whole
      : part.asTyped
      ? breakCells(part.text, width)
      : breakWords(part.text, width);
    return broken.map(({ start, end }, row) => {
      const shown = row === broken.length - 1
        ? end
        : start + part.text.slice(start, end).trimEnd().length;
      const text = paintedRow(part, { start, end: shown }, { weight, options });
      return (index + row === 0 ? "" : INDENT) + text;
    });
  }).join("\n");
}

function paintedRow(
  { text, spans }: MessageLine,
  { start, end }: { readonly start: number; readonly end: number },
  { weight, options }: { readonly weight: readonly Look[]; readonly options: RichOptions },
): string {
  const { style } = options;
  let [painted, at] = ["", start];
  for (const span of spans) {
    const [from, to] = [Math.max(span.start, at), Math.min(span.end, end)];
    if (from >= to) continue;
    painted += style.paint(text.slice(at, from), ...weight);
    painted += paintedSpan(text.slice(from, to), span, { weight, options, whole: text });
    at = to;
  }
  return painted + style.paint(text.slice(at, end), ...weight);
}

function paintedSpan(
  shown: string,
  span: TextSpan,
  { weight, options, whole }: {
    readonly weight: readonly Look[];
    readonly options: RichOptions;
    readonly whole: string;
  },
): string {
  const { style } = options;
  if (span.kind === "code") return style.paint(shown, "code");
  if (span.kind === "answered") return style.paint(shown, "faint");
  const painted = style.paint(shown, "underline", ...weight);
  // Only if the row has the whole address: a link must lead to what the user reads.
  const isWhole = shown === whole.slice(span.start, span.end);
  if (!isWhole || !(options.links?.() ?? false)) return painted;
  return `\x1b]8;;${shown}\x1b\\${painted}\x1b]8;;\x1b\\`;
}
