import assert from "node:assert/strict";
import { lineOf } from "../../../client/config/toml_lines.ts";

const TEXT = `# prot = 1
name = "alice"
"prot" = 1
server.home.host = "h"

[server.work] # the office
host = "a"
  rom = "x"
[server."two words"]
host = "b"
`;

Deno.test("lineOf() finds plain, quoted, dotted and indented keys, each in its own section", () => {
  assert.equal(lineOf(TEXT, "name", undefined), 2);
  assert.equal(lineOf(TEXT, "prot", undefined), 3);
  assert.equal(lineOf(TEXT, "host", "server.home"), 4);
  assert.equal(lineOf(TEXT, "host", "server.work"), 7);
  assert.equal(lineOf(TEXT, "rom", "server.work"), 8);
  assert.equal(lineOf(TEXT, "host", "server.two words"), 10);
});

Deno.test("lineOf() finds a section by its header, and nothing that is not there", () => {
  assert.equal(lineOf(TEXT, "server", undefined), 4);
  assert.equal(lineOf(TEXT, "work", "server"), 6);
  assert.equal(lineOf(TEXT, "host", undefined), undefined);
  assert.equal(lineOf("", "host", undefined), undefined);
});
