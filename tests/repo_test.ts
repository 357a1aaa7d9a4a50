// Holds the repository to its own rules (docs/ARCHITECTURE.md): who imports whom, where the outside
// world is touched, names, sizes, what the documents claim, and format, lint and types.

import assert from "node:assert/strict";
import { V8_ARGUMENT } from "../scripts/build/v8_flags.ts";
import { sideOf } from "./helpers/repo/room_rules.ts";
import { skipUnless } from "./helpers/repo/skip.ts";
import {
  outputOf,
  readSources,
  readText,
  ROOT,
  SEAM,
  type SourceFile,
} from "./helpers/repo/sources.ts";

const CODE_FOLDERS = ["shared", "server", "client"];
const MAX_LINES = 400;

const product = await readSources(...CODE_FOLDERS);
const everything = [...product, ...await readSources("scripts", "tests", "examples")];
const tracked = (await outputOf("git", "ls-files"))?.split("\n").filter(Boolean);
const testTracked = skipUnless(tracked !== undefined, "this is not a git work tree");

/** Files of the product in which the pattern occurs in code, other than those that may. */
function offenders(pattern: RegExp, allowed: (path: string) => boolean): string[] {
  return product.filter(({ path, code }) => !allowed(path) && pattern.test(code)).map(({ path }) =>
    path
  );
}

function ownImports(source: SourceFile): string[] {
  return source.imports.filter((specifier) => specifier.endsWith(".ts"));
}

Deno.test("the product imports no tests and no scripts", () => {
  const wrong = product.flatMap((source) =>
    ownImports(source).filter((target) => !CODE_FOLDERS.includes(sideOf(target)))
      .map((target) => `${source.path} imports ${target}`)
  );
  assert.deepEqual(wrong, []);
});

Deno.test("every import of ours names a file that is there", () => {
  const paths = new Set(everything.map(({ path }) => path));
  const wrong = everything.flatMap((source) =>
    ownImports(source).filter((target) => !paths.has(target)).map((target) =>
      `${source.path}: ${target}`
    )
  );
  assert.deepEqual(wrong, []);
});

Deno.test("the tasks that run a program manage memory as its executable does, and fit into one row", async () => {
  const { tasks } = JSON.parse(await readText("deno.json")) as {
    tasks: Record<string, { command: string }>;
  };
  for (const task of ["server", "host", "client", "chat"]) {
    const { command = "" } = tasks[task] ?? {};
    // The runtime prints this line before anything else.
    assert.ok(`Task ${task} ${command}`.length < 80, command);
    const [, file = ""] = /^deno run \$\(cat (\S+)\) \S+\.ts\b/.exec(command) ?? [];
    const words = (await readText(file)).split(/\s+/);
    assert.deepEqual(words.filter((word) => word.startsWith("--v8-flags")), [V8_ARGUMENT], task);
  }
});

Deno.test("every package is pinned in deno.json, is used, and stands in an ADR", async () => {
  const { imports } = JSON.parse(await readText("deno.json")) as {
    imports: Record<string, string>;
  };
  const adrs = await readAll("docs/adr");
  const wrong: string[] = [];
  for (const [name, target] of Object.entries(imports)) {
    if (name === SEAM) continue;
    if (!new RegExp(`^npm:${name}@\\d+\\.\\d+\\.\\d+$`).test(target)) {
      wrong.push(`${name} is not pinned`);
    }
    const used = everything.some(({ imports }) =>
      imports.some((specifier) => specifier === name || specifier.startsWith(`${name}/`))
    );
    if (!used) wrong.push(`${name} is not used`);
    if (!adrs.includes(`\`${name}\``)) wrong.push(`${name} stands in no ADR`);
  }
  for (const { path, imports: specifiers } of everything) {
    for (const specifier of specifiers) {
      const known = /^node:|\.(?:ts|json)$/.test(specifier) ||
        Object.keys(imports).some((name) => specifier === name || specifier.startsWith(`${name}/`));
      if (!known) wrong.push(`${path} imports ${specifier}, which deno.json does not pin`);
    }
  }
  assert.deepEqual(wrong, []);
});

/** The group library (ADR 13), and what drives browsers in tests (ADR 30). */
const KNOWN_PEERS = /^(?:ts-mls@1\.6\.4|chromium-bidi@157\.0\.8090-0)_/;

Deno.test("no package has peers: Deno would ask the registry about them at every start (ADR 4)", async () => {
  const { npm } = JSON.parse(await readText("deno.lock")) as { npm: Record<string, unknown> };
  const withPeers = Object.keys(npm).filter((name) => /@[\d.]+_/.test(name));
  assert.deepEqual(withPeers.filter((name) => !KNOWN_PEERS.test(name)), []);
});

/** What the group library's structures say is read strictly in a file beside the one that works with it. */
const NATS_FILES = /^server\/nats\//;
const GROUP_READER = "client/mls/strict_reader.ts";

Deno.test("only server/nats imports the network bus", () => {
  const users = product.filter(({ imports }) => imports.some((name) => /^@nats-io\//.test(name)));
  assert.deepEqual(users.filter(({ path }) => !path.startsWith("server/nats/")), []);
});

Deno.test("one file each imports the group library and the WASM library", () => {
  for (const library of [/^ts-mls/, /^hash-wasm/]) {
    const users = product.filter(({ imports }) =>
      imports.some((specifier) => library.test(specifier))
    );
    const others = users.filter(({ path }) => path !== GROUP_READER && !NATS_FILES.test(path));
    assert.ok(others.length <= 1, `${library}: ${users.map(({ path }) => path).join(", ")}`);
  }
});

/** Rooms and single files that may open sockets: clients' connections, the admin server and its client, systemd. */
const SOCKETS = [
  "server/net/",
  "client/net/",
  "server/admin/http_server.ts",
  "server/commands/admin_request.ts",
  "server/telemetry/systemd_notify.ts",
];

Deno.test("sockets are opened only in the two net rooms, for admins, and for systemd", () => {
  const sockets =
    /\bDeno\s*\.\s*(?:listen|listenDatagram|listenTls|connect|connectTls|startTls|serve)\b|\bfetch\(|"node:(?:tls|http|https|dgram)"|\b(?:createServer|createConnection|new (?:Socket|Server))\b/;
  assert.deepEqual(offenders(sockets, isIn(SOCKETS)), []);
});

/** Rooms that may touch the disk, and single files that read or write what the user named. */
const DISK = [
  "client/files/",
  "client/history/",
  "client/uploads/",
  "client/config/",
  "client/net/",
  "client/people/",
  "client/console/external_editor.ts",
  "client/doctor/local_checks.ts",
  "client/headless/print_history.ts",
  "client/output/appearance.ts",
  "server/",
];

Deno.test("files are opened only in the rooms of the disk", () => {
  const files =
    /\bDeno\s*\.\s*(?:open|readFile|readTextFile|writeFile|writeTextFile|mkdir|rename|remove|create|makeTemp\w*|copyFile|truncate|stat|lstat|readDir|chmod|link|symlink)(?:Sync)?\(/;
  assert.deepEqual(offenders(files, isIn(DISK)), []);
});

/** Whether a file is one of `places`, or in a folder that is. */
function isIn(places: readonly string[]): (path: string) => boolean {
  return (path) => places.some((place) => path === place || path.startsWith(place));
}

Deno.test("the terminal is touched only in client/terminal/; the server measures and watches its own", () => {
  const terminal = /\bDeno\s*\.\s*(?:stdin|consoleSize)\b|\.setRaw\(|"node:(?:readline|tty)"/;
  const places = ["client/terminal/", "server/host/run_host.ts", "server/commands/command_io.ts"];
  assert.deepEqual(offenders(terminal, isIn(places)), []);
});

/** The one place that reads the environment, for both programs. */
const ENVIRONMENT = "shared/cli/environment.ts";
/** How both programs write to standard streams. */
const STREAMS = "shared/cli/write_all.ts";

Deno.test("the environment is read in one place, which knows what is no text", () => {
  const environment = /\bDeno\s*\.\s*env\b|\bprocess\s*\.\s*env\b/;
  assert.deepEqual(offenders(environment, (path) => path === ENVIRONMENT), []);
});

Deno.test("shared/ touches no Deno.*, no clock and no timer of its own", () => {
  const outside =
    /\bDeno\s*\.|\bDate\.now\b|\bnew Date\(\)|\bperformance\.now\b|\bset(?:Timeout|Interval)\(|\bfetch\(|\bprocess\.|"node:(?:fs|os|process|child_process|timers)/;
  const allowed = (path: string) =>
    [ENVIRONMENT, STREAMS].includes(path) || !path.startsWith("shared/");
  assert.deepEqual(offenders(outside, allowed), []);
});

Deno.test("a standard stream is written where it is known that streams fill up, close and fail", () => {
  const raw = /\bDeno\.std(?:out|err)\.write|[(:=]\s*Deno\.stdout\b(?!\.isTerminal)/;
  // The log has a queue of its own.
  const allowed = [STREAMS, "server/telemetry/log.ts"];
  assert.deepEqual(offenders(raw, (path) => allowed.includes(path)), []);
});

Deno.test("nothing starts another program but the task for newcomers, and the user's editor", () => {
  const start = /\bDeno\s*\.\s*Command\b|"node:child_process"/;
  const allowed = ["scripts/chat_task.ts", "client/console/external_editor.ts"];
  assert.deepEqual(offenders(start, (path) => allowed.includes(path)), []);
});

Deno.test("the server has no code that writes a file", () => {
  const write =
    /\bDeno\s*\.\s*(?:write\w*|mkdir\w*|rename\w*|remove(?:Sync)?\b|create(?:Sync)?|makeTemp\w*|copyFile\w*|truncate\w*|symlink\w*|link(?:Sync)?)\b|\bopen(?:Sync)?\([^)]*\b(?:write|append|create)|"node:fs/;
  assert.deepEqual(offenders(write, (path) => !path.startsWith("server/")), []);
});

Deno.test("nothing says `any` without a reason, and no secret comes from Math.random()", () => {
  const wrong = product.filter(({ code }) =>
    /:\s*any\b|\bas any\b|<any>|\bMath\.random\b/.test(code)
  );
  assert.deepEqual(
    wrong.filter(({ text }) => !text.includes("deno-lint-ignore no-explicit-any --")).map((
      { path },
    ) => path),
    [],
  );
});

Deno.test("files have snake_case names, one idea and fewer than 400 lines", () => {
  const wrong = everything.flatMap(({ path, text }) => {
    const name = path.slice(path.lastIndexOf("/") + 1);
    const faults: string[] = [];
    if (!/^[a-z0-9]+(?:_[a-z0-9]+)*\.ts$/.test(name)) faults.push("is not snake_case");
    if (["utils.ts", "helpers.ts", "common.ts", "misc.ts", "index.ts"].includes(name)) {
      faults.push("says nothing");
    }
    const lines = text.split("\n").length - 1;
    if (lines > MAX_LINES && CODE_FOLDERS.includes(sideOf(path))) {
      faults.push(`has ${lines} lines`);
    }
    return faults.map((fault) => `${path} ${fault}`);
  });
  assert.deepEqual(wrong, []);
});

Deno.test("every export has a line that says what it is", () => {
  const bare = product.flatMap(({ path, text }) =>
    [...text.matchAll(
      /^(.*)\n(?:\/\/ deno-lint-ignore.*\n)?export (?:async )?(?:function\*?|class|const|interface|type) (\w+)/gm,
    )]
      .filter(([, before]) => !/(?:^\/\*\*|\*\/$|deno-lint-ignore)/.test((before ?? "").trim()))
      .map(([, , name]) => `${path}: ${name}`)
  );
  assert.deepEqual(bare, []);
});

Deno.test("every source file is reached by a test of its own folder", () => {
  const imports = new Map(everything.map((source) => [source.path, ownImports(source)]));
  const reached = (folder: string): Set<string> => {
    const found = new Set<string>();
    const visit = (path: string): void => {
      if (found.has(path)) return;
      found.add(path);
      for (const target of imports.get(path) ?? []) visit(target);
    };
    for (const path of imports.keys()) {
      if (path.startsWith(`tests/${folder}/`) && path.endsWith("_test.ts")) visit(path);
    }
    return found;
  };
  const byFolder = new Map(CODE_FOLDERS.map((folder) => [folder, reached(folder)]));
  const missing = product.map(({ path }) => path)
    .filter((path) => !(path in STARTED_AS_PROGRAMS) && !byFolder.get(sideOf(path))?.has(path));
  assert.deepEqual(missing, []);
});

/** What no unit test imports, since it is a program or a worker: another file starts it. */
const STARTED_AS_PROGRAMS: Readonly<Record<string, true>> = {
  "server/main.ts": true,
  "server/commands/admin_client.ts": true,
  "server/commands/health_and_top.ts": true,
  "server/commands/serve.ts": true,
  "server/commands/serve_admin.ts": true,
  "server/admin/http_server.ts": true,
  "server/telemetry/systemd_notify.ts": true,
  "server/host/run_host.ts": true,
  "client/main.ts": true,
  "client/page/entry.ts": true,
  "scripts/chat_task.ts": true,
  "client/headless/print_history.ts": true,
  "client/sealed_engine/worker.ts": true,
  "server/relay/handshake_worker.ts": true,
};

testTracked("no file names a package registry's host or a path of somebody's machine", async () => {
  const host =
    /\b(?:registry|deb|security)\.(?:npmjs|yarnpkg|debian)\.org|\bjsr\.io\b|\/\/dl\.deno/;
  const machine = /(?:^|[\s"'`=(:])\/(?:work|root|Users)\/\w/m;
  const wrong: string[] = [];
  for (const path of tracked ?? []) {
    const text = await readText(path).catch(() => "");
    for (const pattern of [host, machine]) {
      const found = pattern.exec(text);
      if (found) wrong.push(`${path}: ${found[0].trim()}`);
    }
  }
  assert.deepEqual(wrong, []);
});

testTracked("the top level holds what STYLE names and nothing else", () => {
  const top = [...new Set((tracked ?? []).map((path) => path.split("/")[0]))].sort();
  assert.deepEqual(top.filter((name) => !TOP_LEVEL.includes(name ?? "")), []);
});

const TOP_LEVEL = [
  ".ci",
  ".dockerignore",
  ".env.example",
  ".gitattributes",
  ".github",
  ".gitignore",
  "CHANGELOG.md",
  "CONTRIBUTING.md",
  "Dockerfile",
  "LICENSE",
  "README.md",
  "SECURITY.md",
  "client",
  "cmdchat-keeper.service",
  "cmdchat-server.service",
  "deno.json",
  "deno.lock",
  "docker-compose.yml",
  "docs",
  "examples",
  "scripts",
  "server",
  "shared",
  "tests",
];

testTracked("documents name only tasks, files and variables that exist", async () => {
  const { tasks } = JSON.parse(await readText("deno.json")) as { tasks: Record<string, unknown> };
  const code = product.map(({ text }) => text).join("\n");
  const packaging = await Promise.all(["docker-compose.yml", "Dockerfile"].map(readText));
  const variables = new Set((code + packaging.join("\n")).match(/CMDCHAT_[A-Z_]+/g) ?? []);
  const documents = (tracked ?? []).filter((path) =>
    /\.md$|\.service$|^\.env\.example$/.test(path)
  );
  const wrong: string[] = [];
  for (const path of documents) {
    const text = await readText(path);
    for (const [, task] of text.matchAll(/deno(?:@[\d.]+)? task ([a-z][a-z:]*)/g)) {
      if (!Object.hasOwn(tasks, task ?? "")) {
        wrong.push(`${path}: task ${task}`);
      }
    }
    for (const variable of text.match(/CMDCHAT_[A-Z_]*[A-Z]/g) ?? []) {
      if (!variables.has(variable)) wrong.push(`${path}: ${variable}`);
    }
    for (const [, target] of text.matchAll(/\]\(([^)#:]+)(?:#[^)]*)?\)/g)) {
      const url = new URL(target ?? "", new URL(path, ROOT));
      if (!await Deno.stat(url).then(() => true, () => false)) {
        wrong.push(`${path}: link ${target}`);
      }
    }
    for (
      const [, file] of text.matchAll(
        /`((?:client|server|shared|tests|docs|scripts)\/[\w./-]+\.\w+)`/g,
      )
    ) {
      if (!await Deno.stat(new URL(file ?? "", ROOT)).then(() => true, () => false)) {
        wrong.push(`${path}: ${file}`);
      }
    }
  }
  assert.deepEqual(wrong, []);
});

async function readAll(folder: string): Promise<string> {
  let text = "";
  for await (const entry of Deno.readDir(new URL(`${folder}/`, ROOT))) {
    text += await readText(`${folder}/${entry.name}`);
  }
  return text;
}

async function denoPasses(...args: string[]): Promise<void> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args,
    cwd: ROOT,
    env: { NO_COLOR: "1" },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).output();
  const decoder = new TextDecoder();
  assert.ok(success, `deno ${args.join(" ")}\n${decoder.decode(stdout)}${decoder.decode(stderr)}`);
}

Deno.test("deno fmt has nothing to change", () => denoPasses("fmt", "--check"));
Deno.test("deno lint has nothing to say", () => denoPasses("lint"));
Deno.test("deno check finds no type error", () =>
  denoPasses("check", "server", "client", "shared", "scripts", "tests", "examples"));
