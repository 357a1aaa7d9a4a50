// What the page shares with the terminal client knows no platform: everything that the page's script reaches is held to it.
import assert from "node:assert/strict";
import { readSources, SEAM, type SourceFile } from "../../helpers/repo/sources.ts";

const ENTRY = "client/page/entry.ts";
const VALUES = /^(?:import|export) (?!type\b)([^;"]*?from\s*)?"([^"]+)"|\bimport\(\s*"([^"]+)"/gm;

/** Specifiers that are there when the code runs: imports of types alone are not. */
function valueImports({ code }: SourceFile): string[] {
  return [...code.matchAll(VALUES)].flatMap(([, names, specifier, dynamic]) => {
    const list = /\{([^}]*)\}/.exec(names ?? "")?.[1]?.split(",").map((name) => name.trim())
      .filter(Boolean);
    const isTypes = list !== undefined && list.length > 0 &&
      list.every((name) => name.startsWith("type ")) && !/^\w/.test(names?.trim() ?? "");
    return isTypes ? [] : [specifier ?? dynamic ?? ""];
  });
}

Deno.test("no file that the page's script reaches names Deno, Node or Buffer, or says `using`", async () => {
  const sources = new Map(
    (await readSources("client", "shared")).map((source) => [source.path, source]),
  );
  const reached = new Map<string, string>();
  const visit = (path: string, from: string): void => {
    const source = sources.get(path);
    if (source === undefined || reached.has(path)) return;
    reached.set(path, from);
    for (const specifier of valueImports(source)) {
      if (specifier.startsWith(SEAM)) {
        visit(`shared/platform/web/${specifier.slice(SEAM.length)}`, path);
      } else if (specifier.startsWith(".")) {
        visit(new URL(specifier, `file:///${path}`).pathname.slice(1), path);
      } else assert.ok(!specifier.startsWith("node:"), `${path} imports ${specifier}`);
    }
  };
  visit(ENTRY, "");
  assert.ok(reached.size > 150, `${reached.size} files`);
  for (const [path, from] of reached) {
    const code = sources.get(path)?.code ?? "";
    const where = `${path}, imported by ${from}`;
    assert.doesNotMatch(code, /\bDeno\s*\.|(?<!\w)Buffer\s*\.|\bprocess\s*\./, where);
    // Not every browser has it, and the bundler may lose it (scripts/build/bundle.ts).
    assert.doesNotMatch(code, /\busing \w+ =/, where);
  }
});
