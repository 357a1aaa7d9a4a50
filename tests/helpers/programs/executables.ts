// The executables for tests: built with scripts/build/compile.ts on whatever base can be had here.

import {
  CLIENT,
  compile,
  CompileError,
  type CompileOptions,
  type Program,
  SERVER,
} from "../../../scripts/build/compile.ts";
import { ROOT } from "../repo/sources.ts";
import { builtOnce } from "../repo/built_once.ts";

/** What `compile` needs to build here, or why nothing can be built. */
export type CompileBase =
  | { readonly name: string; readonly environment: Readonly<Record<string, string>> }
  | { readonly missing: string };

/** A folder of built executables; disposing it removes them. */
export interface Built extends AsyncDisposable {
  readonly folder: string;
  readonly paths: readonly string[];
}

const TOOL = new URL("../shared/tools/compile-runtime", ROOT);

/** The base of the workplace's tool where that is there, otherwise the official one. */
export async function findCompileBase(): Promise<CompileBase> {
  return await olderBase() ?? await officialBase();
}

/** Builds programs on `base`. Throws CompileError, and BundleError. */
export async function buildExecutables(
  base: CompileBase,
  ...programs: readonly Program[]
): Promise<Built> {
  if ("missing" in base) throw new Error(base.missing);
  const folder = await Deno.makeTempDir({ prefix: "cmdchat-built-" });
  const paths: string[] = [];
  for (const program of programs) {
    const output = `${folder}/${program.name}`;
    await build(program, { output, environment: base.environment });
    paths.push(output);
  }
  return {
    folder,
    paths,
    [Symbol.asyncDispose]: () => Deno.remove(folder, { recursive: true }),
  };
}

/** Compiles a program, or copies it where another test of this run has done so. Throws CompileError, and BundleError. */
async function build(program: Program, options: CompileOptions): Promise<void> {
  const kept = [SERVER, CLIENT].includes(program)
    ? await builtOnce(program.name, (output) => compile(program, { ...options, output }))
    : undefined;
  if (kept === undefined) return await compile(program, options);
  await Deno.copyFile(kept, options.output);
}

async function olderBase(): Promise<CompileBase | undefined> {
  if (Deno.env.has("DENORT_BIN")) return { name: "DENORT_BIN", environment: {} };
  if (!await Deno.stat(TOOL).then(({ isFile }) => isFile, () => false)) return undefined;
  const { success, stdout } = await new Deno.Command("bash", {
    args: ["-c", 'eval "$("$0")" && printf "%s\\n" "$DENO_COMPILE" "$DENORT_BIN"', TOOL.pathname],
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
  }).output();
  const [cli, base] = new TextDecoder().decode(stdout).split("\n");
  if (!success || !cli || !base) return undefined;
  return {
    name: "the 2.4.2 base",
    environment: { DENO_COMPILE: cli, DENORT_BIN: base, DENO_TLS_CA_STORE: "system" },
  };
}

/** Builds an empty program: that downloads the base where it can be had, and costs a second where it is there. */
async function officialBase(): Promise<CompileBase> {
  const empty: Program = { name: "empty", entry: "shared/base/version.ts", permissions: [] };
  const base: CompileBase = { name: "the official base", environment: {} };
  try {
    await using _built = await buildExecutables(base, empty);
    return base;
  } catch (error) {
    // Modules that cannot be bundled are a fault of the sources and not of the base: no reason to skip.
    if (!(error instanceof CompileError)) throw error;
    return { missing: error.message.split("\n")[0] ?? error.message };
  }
}
