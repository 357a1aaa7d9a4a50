// The modules of a program in few files. An executable of single modules opens, strips of types, parses and links some
// three hundred of them at each start, which takes longer than all else until the prompt.

import { basename, dirname, relative } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = new URL("../..", import.meta.url);

/** What to bundle. Paths are from the root. */
export interface BundleSource {
  readonly name: string;
  readonly entry: string;
  /** Modules that a program starts by their path, as `new URL("./NAME.ts", import.meta.url)`. */
  readonly workers?: readonly string[];
  /** Files that it opens by their path, as `new URL("../../PATH", import.meta.url)`. */
  readonly include?: readonly string[];
}

/** The bundle of a program, whose files are there until it is disposed. */
export interface Bundle extends AsyncDisposable {
  readonly entry: string;
  /** What the entry loads or opens when it needs it. */
  readonly others: readonly string[];
}

interface SourceMap {
  readonly sourcesContent: readonly (string | null)[];
}

/** A bundle that failed. */
export class BundleError extends Error {
  override readonly name = "BundleError";
}

/** Bundles a program into a new folder. Equal sources give equal files in it. Throws BundleError. */
export async function bundle(
  { name, entry, workers = [], include = [] }: BundleSource,
): Promise<Bundle> {
  const folder = await Deno.makeTempDir({ dir: await distFolder(), prefix: `${name}.` });
  const remove = () => Deno.remove(folder, { recursive: true });
  try {
    // Two folders deep, from where the included files are at the paths that they have in the sources.
    const modules = `${folder}/all/modules`;
    await runBundler([entry, ...workers], modules, ["--minify", "--sourcemap=external"]);
    const sources = await takeSources(modules);
    await requireDisposals([entry, ...workers], { folder: modules, sources });
    for (const worker of workers) await writeAliases(modules, basename(worker));
    for (const path of include) {
      await Deno.mkdir(dirname(`${folder}/${path}`), { recursive: true });
      await Deno.copyFile(new URL(path, ROOT), `${folder}/${path}`);
    }
    const files = await filesIn(folder);
    const main = fileOf(entry, files);
    // `deno compile` puts the times of files into an executable.
    for (const file of files) await Deno.utime(`${folder}/${file}`, 0, 0);
    return {
      entry: `${folder}/${main}`,
      others: files.filter((file) => file !== main).map((file) => `${folder}/${file}`),
      [Symbol.asyncDispose]: remove,
    };
  } catch (error) {
    await remove();
    throw error;
  }
}

/** Where builds may write. */
async function distFolder(): Promise<string> {
  const folder = fileURLToPath(new URL("dist", ROOT));
  await Deno.mkdir(folder, { recursive: true });
  return folder;
}

/**
 * The texts of the modules that the files of a folder were made of; their source maps are removed. Those of packages that
 * were compiled themselves, to code without `using`, are not known.
 */
async function takeSources(folder: string): Promise<string[]> {
  const sources: string[] = [];
  for (const file of await filesIn(folder)) {
    if (!file.endsWith(".map")) continue;
    const path = `${folder}/${file}`;
    const map: SourceMap = JSON.parse(await Deno.readTextFile(path));
    sources.push(...map.sourcesContent.filter((text) => text !== null));
    await Deno.remove(path);
  }
  return sources;
}

/**
 * Throws BundleError where a `using` of the sources is in no file of the bundle. The bundler (esbuild, --minify) puts what
 * such a variable holds where it is used, if that is in one place, right behind it: then nothing is ever closed. Nor is
 * there a `using` of what nothing uses: only where the sources have more than the bundle is it bundled as it is to compare.
 */
async function requireDisposals(
  entries: readonly string[],
  { folder, sources }: { readonly folder: string; readonly sources: readonly string[] },
): Promise<void> {
  const kept = await disposalsIn(folder);
  if (sources.flatMap(disposalsOf).length === kept.length) return;
  const plain = await Deno.makeTempDir();
  try {
    await runBundler(entries, plain, []);
    const all = await disposalsIn(plain);
    if (kept.length === all.length) return;
    throw new BundleError(
      `Cannot bundle the modules: ${all.length - kept.length} of these would never be closed, ` +
        `since they are used in one place only; try and finally close them:\n${all.join("\n")}`,
    );
  } finally {
    await Deno.remove(plain, { recursive: true });
  }
}

/** What the files of a folder declare with `using`. */
async function disposalsIn(folder: string): Promise<string[]> {
  const texts = (await filesIn(folder)).map((file) => Deno.readTextFile(`${folder}/${file}`));
  return (await Promise.all(texts)).flatMap(disposalsOf);
}

function disposalsOf(text: string): string[] {
  return [...text.matchAll(/\busing [\w$]+ ?=/g)]
    .flatMap(({ index }) => declarations(text.slice(index + "using ".length)));
}

/** What one `using` declares: `a = 1, b = 2` up to its end. */
function declarations(text: string): string[] {
  const parts = [""];
  let depth = 0;
  for (const character of text) {
    if ("([{".includes(character)) depth++;
    else if (")]}".includes(character)) depth--;
    if (depth < 0 || (depth === 0 && character === ";")) break;
    if (depth === 0 && character === ",") parts.push("");
    else parts.push(parts.pop() + character);
  }
  return parts;
}

async function runBundler(
  entries: readonly string[],
  folder: string,
  options: readonly string[],
): Promise<void> {
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      "bundle",
      "--quiet",
      "--no-check",
      "--frozen",
      "--platform=deno",
      // Without --minify, comments name the folder of the packages, which differs between machines.
      ...options,
      "--code-splitting",
      `--outdir=${folder}`,
      ...entries,
    ],
    cwd: ROOT,
    env: { NO_COLOR: "1" },
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).output();
  if (!success) {
    throw new BundleError(`Cannot bundle the modules:\n${new TextDecoder().decode(stderr).trim()}`);
  }
}

/** Which of `files` the bundler made of a module. Throws BundleError. */
function fileOf(module: string, files: readonly string[]): string {
  const built = files.find((file) => basename(file) === `${basename(module, ".ts")}.js`);
  if (built !== undefined) return built;
  throw new BundleError(`Cannot bundle the modules: nothing was made of ${module}`);
}

/** Makes a worker's module stand where the modules that start it look: beside each of them. */
async function writeAliases(folder: string, worker: string): Promise<void> {
  const files = await filesIn(folder);
  const built = fileOf(worker, files);
  for (const file of files) {
    const text = await Deno.readTextFile(`${folder}/${file}`);
    if (!text.includes(`"./${worker}"`)) continue;
    const path = relative(dirname(file), built);
    await Deno.writeTextFile(
      `${folder}/${dirname(file)}/${worker}`,
      `import "./${path.replaceAll("\\", "/")}";\n`,
    );
  }
}

async function filesIn(folder: string, below = ""): Promise<string[]> {
  const files: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(`${folder}/${below}`)) {
    if (isDirectory) files.push(...await filesIn(folder, `${below}${name}/`));
    else files.push(`${below}${name}`);
  }
  return files.sort();
}
