// A literal is written as the formatter writes it: no spread of a literal that only keeps a row short.

import assert from "node:assert/strict";
import { readSources } from "./sources.ts";

const CODE = ["client", "server", "shared", "scripts", "tests"];
/** A spread of an object's literal, or of a list's that nothing is asked of: `...{ a, b }`, `...["x", "y"],`. */
const SPREAD_LITERAL = /\.\.\.(?:\{|\[[^[\]]*\](?:,| as const|\s*[\])]))/;

/** The lines of a text that spread a literal. */
function faultsOf(code: string): string[] {
  const found = code.matchAll(new RegExp(SPREAD_LITERAL, "g"));
  return [...found].map(({ index }) => code.slice(index, index + 40).split("\n")[0] ?? "");
}

Deno.test("no literal is spread only to keep a row short", async () => {
  const faults = (await readSources(...CODE))
    .filter(({ path }) => path !== "tests/helpers/repo/literals_test.ts")
    .flatMap(({ path, code }) => faultsOf(code).map((fault) => `${path}: ${fault}`));
  assert.deepEqual(faults, []);
});

Deno.test("the rule tells a spread of a literal from a spread of what a literal gives", () => {
  for (const bad of ["f({ ...{ a, b }, c })", '[...["a", "b"], c]', 'f(...["a"] as const, b)']) {
    assert.equal(faultsOf(bad).length, 1, bad);
  }
  const good = ["[...[1, 2].map(f)]", "{ ...(a ? {} : { b }) }", "{ ...rest, a }", "[...list]"];
  for (const code of good) assert.deepEqual(faultsOf(code), [], code);
});
