// The repository's own source files as tests see them: paths, code without comments, imports.

/** One TypeScript file; `path` is relative to the repository, with forward slashes. */
export interface SourceFile {
  readonly path: string;
  readonly text: string;
  /** The text without comments, so that a rule judges what runs. */
  readonly code: string;
  /** Specifiers of all imports and re-exports, those of our own files resolved to their paths. */
  readonly imports: readonly string[];
  /** Names of all functions, classes, constants, interfaces and types that it exports. */
  readonly exports: readonly string[];
}

/** What begins the specifier of a seam; the import map says which twin it is. */
export const SEAM = "#platform/";

/** The repository's root. */
export const ROOT = new URL("../../..", import.meta.url);

const IMPORT = /(?:^(?:import|export) [^;"]*?from\s*|^import |\bimport\(\s*)"([^"]+)"/gm;
const EXPORT =
  /^export (?:async )?(?:abstract )?(?:function\*?|class|const|let|interface|type|enum) (\w+)/gm;
const COMMENT = /("(?:\\.|[^"\\\n])*"|`(?:\\.|[^`\\])*`)|\/\*[\s\S]*?\*\/|(^|\s)\/\/.*$/gm;

/** Every TypeScript file below the folders, in order of their paths. */
export async function readSources(...folders: string[]): Promise<SourceFile[]> {
  const sources: SourceFile[] = [];
  for (const folder of folders) {
    for await (const path of walk(folder)) {
      if (path.endsWith(".ts")) sources.push(readSource(path, await readText(path)));
    }
  }
  return sources.sort((a, b) => a.path < b.path ? -1 : 1);
}

/** Text of a file of the repository. */
export function readText(path: string): Promise<string> {
  return Deno.readTextFile(new URL(path, ROOT));
}

/** Standard output of a command in the repository's root; undefined when it fails or is not there. */
export async function outputOf(command: string, ...args: string[]): Promise<string | undefined> {
  try {
    const child = new Deno.Command(command, { args, cwd: ROOT, stdin: "null", stderr: "null" });
    const { success, stdout } = await child.output();
    return success ? new TextDecoder().decode(stdout) : undefined;
  } catch {
    return undefined;
  }
}

function readSource(path: string, text: string): SourceFile {
  const code = text.replaceAll(COMMENT, (_, literal, space) => literal ?? space ?? "");
  return {
    path,
    text,
    code,
    imports: importsOf(code, path),
    exports: [...code.matchAll(EXPORT)].map(([, name]) => name ?? ""),
  };
}

function importsOf(code: string, path: string): string[] {
  return [...code.matchAll(IMPORT)].map(([, specifier]) => resolve(specifier ?? "", path));
}

function resolve(specifier: string, from: string): string {
  if (specifier.startsWith(SEAM)) return `shared/platform/deno/${specifier.slice(SEAM.length)}`;
  if (!specifier.startsWith(".")) return specifier;
  return new URL(specifier, new URL(from, ROOT)).href.slice(ROOT.href.length);
}

async function* walk(folder: string): AsyncGenerator<string> {
  for await (const entry of Deno.readDir(new URL(`${folder}/`, ROOT))) {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory) yield* walk(path);
    else yield path;
  }
}
