// `cmdchat-client history FILE`: shows and searches the local history. The file is only read, without a lock.

import { sanitizeLine } from "../../shared/base/sanitize.ts";
import { type HistoryEntry, readHistory } from "../history/history.ts";
import { dateAndTime, foldCase, safeLines, whoSays } from "../render/text.ts";
import { fromTheLeft } from "../terminal/width.ts";
import { INDENT, wrapLines } from "../render/wrap.ts";

/** Version of the lines of `--json`; adding a field does not change it. */
export const HISTORY_JSON_VERSION = 1;

/** Which entries to show, and where they go. */
export interface ShowHistoryOptions {
  readonly path: string;
  readonly passphrase: string;
  /** Only entries with this in their text, sender or room, whatever the case or the compatibility form. */
  readonly search?: string | undefined;
  /** Only entries from this time on, in ms since 1970. */
  readonly from?: number | undefined;
  /** Only entries before this time, in ms since 1970. */
  readonly to?: number | undefined;
  /** One JSON object per line, with every field as stored. */
  readonly json?: boolean;
  /** Width of the terminal that the lines go to; absent if they go elsewhere. */
  readonly columns?: number | undefined;
  /** Takes the line or lines of one entry, without the last line break. */
  readonly write: (text: string) => void | Promise<void>;
  readonly onNotice?: (text: string) => void;
}

/** Writes the matching entries, oldest first, and returns their number. Throws as readHistory() does. */
export async function showHistory(options: ShowHistoryOptions): Promise<number> {
  const { path, passphrase, write, onNotice, from = -Infinity, to = Infinity } = options;
  const format = options.json ? formatJson : formatLine;
  const needle = foldCase(options.search ?? "");
  let shown = 0;
  for await (const entry of readHistory(path, passphrase, onNotice ? { onNotice } : {})) {
    const time = Date.parse(entry.time);
    if (time < from || time >= to || !matches(entry, needle)) continue;
    await write(format(entry, options.columns));
    shown++;
  }
  return shown;
}

function matches(entry: HistoryEntry, needle: string): boolean {
  return [entry.text, entry.sender ?? "", entry.room].some((field) =>
    foldCase(field).includes(needle)
  );
}

/** An entry in this machine's time. Further lines of a text are indented, so that none looks like another entry. */
function formatLine(entry: HistoryEntry, columns: number | undefined): string {
  const [start = "", ...rest] = safeLines(entry.text);
  const room = sanitizeLine(entry.room).replaceAll(/[[\]]/g, "|");
  const head = `${dateAndTime(entry.time)} [${room}] ${speaker(entry)} `;
  const lines = [head + start, ...rest];
  return fromTheLeft(
    columns === undefined
      ? lines.join(`\n${INDENT}`)
      : wrapLines(lines, { first: 0, columns }).join("\n"),
  );
}

function speaker({ kind, sender }: HistoryEntry): string {
  const who = whoSays({ sender: sender ?? "" });
  switch (kind) {
    case "chat":
      return who;
    case "system":
      return "--";
    case "file":
      return `${who} sent the file`;
  }
}

/** Control, format and line-separating characters are escaped: the same JSON, and harmless in a terminal. */
function formatJson(entry: HistoryEntry): string {
  return JSON.stringify({ v: HISTORY_JSON_VERSION, ...entry }).replace(
    /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu,
    escapeUnits,
  );
}

function escapeUnits(character: string): string {
  return character.split("").map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`)
    .join("");
}
