// The page for browsers as it is built: the same bytes from any folder, so that anyone can compare.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { buildPage, gzipSize, PAGE_MAX_GZIP_BYTES } from "../../../scripts/build/page.ts";
import { runProgram } from "../../helpers/programs/programs.ts";
import { ROOT } from "../../helpers/repo/sources.ts";

const SOURCES = ["client", "server", "shared", "scripts", "deno.json", "deno.lock"];
const page = await buildPage();

Deno.test("the page is the same from another folder", async () => {
  const folder = await Deno.makeTempDir({ prefix: "cmdchat page " });
  try {
    const from = SOURCES.map((name) => new URL(name, ROOT).pathname);
    const copied = await runProgram("cp", { args: ["-R", ...from, folder] });
    assert.equal(copied.code, 0, copied.stderr);
    const { code, stdout, stderr } = await runProgram(Deno.execPath(), {
      args: ["task", "--quiet", "page"],
      cwd: folder,
      env: { HOME: Deno.env.get("HOME") ?? "", PATH: Deno.env.get("PATH") ?? "" },
    });
    assert.equal(code, 0, stderr);
    assert.match(stdout, /^dist\/page\.html: \d+ KiB, \d+ KiB as browsers get it\n$/);
    assert.ok(page === await Deno.readTextFile(`${folder}/dist/page.html`));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("the page is one file within its budget, with a policy that names its own parts", () => {
  assert.ok(gzipSize(page) <= PAGE_MAX_GZIP_BYTES);
  const [, script = ""] = /<script>([^]*)<\/script>/.exec(page) ?? [];
  const [, style = ""] = /<style>([^]*?)<\/style>/.exec(page) ?? [];
  for (const part of [script, style]) {
    assert.ok(part.length > 10);
    const hash = createHash("sha256").update(part).digest("base64");
    assert.ok(page.includes(`-src 'sha256-${hash}'`));
  }
  // Nothing is fetched: the only addresses are those that the icon carries itself.
  const markup = page.replace(script, () => "").replace(style, () => "");
  assert.deepEqual([...markup.matchAll(/(?:src|href)="([^"]*)"/g)].map(([, url]) => url), [
    "data:,",
  ]);
  assert.doesNotMatch(style, /url\(|@import/);
  // Neither is anything of this machine in it.
  assert.ok(!page.includes(ROOT.pathname));
});

Deno.test("a part that would end its element is refused", async () => {
  await assert.rejects(
    buildPage({ css: "p::after { content: '</style>' }" }),
    /contains "<\/style"/,
  );
});
