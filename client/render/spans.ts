// Finds code, links and, where the user wants it, bold and italic in messages. They change only the looks; every character stays. Every scan is linear in the text:
// a peer chooses it, and everybody in the room has to draw it.

import type { Span, SpanRole, SpanRow } from "./shown.ts";

/** A range of a line, from `start` up to `end` (UTF-16 units). */
export interface TextSpan {
  readonly start: number;
  readonly end: number;
  readonly kind: Exclude<SpanRole, "text">;
  /** Of a name: the number of its color. */
  readonly color?: number;
}

/** A line of a message. */
export interface MessageLine {
  readonly text: string;
  /** True for code: it is cut where the row ends, and its blanks stay. */
  readonly asTyped: boolean;
  /** Of a block of code: its first line, its last one, or what is between. */
  readonly block?: "open" | "code" | "close";
  /** In order, without overlaps. */
  readonly spans: readonly TextSpan[];
}

const FENCE = /^ {0,3}```([\w+#.-]{0,32}) *$/;
const FENCE_END = /^ {0,3}``` *$/;
const WORDS = /\S+/g;
const LINK_STARTS = /https?:\/\//gi;
// What may be before a link within its word.
const BEFORE_LINK = new Set("(<\"'[");
// What ends a sentence or closes a bracket, and so does not belong to the link before it.
const AFTER_LINK = new Set(".,;:!?'\"`*_~>]");
const BACKTICKS_MAX = 3;

/** How messages are read. */
export interface ParseOptions {
  /** Whether `*bold*` and `_italic_` are shown so; default false. */
  readonly markup?: boolean;
}

/** Parses the sanitized lines of a message. */
export function parseMessage(
  lines: readonly string[],
  { markup = false }: ParseOptions = {},
): MessageLine[] {
  const fenceEnds = nextFenceEnds(lines);
  const parsed: MessageLine[] = [];
  for (let at = 0; at < lines.length;) {
    const open = lines[at] as string;
    const end = FENCE.test(open) ? fenceEnds[at + 1] : undefined;
    if (end === undefined) {
      parsed.push(proseLine(open, markup));
      at++;
      continue;
    }
    const isDiff = /^(?:diff|patch)$/i.test(languageOf(open));
    parsed.push(blockLine(open, "open", "fence"));
    for (at++; at < end; at++) {
      const line = lines[at] as string;
      parsed.push(blockLine(line, "code", isDiff ? diffKind(line) : "code"));
    }
    parsed.push(blockLine(lines[at++] as string, "close", "fence"));
  }
  return parsed;
}

/** The language that the first line of a block of code names; empty if none. */
export function languageOf(fence: string): string {
  return FENCE.exec(fence)?.[1] ?? "";
}

function diffKind(line: string): TextSpan["kind"] {
  if (line.startsWith("@@")) return "hunk";
  if (line.startsWith("+")) return "added";
  return line.startsWith("-") ? "removed" : "code";
}

/** For each index the index of the next line, from there on, that can end a fence. */
function nextFenceEnds(lines: readonly string[]): readonly (number | undefined)[] {
  const ends = new Array<number | undefined>(lines.length + 1);
  for (let at = lines.length - 1; at >= 0; at--) {
    ends[at] = FENCE_END.test(lines[at] as string) ? at : ends[at + 1];
  }
  return ends;
}

/** The first line of a message behind its head. */
export function withHead(head: SpanRow, line: MessageLine): MessageLine {
  let start = 0;
  const spans = head.map(({ role, text, ...span }): TextSpan => {
    const from = start;
    start += text.length;
    return { ...span, start: from, end: start, kind: role === "text" ? "gap" : role };
  });
  const moved = line.spans.map((span) => ({
    ...span,
    start: span.start + start,
    end: span.end + start,
  }));
  return {
    text: head.map(({ text }) => text).join("") + line.text,
    asTyped: line.asTyped,
    ...(line.block === undefined ? {} : { block: line.block }),
    spans: [...spans, ...moved],
  };
}

/** The spans of a line's ranges; both are in order, so one walk over the line's spans serves all its rows. */
export function rowSpans(
  { text, spans }: MessageLine,
  rows: readonly { readonly start: number; readonly end: number }[],
): SpanRow[] {
  let next = 0;
  return rows.map(({ start, end }) => {
    const row: Span[] = [];
    let at = start;
    const plain = (to: number) => {
      if (to > at) row.push({ role: "text", text: text.slice(at, to) });
    };
    while ((spans[next]?.end ?? Infinity) <= start) next++;
    for (let index = next; index < spans.length; index++) {
      const span = spans[index] as TextSpan;
      if (span.start >= end) break;
      const from = Math.max(span.start, at);
      plain(from);
      at = Math.min(span.end, end);
      if (at > from) row.push(spanOf(text, span, { from, to: at }));
    }
    plain(end);
    return row;
  });
}

function spanOf(
  text: string,
  { kind, color, start, end }: TextSpan,
  { from, to }: { readonly from: number; readonly to: number },
): Span {
  const shown = text.slice(from, to);
  if (kind === "link") return { role: kind, text: shown, target: text.slice(start, end) };
  return color === undefined ? { role: kind, text: shown } : { role: kind, text: shown, color };
}

function blockLine(
  text: string,
  block: NonNullable<MessageLine["block"]>,
  kind: TextSpan["kind"],
): MessageLine {
  return { text, asTyped: true, block, spans: [{ start: 0, end: text.length, kind }] };
}

function proseLine(text: string, markup: boolean): MessageLine {
  const code = codeSpans(text);
  let next = 0;
  const links = linkSpans(text).filter((link) => {
    while (next < code.length && (code[next] as TextSpan).end <= link.start) next++;
    return (code[next]?.start ?? Infinity) >= link.end;
  });
  const spans = [...code, ...links].sort((a, b) => a.start - b.start);
  return { text, asTyped: false, spans: markup ? withMarkup(text, spans) : spans };
}

const MARKS = { "*": "strong", "_": "emphasis" } as const;
// What may be before an opening mark; and what may not follow a closing one: 2*3*4 and snake_case_names are none.
const BEFORE_MARK = /^[\s([{"'\u201c\u2018]?$/;
const WORD = /[\p{L}\p{N}*_]/u;

/** The spans with those between marks. A mark does not reach over code or a link, and none is within another. */
function withMarkup(text: string, known: readonly TextSpan[]): TextSpan[] {
  const spans: TextSpan[] = [];
  let next = 0;
  let open = new Map<string, number>();
  for (let at = 0; at < text.length; at++) {
    const span = known[next];
    if (span !== undefined && at >= span.start) {
      spans.push(span);
      [open, at] = [new Map(), span.end - 1];
      next++;
      continue;
    }
    const mark = text[at];
    if (mark !== "*" && mark !== "_") continue;
    const [before, after] = [text[at - 1] ?? "", characterAt(text, at + 1)];
    const start = open.get(mark);
    if (start !== undefined && at > start + 1 && /\S/.test(before) && !WORD.test(after)) {
      spans.push({ start, end: at + 1, kind: MARKS[mark] });
      open = new Map();
    } else if (BEFORE_MARK.test(before) && /[^\s*_]/.test(after)) open.set(mark, at);
  }
  return spans;
}

function characterAt(text: string, at: number): string {
  const code = text.codePointAt(at);
  return code === undefined ? "" : String.fromCodePoint(code);
}

/** From a run of one to three backticks to the next run of the same length, with something in between. */
function codeSpans(text: string): TextSpan[] {
  const runs = [...text.matchAll(/`+/g)].map(({ index, 0: run }) => ({
    start: index,
    length: run.length,
  }));
  const nextOfLength = new Array<number | undefined>(BACKTICKS_MAX + 1);
  const closing = new Array<number | undefined>(runs.length);
  for (let at = runs.length - 1; at >= 0; at--) {
    const { length } = runs[at] as { length: number };
    if (length > BACKTICKS_MAX) continue;
    closing[at] = nextOfLength[length];
    nextOfLength[length] = at;
  }
  const spans: TextSpan[] = [];
  for (let at = 0; at < runs.length; at++) {
    const [open, close] = [runs[at], runs[closing[at] ?? -1]];
    if (open === undefined || close === undefined) continue;
    spans.push({ start: open.start, end: close.start + close.length, kind: "code" });
    at = closing[at] as number;
  }
  return spans;
}

function linkSpans(text: string): TextSpan[] {
  return [...text.matchAll(WORDS)].flatMap(({ index, 0: word }) => {
    const found = linkIn(word);
    return found === undefined
      ? []
      : [{ start: index + found.start, end: index + found.end, kind: "link" as const }];
  });
}

/**
 * The link in a word without blanks. All of its characters up to the end of the word are ASCII: a link must not end
 * where a character begins that looks like a part of it.
 */
function linkIn(word: string): { readonly start: number; readonly end: number } | undefined {
  let clean = word.length;
  while (clean > 0 && isVisibleAscii(word.charCodeAt(clean - 1))) clean--;
  for (const { index, 0: scheme } of word.matchAll(LINK_STARTS)) {
    const fits = index === 0 || BEFORE_LINK.has(word[index - 1] as string);
    if (index < clean || !fits) continue;
    // What stands before an @ looks like a host and is none.
    if (/^[^/?#]*@/.test(word.slice(index + scheme.length))) return undefined;
    const end = linkEnd(word, index);
    return end > index + scheme.length ? { start: index, end } : undefined;
  }
  return undefined;
}

function isVisibleAscii(unit: number): boolean {
  return unit > 0x20 && unit < 0x7f;
}

/** Where the link ends, without the punctuation and the closing brackets that belong to the sentence. */
function linkEnd(word: string, start: number): number {
  let surplus = 0;
  for (let at = start; at < word.length; at++) {
    if (word[at] === ")") surplus++;
    else if (word[at] === "(") surplus--;
  }
  for (let end = word.length; end > start; end--) {
    const last = word[end - 1] as string;
    if (AFTER_LINK.has(last)) continue;
    if (last !== ")" || surplus <= 0) return end;
    surplus--;
  }
  return start;
}
