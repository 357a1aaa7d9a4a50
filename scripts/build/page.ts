// deno-lint-ignore-file no-console
// Builds dist/page.html: the page for browsers as one file, which depends on the sources alone and not on where they
// are, so that anyone can build it again and compare.

import { gzipSync } from "node:zlib";
import { minifySync } from "@swc/wasm";
import { pagePolicy } from "../../server/web/page_policy.ts";

/** Bytes of the largest page, as browsers get it. */
export const PAGE_MAX_GZIP_BYTES = 200 * 1024;

const ROOT = new URL("../..", import.meta.url);
const FOLDER = new URL("../../client/page/", import.meta.url);
const IMPORT_MAP = "dist/page_imports.json";
const OUTPUT = new URL("../../dist/page.html", import.meta.url);

/** Where the page's sources are; tests build others. */
export interface PageSources {
  /** What becomes the script. */
  readonly entry: string;
  /** With `{policy}`, and an empty style and script. */
  readonly html: string;
  readonly css: string;
}

/** The page of one set of sources. Throws PageBuildError. */
export async function buildPage(
  { entry, html, css }: Partial<PageSources> = {},
): Promise<string> {
  const style = checked("style", css ?? await bundle("client/page/page.css"));
  const script = checked("script", minified(await bundle(entry ?? "client/page/entry.ts")));
  const policy = pagePolicy({ script, style }, "ws: wss:");
  const template = html ?? await Deno.readTextFile(new URL("page.html", FOLDER));
  const parts = [
    ['content="{policy}"', `content="${policy}"`],
    ["<style></style>", `<style>${style}</style>`],
    ["<script></script>", `<script>${script}</script>`],
  ];
  // A function, since a text may hold what replace() takes for a pattern.
  return parts.reduce((text, [place = "", part = ""]) => text.replace(place, () => part), template);
}

/** A script in fewer bytes; `module`: what it declares at its top level is its own. */
export function minified(script: string, module = false): string {
  return minifySync(script, {
    module,
    ecma: 2022,
    compress: { ecma: 2022, passes: 2 },
    mangle: true,
  }).code;
}

/** Builds the page and writes it where the server looks for it. Throws PageBuildError. */
export async function writePage(): Promise<string> {
  const html = await buildPage();
  await Deno.mkdir(new URL(".", OUTPUT), { recursive: true });
  // Whole or not at all, since a server may read it now.
  const next = new URL(`page.html.${crypto.randomUUID()}`, OUTPUT);
  await Deno.writeTextFile(next, html);
  // `deno compile` puts the times of files into an executable.
  await Deno.utime(next, 0, 0);
  await Deno.rename(next, OUTPUT);
  return html;
}

/** Bytes of the page as browsers get it: the server compresses it so (server/web/page.ts). */
export function gzipSize(html: string): number {
  return gzipSync(html, { level: 9 }).length;
}

/** A build that failed. */
export class PageBuildError extends Error {
  override readonly name = "PageBuildError";
}

async function bundle(entry: string): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      "bundle",
      "--quiet",
      "--no-check",
      "--frozen",
      "--platform=browser",
      "--format=iife",
      "--minify",
      `--import-map=${await writeImportMap()}`,
      entry,
    ],
    cwd: ROOT,
    env: { NO_COLOR: "1" },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).output();
  const report = new TextDecoder().decode(stderr).trim();
  if (!success) throw new PageBuildError(`Cannot build the page:\n${report}`);
  return new TextDecoder().decode(stdout).trim();
}

/** The imports of deno.json, with the seams of the platform as a browser has them. */
async function writeImportMap(): Promise<string> {
  const { imports } = JSON.parse(await Deno.readTextFile(new URL("deno.json", ROOT)));
  // Files within a package have to be mapped in an import map of its own.
  const within = Object.entries(imports as Record<string, string>)
    .filter(([, target]) => target.startsWith("npm:"))
    .map(([name, target]) => [`${name}/`, `npm:/${target.slice("npm:".length)}/`]);
  const map = {
    imports: { ...imports, ...Object.fromEntries(within), "#platform/": "../shared/platform/web/" },
  };
  await Deno.mkdir(new URL(".", OUTPUT), { recursive: true });
  // Whole or not at all, since another build may read it now.
  const next = new URL(`${IMPORT_MAP}.${crypto.randomUUID()}`, ROOT);
  await Deno.writeTextFile(next, JSON.stringify(map));
  await Deno.rename(next, new URL(IMPORT_MAP, ROOT));
  // From the root, where the bundler is started: a whole path may hold blanks.
  return IMPORT_MAP;
}

// HTML ends or hides a part at these, whatever the language in it says.
function checked(kind: "script" | "style", text: string): string {
  const found = /<\/(?:script|style)|<!--/i.exec(text);
  if (found === null) return text;
  throw new PageBuildError(`Cannot build the page: its ${kind} contains "${found[0]}"`);
}

async function main(): Promise<number> {
  try {
    const html = await writePage();
    const size = gzipSize(html);
    console.log(`dist/page.html: ${kib(html.length)} KiB, ${kib(size)} KiB as browsers get it`);
    if (size <= PAGE_MAX_GZIP_BYTES) return 0;
    throw new PageBuildError(`The page is larger than ${kib(PAGE_MAX_GZIP_BYTES)} KiB`);
  } catch (error) {
    if (!(error instanceof PageBuildError)) throw error;
    console.error(`error: ${error.message}`);
    return 1;
  }
}

function kib(bytes: number): string {
  return (bytes / 1024).toFixed(0);
}

if (import.meta.main) Deno.exit(await main());
