import assert from "node:assert/strict";
import { readSources, SEAM } from "../../helpers/repo/sources.ts";

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

/** All that is loaded with a module, packages too. */
async function loadedWith(entry: string): Promise<Set<string>> {
  const sources = new Map(
    (await readSources("client", "shared")).map(({ path, code }) => [path, code]),
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

Deno.test("the client loads the protocol and its packages after its prompt, and for --version no chat either", async () => {
  const protocol = [
    "client/session/dialer.ts",
    "client/session/session_v2.ts",
    "shared/messages/messages_v1.ts",
    "shared/messages/messages_v2.ts",
    "cborg",
    "ipaddr.js",
    "string-width",
    "zod",
    "zod/mini",
  ];
  const withDialer = await loadedWith("client/session/dialer.ts");
  for (const path of protocol.filter((one) => !["string-width", "zod"].includes(one))) {
    assert.ok(withDialer.has(path), `the dialer loads ${path}`);
  }
  const withPrompt = await loadedWith("client/app/run_chat.ts");
  assert.ok(withPrompt.has("client/console/prompt.ts"));
  assert.deepEqual(protocol.filter((path) => withPrompt.has(path)), []);
  const withMain = await loadedWith("client/main.ts");
  assert.ok(withMain.has("client/config/program.ts"));
  const chat = ["client/app/run_chat.ts", "client/chat/chat.ts", "client/commands/dispatcher.ts"];
  assert.deepEqual([...protocol, ...chat].filter((path) => withMain.has(path)), []);
});
