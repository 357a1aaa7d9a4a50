// The documents say what the programs do: tables that repeat the code are compared with it.

import assert from "node:assert/strict";
import { DOCUMENTS, withTables } from "../scripts/docs/document_tables.ts";
import { jsonSchema, SCHEMA_PATH } from "../scripts/docs/json_schema.ts";
import { manPages } from "../scripts/docs/man_pages.ts";
import { listOfTexts, TEXTS_PATH, userTexts } from "../scripts/docs/user_texts.ts";
import { HANDSHAKE_RESULTS, Metrics } from "../server/telemetry/metrics.ts";
import { SERVER_OPTIONS } from "../server/config/server_options.ts";
import { ROOM_MEMORY_BYTES, ROOM_MEMORY_EVENTS } from "../server/config/limits.ts";
import {
  BACKLOG_MAX_LINES,
  FILE_CHUNKS_MAX,
  FILE_MAX_BYTES_CEILING,
  SEALED_MEMBERS_MAX,
} from "../shared/base/limits.ts";
import type { OptionTable } from "../shared/cli/command_line.ts";
import { prometheusPage } from "../server/telemetry/prometheus_page.ts";
import { blocksBelow } from "./helpers/repo/document_blocks.ts";
import { assertHistory, assertPrinted, isRequest } from "./helpers/repo/json_schema.ts";
import { skipWithout } from "./helpers/repo/skip.ts";
import { outputOf, readSources, readText } from "./helpers/repo/sources.ts";

/** A table's text without the padding that `deno fmt` puts between its bars. */
function unpadded(text: string): string {
  return text.replaceAll(/-{3,}/g, "---").replaceAll(/ {2,}/g, " ");
}

for (const path of DOCUMENTS) {
  Deno.test(`the tables of ${path} are those of the code (deno task tables writes them)`, async () => {
    const text = await readText(path);
    assert.ok(text.includes("<!-- table: "), "no table is marked");
    assert.equal(unpadded(text), unpadded(withTables(text)));
  });
}

const NO_GAUGES = {
  connections: 0,
  members: 0,
  held: 0,
  rooms: 0,
  sealedRooms: 0,
  sealedBytes: 0,
  outboxBytes: 0,
};

Deno.test("OPERATIONS.md explains every pair of the metrics line, once, and no other", async () => {
  const text = await readText("docs/OPERATIONS.md");
  const names = [...new Metrics().line(NO_GAUGES).matchAll(/(\w+)=/g)].map(([, name]) =>
    name ?? ""
  );
  assert.ok(names.length > 20, "the metrics line is empty");
  assert.deepEqual(names.filter((name) => !text.includes(`\`${name}\``)), []);
  const rows = namesOf(partOf(text, "## Metrics"));
  assert.deepEqual(rows.filter((row) => !names.includes(row)), [], "the line has no such pair");
  assert.equal(new Set(rows).size, rows.length, "a pair is explained twice");
});

/** Families of the metrics page. */
function families(): string[] {
  const page = prometheusPage({
    version: "1",
    startedAt: 0,
    uptime: 0,
    metrics: new Metrics(),
    stopping: false,
    gauges: NO_GAUGES,
    certificateExpiresAt: 0,
    cluster: { isUp: true, reconnects: 0, refused: {}, others: [], foreignMessages: 0 },
    census: { members: { v1: 0, v2: 0, away: 0 }, rooms: { open: 0, sealed: 0 } },
    memory: { rss: 0, heapUsed: 0 },
  });
  return [...page.matchAll(/^# TYPE (\w+) /gm)].map(([, name]) => name ?? "");
}

Deno.test("OPERATIONS.md explains every series of the metrics page, and every result of a handshake", async () => {
  const text = await readText("docs/OPERATIONS.md");
  assert.deepEqual(families().filter((name) => !text.includes(`\`${name}`)), []);
  const rows = namesOf(partOf(text, "## Watching")).map((name) => name.replace(/\{.*/, ""))
    .filter((name) => /^(?:cmdchat|process)_/.test(name));
  assert.deepEqual(
    rows.filter((name) => !families().includes(name)),
    [],
    "there is no such series",
  );
  assert.deepEqual(HANDSHAKE_RESULTS.filter((result) => !text.includes(`\`${result}\``)), []);
});

Deno.test("the Grafana dashboard asks only for series that there are, and for nearly all of them", async () => {
  const text = await readText("docs/grafana.json");
  const asked = new Set(text.match(/\b(?:cmdchat|process)_[a-z_]+/g) ?? []);
  const known = families();
  const there = (name: string) =>
    known.includes(name) || known.includes(name.replace(/_bucket$/, ""));
  assert.deepEqual([...asked].filter((name) => !there(name)), []);
  assert.ok(asked.size > 15, `${asked.size} series`);
  const { panels } = JSON.parse(text) as { panels: { id: number; title: string }[] };
  assert.equal(new Set(panels.map(({ id }) => id)).size, panels.length);
});

/** The lines that a text of the log, as the code writes it, may become. */
function lineOf(template: string): RegExp {
  const parts = template.split(/\$\{[^}]*\}/).map((part) =>
    part.replaceAll(/[.*+?()[\]]/g, "\\$&")
  );
  return new RegExp(`^${parts.join(".+")}$`);
}

/** A document from a heading to the next one of its rank. */
function partOf(text: string, heading: string): string {
  const [, after = ""] = text.split(`\n${heading}\n`);
  return after.split(/\n## /)[0] ?? "";
}

/** What the first cells of tables name in backticks. */
function namesOf(part: string): string[] {
  const cells = [...part.matchAll(/^\| (`.*?`) +\|/gm)];
  return cells.flatMap(([, cell = ""]) =>
    [...cell.matchAll(/`([^`]+)`/g)].map(([, name = ""]) => name)
  );
}

Deno.test("OPERATIONS.md lists every line of the log, and none that there is not", async () => {
  const text = await readText("docs/OPERATIONS.md");
  const code = (await readSources("server")).map((source) => source.code).join("\n");
  const said = [
    ...code.matchAll(/\blog\.(?:debug|info|warning|error|fatal)\(\s*("[^"]+"|`[^`]+`)/g),
  ]
    .map(([, line = ""]) => lineOf(line.slice(1, -1)));
  const rows = namesOf(partOf(text, "## Log"));
  assert.ok(said.length > 5 && rows.length > 20, "no line was found");
  assert.deepEqual(said.filter((line) => !rows.some((row) => line.test(row))), []);
  const isSaid = (row: string) => code.includes(`"${row}"`) || said.some((line) => line.test(row));
  assert.deepEqual(rows.filter((row) => !isSaid(row)), [], "no server says this");
});

Deno.test("every text that a user can see is in the list (deno task tables writes it)", async () => {
  assert.equal(await readText(TEXTS_PATH), await listOfTexts());
});

/** How the errors of the programs begin. */
const ERROR =
  /^(?:Cannot |Not (?:sent|delivered|done|changed)|Perhaps not |Stopped in |No (?:key|message|file) |Nobody \w+ed |The (?:connection to the server broke|server does not answer))/;

/** Whether a text begins with the words of an entry, and with a value where that has `…`. */
function beginsAs(text: string, entry: string): boolean {
  return text.startsWith(entry) && !/^[a-z]/i.test(text.slice(entry.length));
}

Deno.test("TROUBLESHOOTING.md has every error of the programs by its first words, and no others", async () => {
  const rows = [...(await readText("docs/TROUBLESHOOTING.md")).matchAll(/^\| (`.*?`) +\|/gm)];
  const entries = rows.flatMap(([, cell = ""]) =>
    [...cell.matchAll(/`([^`]+)`/g)].map(([, entry = ""]) => entry.replaceAll('"', ""))
  );
  const errors = [...(await userTexts()).values()].flat().map((text) => text.replaceAll('"', ""))
    .filter((text) => ERROR.test(text));
  assert.ok(errors.length > 300 && entries.length > 100, `${errors.length}, ${entries.length}`);
  const isFound = (text: string) => entries.some((entry) => beginsAs(text, entry));
  assert.deepEqual(errors.filter((text) => !isFound(text)), []);
  const all = [...(await userTexts()).values()].flat().map((text) => text.replaceAll('"', ""));
  const isUsed = (entry: string) => all.some((text) => beginsAs(text, entry));
  assert.deepEqual(entries.filter((entry) => !isUsed(entry)), []);
});

Deno.test("README and FAQ.md give the limits that the code has", async () => {
  const options: Record<string, string> = {};
  const table: OptionTable = SERVER_OPTIONS;
  for (const [name, { fallback }] of Object.entries(table)) {
    options[name] = fallback ?? "";
  }
  const [messages, seconds] = (options["rate-limit"] ?? "").split("/");
  const number = (n: number) => n.toLocaleString("en-US");
  const mebibytes = (n: number) => `${n / 1_048_576} MiB`;
  const size = (name: string) => String(options[name]).replace("MiB", " MiB");
  const kib = Number(/^(\d+)KiB$/.exec(options["max-message"] ?? "")?.[1]);
  const everywhere = [
    `${number(kib * 1_024)} bytes`,
    size("max-file"),
    `${messages} messages in ${seconds} seconds`,
    `${options["max-per-address"]} connections`,
    `${BACKLOG_MAX_LINES} lines`,
    `${options.hold} seconds`,
  ];
  const expected = {
    "README.md": [
      ...everywhere,
      `a server ${number(Number(options["max-connections"]))}`,
      `a sealed room ${SEALED_MEMBERS_MAX} members`,
      `${FILE_MAX_BYTES_CEILING / 2 ** 30} GiB`,
    ],
    "docs/FAQ.md": [
      ...everywhere,
      `${number(ROOM_MEMORY_EVENTS)} events or ${mebibytes(ROOM_MEMORY_BYTES)}`,
    ],
  };
  for (const [path, sentences] of Object.entries(expected)) {
    const text = (await readText(path)).replaceAll(/\s+/g, " ");
    assert.deepEqual(sentences.filter((sentence) => !text.includes(sentence)), [], path);
  }
});

Deno.test("PROTOCOL.md has the bounds of files that the codec has", async () => {
  const text = (await readText("docs/PROTOCOL.md")).replaceAll(/\s+/g, " ");
  const [bytes, chunks] = [FILE_MAX_BYTES_CEILING, FILE_CHUNKS_MAX].map((n) =>
    n.toLocaleString("en-US")
  );
  assert.ok(text.includes(`\`fileLimit\` ${bytes},`), bytes);
  assert.ok(text.includes(`\`chunks\` and \`index\` ${chunks};`), chunks);
});

/** Tests that a document names: a file, and one title or several. */
function citations(text: string): { readonly file: string; readonly title: string }[] {
  const lists = [...text.matchAll(/`(tests\/[\w/]+\.ts)`: ((?:"[^"]+"(?:, )?)+)/g)];
  return lists.flatMap(([, file = "", titles = ""]) =>
    [...titles.matchAll(/"([^"]+)"/g)].map(([, title = ""]) => ({ file, title }))
  );
}

/** Whether this is the whole title of a test, or all of it before a value. */
function isTitleIn(code: string, title: string): boolean {
  const ends = ['"', "`", ": ${", ", "];
  return ['"', "`"].some((begin) => ends.some((end) => code.includes(`${begin}${title}${end}`)));
}

Deno.test("THREAT-MODEL.md names tests that there are", async () => {
  const text = (await readText("docs/THREAT-MODEL.md")).replaceAll(/\s+/g, " ");
  assert.deepEqual(text.match(/`tests\/[\w/]+\.ts`(?!: ")/g) ?? [], [], "a file without a title");
  const cited = citations(text);
  assert.ok(cited.length > 150, `${cited.length} tests are cited`);
  const missing: string[] = [];
  for (const { file, title } of cited) {
    const code = await readText(file).catch(() => "");
    if (!isTitleIn(code, title)) missing.push(`${file}: ${title}`);
  }
  assert.deepEqual(missing, []);
});

Deno.test("THREAT-MODEL.md names a test beside each item of its lists of what somebody cannot do", async () => {
  const bare: string[] = [];
  let isPromised = false;
  let promises = 0;
  for (const block of (await readText("docs/THREAT-MODEL.md")).split("\n\n")) {
    if (!block.startsWith("- ")) {
      isPromised = /(?:cannot|Nobody else)[^.]*:$/.test(block.replaceAll(/\s+/g, " "));
      continue;
    }
    const items = isPromised ? block.split(/\n(?=- )/) : [];
    promises += items.length;
    bare.push(...items.filter((item) => citations(item.replaceAll(/\s+/g, " ")).length === 0));
  }
  assert.ok(promises > 90, `${promises} promises`);
  assert.deepEqual(bare, []);
});

const STRUCK_TWICE = new RegExp(`.${String.fromCharCode(8)}`, "g");

for (const [path, page] of Object.entries(manPages())) {
  Deno.test(`${path} is what the code says (deno task tables writes it)`, async () => {
    assert.equal(await readText(path), page);
  });

  const test = skipWithout("mandoc");
  test(`mandoc has nothing to say about ${path}`, async () => {
    // It ends with a code of its own where only style is at fault, so it is asked for what it says.
    const child = new Deno.Command("mandoc", {
      args: ["-Tlint", new URL(`../${path}`, import.meta.url).pathname],
    });
    const { stdout, stderr } = await child.output();
    const said = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
    // The other program's page is installed with the program, not here.
    const faults = said.split("\n").filter((line) =>
      line !== "" && !/referenced manual not found: Xr cmdchat/.test(line)
    );
    assert.deepEqual(faults, []);
    // Bold letters are struck twice.
    const text = (await outputOf("mandoc", "-Tascii", path))?.replaceAll(STRUCK_TWICE, "");
    assert.match(text ?? "", /^EXIT STATUS$/m);
  });
}

Deno.test(`${SCHEMA_PATH} is what the code says (deno task tables writes it)`, async () => {
  assert.deepEqual(JSON.parse(await readText(SCHEMA_PATH)), JSON.parse(jsonSchema()));
});

/** Names of fields and texts that are values, anywhere in a JSON schema. */
function namesIn(schema: unknown): string[] {
  if (typeof schema !== "object" || schema === null) return [];
  const { enum: values = [], const: value, properties = {} } = schema as Record<string, unknown>;
  const own = [...Array.isArray(values) ? values : [], value, ...Object.keys(properties as object)];
  const texts = own.filter((name) => typeof name === "string");
  return [...texts, ...Object.values(schema).flatMap(namesIn)];
}

Deno.test("JSON.md names every field and every value of the schema", async () => {
  const text = await readText("docs/JSON.md");
  const names = [...new Set(namesIn(JSON.parse(await readText(SCHEMA_PATH))))];
  assert.ok(names.length > 60, `${names.length} names`);
  const isNamed = (name: string) => text.includes(`\`${name}\``) || text.includes(`"${name}"`);
  assert.deepEqual(names.filter((name) => !isNamed(name)), []);
});

Deno.test("every example of JSON.md fits the schema", async () => {
  const text = await readText("docs/JSON.md");
  const blocks = [...text.matchAll(/^```jsonl\n([\s\S]*?)^```$/gm)].map(([, lines]) => lines ?? "");
  const kinds = new Set(blocks.flatMap(assertPrinted).map(({ kind }) => kind));
  assert.deepEqual([...kinds].sort(), [
    "chat",
    "check",
    "connection",
    "direct",
    "file",
    "note",
    "result",
    "system",
  ]);
  const requests = await blocksBelow("docs/JSON.md", "## Requests: JSON in", "json");
  const lines = requests.join("").trim().split("\n");
  assert.deepEqual(lines.filter((line) => !isRequest(line)), []);
  const history = await blocksBelow("docs/JSON.md", "## History", "json");
  assert.ok(lines.length > 1 && assertHistory(history.join("")).length > 1);
});
