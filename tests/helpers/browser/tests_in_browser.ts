/// <reference lib="dom" />
// Test files run within a browser: bundled with the browser's twins of the platform, and with as much of Deno and of
// node:assert as they use.

import { minified } from "../../../scripts/build/page.ts";
import { ROOT } from "../repo/sources.ts";
import type { RunningBrowser } from "./browsers.ts";

/** What became of one test. */
export interface BrowserOutcome {
  readonly name: string;
  readonly fault: string | undefined;
}

declare global {
  /** Set when all tests are over. */
  var outcomes: BrowserOutcome[] | undefined;
}

/** Runs before the tests: the parts of Deno that they use. */
const SCAFFOLD = `
const waiting = [];
globalThis.Deno = {
  test(name, fn) {
    if (typeof name === "object") ({ name, fn } = name.ignore ? { name: name.name } : name);
    if (fn !== undefined) waiting.push({ name, fn });
  },
  readTextFile: async (url) => await (await fetch(new URL(url).pathname)).text(),
  stat: async (url) => {
    if (!(await fetch(new URL(url).pathname)).ok) throw new Error("not there");
    return { isDirectory: true };
  },
  env: { get: () => undefined },
  build: { os: "linux" },
};
globalThis.runTests = async () => {
  const outcomes = [];
  for (const { name, fn } of waiting) {
    try {
      await fn({});
      outcomes.push({ name });
    } catch (error) {
      outcomes.push({ name, fault: String(error?.stack ?? error) });
    }
  }
  globalThis.outcomes = outcomes;
};
`;

/** Runs the tests of a bundle, one file after the other. */
export async function runInBrowser(
  browser: RunningBrowser,
  script: string,
): Promise<BrowserOutcome[]> {
  await using server = serve(script);
  const port = (server.addr as Deno.NetAddr).port;
  await using opened = await browser.open();
  await opened.page.goto(`http://localhost:${port}/`);
  for (let looks = 0; looks < 2_400; looks++) {
    const outcomes = await opened.page.evaluate(() => globalThis.outcomes);
    if (outcomes !== undefined) return outcomes;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`the tests did not end: ${opened.complaints.join("\n")}`);
}

function serve(script: string): Deno.HttpServer {
  const parts: Readonly<Record<string, readonly [type: string, text: string]>> = {
    "/": [
      "text/html",
      `<!doctype html><script>${SCAFFOLD}</script><script type=module src=/tests.js></script>`,
    ],
    "/tests.js": ["text/javascript", `${script}\nawait runTests();`],
  };
  return Deno.serve({ port: 0, hostname: "localhost", onListen: () => {} }, async (request) => {
    const path = new URL(request.url).pathname;
    const part = parts[path];
    if (part !== undefined) return new Response(part[1], { headers: { "content-type": part[0] } });
    // Of the bundle's address nothing is above the root; the vectors of others are beside the repository.
    const file = path.startsWith("/vectors/")
      ? new URL(`tests${path}`, ROOT)
      : new URL(path.startsWith("/shared/vectors/") ? `..${path}` : `.${path}`, ROOT);
    try {
      if (path.endsWith("/")) return new Response(String((await Deno.stat(file)).isDirectory));
      return new Response(await Deno.readFile(file));
    } catch {
      return new Response(null, { status: 404 });
    }
  });
}

/** The tests of `files`, which are relative to the repository, as one script for browsers. */
export async function bundleTests(files: readonly string[]): Promise<string> {
  const folder = await Deno.makeTempDir();
  try {
    const { imports } = JSON.parse(await Deno.readTextFile(new URL("deno.json", ROOT)));
    const within = Object.entries(imports as Record<string, string>)
      .filter(([, target]) => target.startsWith("npm:"))
      .map(([name, target]) => [`${name}/`, `npm:/${target.slice("npm:".length)}/`]);
    const map = {
      ...imports,
      ...Object.fromEntries(within),
      "#platform/": new URL("shared/platform/web/", ROOT).href,
      "node:assert/strict": new URL("tests/helpers/browser/assert_shim.ts", ROOT).href,
    };
    await Deno.writeTextFile(`${folder}/map.json`, JSON.stringify({ imports: map }));
    const entry = files.map((file) => `import ${JSON.stringify(new URL(file, ROOT).href)};`);
    await Deno.writeTextFile(`${folder}/entry.ts`, entry.join("\n"));
    const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: [
        "bundle",
        "--quiet",
        "--no-check",
        "--platform=browser",
        // Tests look for errors by their names.
        "--keep-names",
        `--import-map=${folder}/map.json`,
        `${folder}/entry.ts`,
      ],
      cwd: ROOT,
    }).output();
    if (!success) throw new Error(new TextDecoder().decode(stderr));
    // What the page's minifier breaks must show here.
    return minified(new TextDecoder().decode(stdout), true);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
