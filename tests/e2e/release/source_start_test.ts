// What Deno asks a registry when the client starts from source: all of it at the first start, and nothing later. What it
// asks when a room is sealed would tell the registry so.

import assert from "node:assert/strict";
import { outputOf, ROOT } from "../../helpers/repo/sources.ts";

const HELPER = "tests/helpers/programs/load_sealed.ts";
const NOWHERE = "http://127.0.0.1:1";
const KNOWN_WITHIN_MS = 60_000;

interface Graph {
  readonly modules: readonly { readonly specifier: string }[];
  readonly npmPackages: Readonly<Record<string, { readonly name: string }>>;
}

/** Parsed answer of `deno info --json`. */
async function info(...args: string[]): Promise<unknown> {
  return JSON.parse(await outputOf(Deno.execPath(), "info", "--json", ...args) ?? "{}");
}

Deno.test("a start of the client from source names what sealed rooms need", async () => {
  const { modules, npmPackages } = await info("client/main.ts") as Graph;
  const worker = new URL("client/sealed_engine/worker.ts", ROOT).href;
  assert.ok(modules.some(({ specifier }) => specifier === worker), "not the worker");
  assert.ok(Object.values(npmPackages).some(({ name }) => name === "ts-mls"), "not ts-mls");
});

/** Whether Deno has stored what a registry says of ts-mls. It does so after the start, and forgets it at an early end. */
async function isKnown(): Promise<boolean> {
  const { npmCache } = await info() as { readonly npmCache: string };
  for await (const { name } of Deno.readDir(npmCache)) {
    const path = `${npmCache}/${name}/ts-mls/registry.json`;
    if (await Deno.stat(path).then(() => true, () => false)) return true;
  }
  return false;
}

/** Starts a program that lives until this resolves, which is when Deno has stored what it asked. */
async function getToKnow(): Promise<void> {
  const args = ["run", "--frozen", "--allow-all", HELPER, "--stay"];
  const stdio = { stdin: "piped", stdout: "null", stderr: "null" } as const;
  const child = new Deno.Command(Deno.execPath(), { args, cwd: ROOT, ...stdio }).spawn();
  try {
    const until = performance.now() + KNOWN_WITHIN_MS;
    while (!await isKnown()) {
      assert.ok(performance.now() < until, "no registry says anything of ts-mls");
    }
  } finally {
    await child.stdin.close();
    await child.status;
  }
}

Deno.test("a later start from source asks no registry, although two packages have peers (ADR 13, ADR 30)", async () => {
  if (!await isKnown()) await getToKnow();
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--frozen", "--allow-all", HELPER],
    cwd: ROOT,
    env: { NO_COLOR: "1", HTTP_PROXY: NOWHERE, HTTPS_PROXY: NOWHERE, ALL_PROXY: NOWHERE },
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).output();
  assert.deepEqual({ success, stderr: new TextDecoder().decode(stderr) }, {
    success: true,
    stderr: "",
  });
});
