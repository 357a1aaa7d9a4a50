// The lines of a look back: rooms named where they are others, days between lines, entries of the history before them.

import assert from "node:assert/strict";
import type { HistoryEntry } from "../../../client/history/history.ts";
import { drawnLines, earlierLines } from "../../../client/output/look_back_lines.ts";
import { createRichRenderer } from "../../../client/render/rich.ts";
import { plainText } from "../../../client/render/shown.ts";
import type { SequenceNumber } from "../../../shared/messages/ids.ts";

const renderer = createRichRenderer({ columns: () => 60, time: () => "off" });
const LOOK = { current: "lobby", renderer, paint: plainText };

async function* stored(...entries: readonly HistoryEntry[]): AsyncGenerator<HistoryEntry> {
  yield* entries;
}

function said(day: number, text: string, room = "lobby"): HistoryEntry {
  const time = `2026-01-${String(day).padStart(2, "0")}T12:00:00Z`;
  return { kind: "chat", time, room, sender: "bob", text, sequence: day as SequenceNumber };
}

Deno.test("entries of the history from before the kept lines are drawn as they were, with their days", async () => {
  const entries = stored(
    said(1, "one"),
    said(1, "two\nrows", "dev"),
    { kind: "file", time: "2026-01-02T12:00:00Z", room: "lobby", sender: "bob", text: "plan.txt" },
    said(3, "in memory"),
  );
  const lines = await earlierLines(entries, "2026-01-03T12:00:00Z", LOOK);
  const texts = lines.map((draw) => draw().trim());
  assert.equal(texts.length, 4);
  assert.match(texts[0] ?? "", /^#1 <bob> one$/);
  assert.match(texts[1] ?? "", /^#1 \[dev\] <bob> two\n {4}rows$/);
  assert.match(texts[2] ?? "", /2026|January|Jan/, "a new day");
  assert.match(texts[3] ?? "", /\* bob sent the file plan\.txt$/);
});

Deno.test("a kept line is drawn for the width that the terminal has when it is shown", () => {
  let columns = 60;
  const narrow = createRichRenderer({ columns: () => columns, time: () => "off" });
  const draw = () => narrow.note({ level: "info", text: "a text of some words", time: "" });
  const look = { ...LOOK, renderer: narrow };
  const [line] = drawnLines([{ room: undefined, time: "", draw }], look);
  assert.equal(line?.().split("\n").length, 1);
  columns = 14;
  assert.ok((line?.().split("\n").length ?? 0) > 1);
});
