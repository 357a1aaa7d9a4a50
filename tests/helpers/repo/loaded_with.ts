// What is loaded together with a module: the modules and packages that its imports bring, but those that are asked for later.

import { readSources, SEAM } from "./sources.ts";

// An import that brings values: `import type`, and lists of nothing but types, are gone before anything is loaded.
const IMPORT = /^(?:import|export) (?!type\b)(?:([^;"]*?)\s*from\s*)?"([^"]+)"/gm;

function loads(names: string): boolean {
  const listed = /^\{([^}]*)\}$/.exec(names.trim())?.[1];
  if (listed === undefined) return true;
  return listed.split(",").some((name) => name.trim() !== "" && !/^\s*type\b/.test(name));
}

function importsOf(path: string, code: string): string[] {
  return [...code.matchAll(IMPORT)].filter(([, names = ""]) => names === "" || loads(names))
    .map(([, , specifier = ""]) => {
      if (specifier.startsWith(SEAM)) return specifier.replace(SEAM, "shared/platform/deno/");
      if (!specifier.startsWith(".")) return specifier;
      return new URL(specifier, `file:///${path}`).pathname.slice(1);
    });
}

/** All that one of our modules loads, packages too. */
export async function loadedWith(entry: string): Promise<Set<string>> {
  const sources = new Map(
    (await readSources("client", "server", "shared")).map(({ path, code }) => [path, code]),
  );
  const found = new Set<string>();
  const open = [entry];
  for (let path = open.pop(); path !== undefined; path = open.pop()) {
    if (found.has(path)) continue;
    found.add(path);
    const code = sources.get(path);
    if (code !== undefined) open.push(...importsOf(path, code));
  }
  return found;
}
