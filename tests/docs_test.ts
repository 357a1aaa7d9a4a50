// The documents say what the programs do: tables that repeat the code are compared with it.

import assert from "node:assert/strict";
import { DOCUMENTS, withTables } from "../scripts/document_tables.ts";
import { Metrics } from "../server/metrics.ts";
import { readText } from "./helpers/sources.ts";

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

Deno.test("OPERATIONS.md explains every pair of the metrics line", async () => {
  const text = await readText("docs/OPERATIONS.md");
  const gauges = { connections: 0, members: 0, held: 0, rooms: 0, outboxBytes: 0 };
  const names = [...new Metrics().line(gauges).matchAll(/(\w+)=/g)].map(([, name]) => name ?? "");
  assert.ok(names.length > 20, "the metrics line is empty");
  assert.deepEqual(names.filter((name) => !text.includes(`\`${name}\``)), []);
});

Deno.test("OPERATIONS.md lists every line of the log", async () => {
  const text = await readText("docs/OPERATIONS.md");
  const files = ["connection.ts", "main.ts", "relay.ts"];
  const code = (await Promise.all(files.map((file) => readText(`server/${file}`)))).join("\n");
  const lines = [...code.matchAll(/\blog\.(?:debug|info|warning|error|fatal)\(\s*"([^"]+)"/g)]
    .map(([, line]) => line ?? "");
  assert.ok(lines.length > 5, "no log line was found");
  assert.deepEqual(lines.filter((line) => !text.includes(`\`${line}\``)), []);
});

Deno.test("THREAT-MODEL.md names tests that there are", async () => {
  const text = (await readText("docs/THREAT-MODEL.md")).replaceAll(/\s+/g, " ");
  const cited = [...text.matchAll(/`(tests\/[\w/]+\.ts)`: "([^"]+)"/g)];
  assert.ok(cited.length > 10, `${cited.length} tests are cited`);
  const missing: string[] = [];
  for (const [, file = "", title = ""] of cited) {
    const code = await readText(file).catch(() => "");
    if (!code.includes(title)) missing.push(`${file}: ${title}`);
  }
  assert.deepEqual(missing, []);
});
