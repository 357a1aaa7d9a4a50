// One table names what tests use of the system; here the tests and .ci/run are held to it.

import assert from "node:assert/strict";
import { skipWithout } from "./skip.ts";
import { outputOf, readSources, readText, type SourceFile } from "./sources.ts";
import { missingPackages, SYSTEM_NEEDS, whyMissing } from "./system_needs.ts";

const ROWS = Object.values(SYSTEM_NEEDS);
const PROGRAMS = new Set<string>(ROWS.flatMap(({ programs }) => [...programs]));
const FILES = new Set<string>(ROWS.flatMap((row) => "files" in row ? [...row.files] : []));

/** Where tests start programs of the system, by the text that stands before a name. */
const STARTED =
  /\b(?:Deno\.Command|runProgram|outputOf|programPath|hasProgram)\(\s*"([^"/]+)"|\b(?:path: (?="[\w-]+",\s*args: )|command: \[\s*|under: \[\s*)"([a-z][\w-]*)"/g;
const SYSTEM_FILE = /\/(?:usr\/(?:share|s?bin|lib)|s?bin|lib|opt)\/[\w./-]*\w/g;
/** What the product's own package puts there. */
const INSTALLED = /cmdchat|^\/lib\/systemd\/system\/|^\/usr\/local\/|^\/usr\/s?bin$/;
const LITERAL = /"(?:\\.|[^"\\\n])*"|`(?:\\.|[^`\\])*`|'(?:\\.|[^'\\\n])*'/g;
/** What tells a shell script from any other text. */
const SHELL = /\$\(|"\$[\d@]|&& |\|\| |; |^set -e|^\w+ --?\w/m;
const COMMAND =
  /(?:^|[;|&(!]|\b(?:then|do|exec|sudo)\b)\s*(?:[A-Z_]+=\S* )*([a-z][\w.-]+)(?=[\s;"')]|$)/gm;
const BUILT_IN = ["kill"];

/** Programs that `source` starts by name, or that stand where a command does in a shell script of it. */
function programsOf(source: SourceFile): string[] {
  const started = [...source.code.matchAll(STARTED)].map(([, one, other]) => one ?? other ?? "");
  const scripts = [...source.code.matchAll(LITERAL)]
    .map(([literal]) => literal.slice(1, -1).replaceAll("\\n", "\n"))
    .filter((text) => SHELL.test(text));
  return [
    ...started,
    ...scripts.flatMap((text) => [...text.matchAll(COMMAND)].map(([, word]) => word ?? "")),
  ];
}

/** Tests and helpers that start programs; the rest of tests/ has scripts as people's texts only. */
function readDrivers(): Promise<SourceFile[]> {
  return readSources("tests/e2e", "tests/helpers/programs", "tests/helpers/system", "tests/bench");
}

/** Names of the programs in a folder of packages that every Debian system has. */
async function essentialPrograms(): Promise<Set<string>> {
  const all = await outputOf("dpkg-query", "--show", "--showformat=${Essential} ${Package}\n");
  const names = [...(all ?? "").matchAll(/^yes (\S+)$/gm)].map(([, name]) => name ?? "");
  const files = await outputOf("dpkg-query", "--listfiles", ...names);
  return new Set([...(files ?? "").matchAll(/\/s?bin\/(\S+)$/gm)].map(([, name]) => name ?? ""));
}

function installedPrograms(): Set<string> {
  const folders = ["/usr/bin", "/usr/sbin"];
  return new Set(
    folders.flatMap((folder) => [...Deno.readDirSync(folder)].map(({ name }) => name)),
  );
}

Deno.test("every program that a test starts by its name is in the table of the system's needs", async () => {
  for (const { path, code } of await readSources("tests")) {
    for (const [, one, other] of code.matchAll(STARTED)) {
      const name = one ?? other ?? "";
      assert.ok(PROGRAMS.has(name), `${path} starts ${name}, which SYSTEM_NEEDS does not name`);
    }
  }
});

skipWithout("dpkg-query")(
  "what a shell script of a test runs is in the table, or on every Debian system",
  async () => {
    const [essential, installed] = [await essentialPrograms(), installedPrograms()];
    const known = new Set([...PROGRAMS, ...essential, ...BUILT_IN]);
    const unknown = (await readDrivers()).flatMap((source) =>
      programsOf(source).filter((name) => installed.has(name) && !known.has(name))
        .map((name) => `${source.path}: ${name}`)
    );
    assert.deepEqual(unknown, []);
  },
);

Deno.test("every file of the system that a test reads is in the table", async () => {
  for (const { path, code } of await readDrivers()) {
    for (const [file] of code.matchAll(SYSTEM_FILE)) {
      assert.ok(FILES.has(file) || INSTALLED.test(file), `${path} uses ${file}`);
    }
  }
});

Deno.test(".ci/run installs what the table says, and names no package itself", async () => {
  const script = await readText(".ci/run");
  assert.match(script, /deno@\S+ run .*\\\n +tests\/helpers\/repo\/system_needs\.ts/);
  const code = script.replaceAll(/^#.*$/gm, "");
  for (const [name, need] of Object.entries(SYSTEM_NEEDS)) {
    if (!("essential" in need)) assert.doesNotMatch(code, new RegExp(`[ (]${name}[ )]`), name);
  }
  const runs = ["run", "--quiet", "--no-config", "--no-lock", "--allow-read", "--allow-env=PATH"];
  const printed = await outputOf(Deno.execPath(), ...runs, "tests/helpers/repo/system_needs.ts");
  assert.equal(printed, `${missingPackages().join(" ")}\n`);
});

Deno.test("what is missing is named, be it a program or a file", () => {
  const path = Deno.env.get("PATH") ?? "";
  assert.equal(whyMissing("sh", "/bin/sh"), undefined);
  try {
    Deno.env.set("PATH", "/nonexistent");
    assert.equal(whyMissing("openssl", "tmux"), "openssl is not installed");
    assert.ok(missingPackages().includes("tmux"));
  } finally {
    Deno.env.set("PATH", path);
  }
});
