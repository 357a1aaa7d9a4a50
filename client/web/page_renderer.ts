// The renderer of the page: every line in full, its parts as spans, nothing wrapped. The page says where, when and from
// whom by where it puts them, so no brackets and marks stand around them.

import { nameNumber } from "../render/rich.ts";
import { plainRow, type RenderedLine, type SpanRow } from "../render/shown.ts";
import { parseMessage, rowSpans, withHead } from "../render/spans.ts";
import {
  aboutText,
  type ChatLine,
  chatLines,
  clockTime,
  messageTraits,
  moreText,
  type Renderer,
  roomSwitchText,
  safeLine,
  safeLines,
  safeName,
  systemLevel,
  systemText,
} from "../render/text.ts";
import { transferText } from "../render/transfer_text.ts";
import { markFor } from "../terminal/width.ts";

/** Creates the renderer of the page. `markup`: whether `*bold*` and `_italic_` are shown so. */
export function createPageRenderer(markup: () => boolean = () => false): Renderer {
  return {
    chat: (line) => ({
      ...messageTraits(line),
      room: line.room,
      time: line.time,
      rows: messageRows(line, markup()),
    }),
    system: (line) => ({
      kind: "system",
      level: systemLevel(line),
      room: line.room,
      time: line.time,
      rows: [[timeSpan(line.time), ...plainRow(systemText({ ...line, elsewhere: false }))]],
    }),
    file(event, time) {
      const shown = transferText(event);
      if (shown === undefined) return undefined;
      const room = event.kind === "refused" ? undefined : event.file.room;
      return { kind: "file", level: shown.level, room, time, rows: timedRows(shown.text, time) };
    },
    note: ({ level, text, hint, time }) => ({
      kind: "note",
      level,
      time,
      rows: [...timedRows(text, time), ...hintRows(hint)],
    }),
    connection: ({ state, text, hint, time }): RenderedLine => ({
      kind: "connection",
      level: state === "lost" ? "warning" : "info",
      time,
      rows: [...timedRows(text, time), ...hintRows(hint)],
    }),
    roomSwitch: (room) => ({ kind: "room switch", rows: [plainRow(roomSwitchText(room))] }),
    rule: (text) => ({ kind: "room switch", rows: [plainRow(safeLine(text))] }),
    more: (rows, n) => plainRow(moreText(rows, n), "more"),
  };
}

/** The head stands before the first row only. */
function messageRows(line: ChatLine, markup: boolean): readonly SpanRow[] {
  const { sender, to, sequence } = line;
  const mark = markFor(sender, to ?? "");
  const name = to === undefined ? "" : `${mark} → ${mark}${safeName(to)}`;
  const head: SpanRow = [
    timeSpan(line.time),
    { role: "number", text: to === undefined ? `#${sequence}` : "" },
    { role: "name", text: safeName(sender) + name + mark, color: nameNumber(sender) },
    { role: "about", text: aboutText(line) },
  ];
  const [start, ...rest] = parseMessage(chatLines(line), { markup });
  if (start === undefined) return [head];
  return [withHead(head, start), ...rest]
    .flatMap((parsed) => rowSpans(parsed, [{ start: 0, end: parsed.text.length }]));
}

function timedRows(text: string, time: string): readonly SpanRow[] {
  return safeLines(text).map((row, n) =>
    n === 0 ? [timeSpan(time), ...plainRow(row)] : plainRow(row)
  );
}

function hintRows(hint: string | undefined): readonly SpanRow[] {
  return hint === undefined ? [] : [plainRow(safeLine(hint), "hint")];
}

function timeSpan(time: string): SpanRow[number] {
  return { role: "time", text: clockTime(time).slice(0, 5) };
}
