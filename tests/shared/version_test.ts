import assert from "node:assert/strict";
import { VERSION } from "../../shared/version.ts";
import { readText } from "../helpers/sources.ts";

Deno.test("the version is the newest of CHANGELOG.md", async () => {
  const [, newest] = /^## (\d+\.\d+\.\d+)/m.exec(await readText("CHANGELOG.md")) ?? [];
  assert.equal(VERSION, newest);
});
