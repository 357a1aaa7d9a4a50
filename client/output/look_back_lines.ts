// The lines that a look back shows: those in memory, and before them those of the history file.

import type { SequenceNumber } from "../../shared/messages/ids.ts";
import type { DrawLine } from "../console/look_back.ts";
import type { HistoryEntry } from "../history/history.ts";
import type { RenderedLine } from "../render/shown.ts";
import { dayOf, type Renderer } from "../render/text.ts";
import { again, type Showing, type ShownLine } from "./shown_line.ts";

/** Most entries of a history that are shown; the newest count. */
const EARLIER_MAX = 20_000;

/** Direct messages and those of older files have no number. */
const NO_NUMBER = 0 as SequenceNumber;

/** How lines are drawn. */
export interface LineLook {
  /** Title of the current room: lines of others say which. */
  readonly current: string | undefined;
  readonly renderer: Renderer;
  readonly paint: (line: RenderedLine) => string;
}

/** The lines, with a row for each day that begins between two of them. */
export function drawnLines(lines: readonly ShownLine[], look: LineLook): DrawLine[] {
  const { current, renderer, paint } = look;
  let before: string | undefined;
  return lines.flatMap(({ room, time, draw }) => {
    const day = dayOf(time);
    const isNew = day !== undefined && before !== undefined && day !== before;
    before = day ?? before;
    const line = () => paint(draw(again({ room }, current)));
    return isNew && renderer.day !== undefined
      ? [() => renderer.day === undefined ? "" : paint(renderer.day(day)), line]
      : [line];
  });
}

/** Entries from before `until` (ISO 8601) as lines, the newest of them. Throws as History.entries() does. */
export async function earlierLines(
  entries: AsyncIterable<HistoryEntry>,
  until: string | undefined,
  look: LineLook,
): Promise<DrawLine[]> {
  const end = until === undefined ? Infinity : Date.parse(until);
  let kept: ShownLine[] = [];
  for await (const entry of entries) {
    if (Date.parse(entry.time) >= end) continue;
    kept.push(lineOf(entry, look.renderer));
    if (kept.length >= 2 * EARLIER_MAX) kept = kept.slice(-EARLIER_MAX);
  }
  return drawnLines(kept.slice(-EARLIER_MAX), look);
}

function lineOf(entry: HistoryEntry, renderer: Renderer): ShownLine {
  const { kind, time, room, text, sender = "", sequence, sealed = false } = entry;
  const common = { time, room, sealed };
  const draw = (showing: Showing): RenderedLine =>
    kind === "chat"
      ? renderer.chat({
        ...common,
        ...showing,
        sender,
        text,
        sequence: sequence ?? NO_NUMBER,
        own: false,
        mention: false,
      })
      : renderer.system({
        ...common,
        ...showing,
        event: "info",
        text: kind === "file" ? `${sender} sent the file ${text}` : text,
      });
  return { room, time, draw };
}
