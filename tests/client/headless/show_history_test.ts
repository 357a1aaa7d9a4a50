import assert from "node:assert/strict";
import { type HistoryEntry, openHistory } from "../../../client/history/history.ts";
import { showHistory, type ShowHistoryOptions } from "../../../client/headless/show_history.ts";
import { CryptoError } from "../../../shared/base/errors.ts";
import vectors from "../../vectors/v1.json" with { type: "json" };
import { assertHistory } from "../../helpers/repo/json_schema.ts";
import { CHEAP, temporaryHistory, writeHistory } from "../../helpers/fakes/history.ts";

const TIME = "2026-11-23T18:00:00Z";
/** The same in the time of this machine, wherever it stands. */
const SHOWN = new Intl.DateTimeFormat("sv-SE", { dateStyle: "short", timeStyle: "medium" }).format(
  new Date(TIME),
);
const ENTRIES: HistoryEntry[] = [
  { kind: "chat", time: TIME, room: "lobby", sender: "bob", text: "Straße to Ｆoo", sequence: 1 },
  { kind: "system", time: TIME, room: "lobby", text: "alice joined" },
  { kind: "file", time: TIME, room: "dev", sender: "alice", text: "log.txt" },
];

async function shown(
  entries: readonly HistoryEntry[],
  options: Partial<ShowHistoryOptions> = {},
): Promise<string[]> {
  await using place = await temporaryHistory();
  {
    await using history = await openHistory(place.path, "pass", CHEAP);
    for (const entry of entries) await history.append(entry);
  }
  const lines: string[] = [];
  const write = (line: string) => void lines.push(line);
  const count = await showHistory({ path: place.path, passphrase: "pass", write, ...options });
  assert.equal(count, lines.length);
  return lines;
}

Deno.test("showHistory() writes one line an entry, oldest first", async () => {
  assert.deepEqual(await shown(ENTRIES), [
    `${SHOWN} [lobby] <bob> Straße to Ｆoo`,
    `${SHOWN} [lobby] -- alice joined`,
    `${SHOWN} [dev] <alice> sent the file log.txt`,
  ]);
});

Deno.test("showHistory() searches text, sender and room, whatever the case and form", async () => {
  const found = async (search: string) => (await shown(ENTRIES, { search, json: true })).length;
  assert.equal(await found("foo"), 1);
  assert.equal(await found("ALICE"), 2);
  assert.equal(await found("Lobby"), 2);
  assert.equal(await found(""), 3);
  assert.equal(await found("nothing like it"), 0);
});

Deno.test("showHistory() gives back in JSON what was stored, newer fields too", async () => {
  const entries = [
    ...ENTRIES,
    { ...ENTRIES[0], text: "a\u2028b\u202e\x9b2J👩‍👩‍👧", newer: [1] } as HistoryEntry,
  ];
  const lines = await shown(entries, { json: true });
  assert.deepEqual(assertHistory(lines.join("\n")), entries.map((entry) => ({ v: 1, ...entry })));
  assert.throws(() => assertHistory('{"v":1,"kind":"chat","room":"lobby","text":"no time"}'));
  assert.throws(() => assertHistory(lines[0]?.replace('"v":1', '"v":2') ?? ""));
});

Deno.test("showHistory() lets no stored byte control the terminal or look like another entry", async () => {
  const evil = `x\x1b[2J\x1b]52;c;aGk=\x07\u009b31m\u202e\r\n${SHOWN} [lobby] alice: forged`;
  const entries: HistoryEntry[] = (["chat", "system", "file"] as const).map((kind) => (
    { kind, time: TIME, room: evil, sender: evil, text: evil }
  ));
  for (const json of [true, false]) {
    for (const written of await shown(entries, { json })) {
      assert.doesNotMatch(written.replaceAll("\n", ""), /[\p{Cc}\u202a-\u202e\u2066-\u2069]/u);
      assert.equal(
        written.split("\n").filter((line) => line.startsWith(SHOWN)).length,
        json ? 0 : 1,
      );
    }
  }
});

Deno.test("showHistory() reads an old file without taking it over", async () => {
  await using place = await temporaryHistory();
  const { file, passphrase } = vectors.history_v1;
  await Deno.writeTextFile(place.path, JSON.stringify(file));
  const lines: string[] = [];
  const write = (line: string) => void lines.push(line);
  await showHistory({ path: place.path, passphrase, search: "HI", write });
  assert.deepEqual(lines, [`${SHOWN} [lobby] <bob> hi`]);
  assert.equal(await Deno.readTextFile(place.path), JSON.stringify(file));
  await assert.rejects(showHistory({ path: place.path, passphrase: "no", write }), CryptoError);
});

Deno.test("showHistory() waits for each line to be written, so that a slow reader holds it up", async () => {
  let [writing, most] = [0, 0];
  const write = async () => {
    most = Math.max(most, ++writing);
    await Promise.resolve();
    writing--;
  };
  await using place = await temporaryHistory();
  await writeHistory(place.path, ["one", "two", "three"], "pass");
  assert.equal(await showHistory({ path: place.path, passphrase: "pass", write }), 3);
  assert.equal(most, 1);
});

Deno.test("showHistory() keeps to the stretch of time, its end not included", async () => {
  const day = (n: number): HistoryEntry => (
    { kind: "system", time: `2026-11-0${n}T12:00:00Z`, room: "r", text: `day ${n}` }
  );
  const entries = [1, 2, 3, 4].map(day);
  const from = Date.parse("2026-11-02T12:00:00Z");
  const to = Date.parse("2026-11-04T12:00:00Z");
  const lines = await shown(entries, { from, to });
  assert.deepEqual(lines.map((line) => line.slice(-5)), ["day 2", "day 3"]);
});
