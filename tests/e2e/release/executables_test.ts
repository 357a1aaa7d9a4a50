// deno-lint-ignore-file no-console
// The two executables as files of their own: a whole conversation, and what the server's cannot do.

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createHash, randomBytes } from "node:crypto";
import { buildPage } from "../../../scripts/build/page.ts";
import { builtFrom, CLIENT, describe, SERVER } from "../../../scripts/build/compile.ts";
import { MANAGER_SOCKET, OWN_SOCKETS } from "../../../server/telemetry/systemd_notify.ts";
import { versionText } from "../../../shared/base/version.ts";
import { makeCertificate } from "../../helpers/system/certificates.ts";
import {
  buildExecutables,
  type Built,
  findCompileBase,
} from "../../helpers/programs/executables.ts";
import { temporaryHistory, writeHistory } from "../../helpers/fakes/history.ts";
import { Program, runProgram } from "../../helpers/programs/programs.ts";
import { startServer } from "../../helpers/programs/server_process.ts";
import { skipIf, skipUnless } from "../../helpers/repo/skip.ts";
import { whyMissing } from "../../helpers/repo/system_needs.ts";
import { stopAndGoOn } from "../../helpers/system/job_control.ts";
import { startTmux } from "../../helpers/system/tmux.ts";
import { outputOf } from "../../helpers/repo/sources.ts";

const base = await findCompileBase();
const canBuild = !("missing" in base);
const why = canBuild ? "" : base.missing;
const test = skipUnless(canBuild, why);
const tlsTest = skipIf(canBuild ? whyMissing("openssl") : why);

let built: Built | undefined;

Deno.test.afterAll(async () => {
  await built?.[Symbol.asyncDispose]();
});

/** Paths of both executables, built at the first call. */
async function executables(): Promise<{ server: string; client: string }> {
  built ??= await buildExecutables(base, SERVER, CLIENT);
  const [server = "", client = ""] = built.paths;
  return { server, client };
}

interface Folder extends AsyncDisposable {
  readonly path: string;
}

async function emptyFolder(): Promise<Folder> {
  const path = await Deno.makeTempDir({ prefix: "cmdchat-e2e-" });
  return { path, [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }) };
}

/** All that a program may think of writing to, in one folder. */
function homeIn(folder: Folder): Record<string, string> {
  const { path } = folder;
  return { HOME: path, TMPDIR: path, XDG_CACHE_HOME: path, DENO_DIR: `${path}/deno` };
}

function jsonLines(text: string): Record<string, unknown>[] {
  return text.split("\n").filter(Boolean).map((line) => JSON.parse(line));
}

test("both executables are built; their size and start-up are printed", async () => {
  const { server, client } = await executables();
  console.log(`on ${"name" in base ? base.name : ""}:`);
  for (const path of [server, client]) {
    console.log((await describe(path, true)).replace(/^.*\//, ""));
  }
});

test("both executables print version, commit and date, and their options", async () => {
  const { server, client } = await executables();
  for (
    const [path, name, option] of [
      [server, SERVER.name, "--max-per-address"],
      [client, CLIENT.name, "--download-dir"],
    ] as const
  ) {
    const version = await runProgram(path, { args: ["--version"] });
    const build = await builtFrom();
    const stdout = `${versionText(name, build)}\n`;
    assert.deepEqual(version, { code: 0, stdout, stderr: "" });
    const help = await runProgram(path, { args: ["--help"] });
    assert.equal(help.code, 0, help.stderr);
    assert.ok(help.stdout.includes(option), help.stdout);
  }
});

test("the server's executable holds the page that the build makes, and prints its hash", async () => {
  const { server } = await executables();
  const sha256 = createHash("sha256").update(await buildPage()).digest("hex");
  const hash = await runProgram(server, { args: ["page", "--hash"] });
  assert.deepEqual(hash, { code: 0, stdout: `${sha256}\n`, stderr: "" });
  const { code, stdout } = await runProgram(server, { args: ["page"] });
  assert.equal(code, 0);
  assert.equal(createHash("sha256").update(stdout).digest("hex"), sha256);
  const { stderr, ...wrong } = await runProgram(server, { args: ["page", "page.html"] });
  assert.deepEqual(wrong, { code: 2, stdout: "" });
  assert.match(
    stderr,
    /^error: .*page takes no arguments\nhint: cmdchat-server page > page\.html\n$/,
  );
});

Deno.test("builtFrom() is the commit with its day, or what CMDCHAT_BUILT_FROM says", async () => {
  const commit = await outputOf("git", "log", "-1", "--abbrev=12", "--format=%h %cs");
  const build = await builtFrom();
  assert.equal(build?.replace("+changes", ""), commit?.trim());
  Deno.env.set("CMDCHAT_BUILT_FROM", "1a2b3c 2026-01-31");
  try {
    assert.equal(await builtFrom(), "1a2b3c 2026-01-31");
  } finally {
    Deno.env.delete("CMDCHAT_BUILT_FROM");
  }
});

test("two clients talk, rename, hand over a file and leave; the server's home stays empty", async () => {
  const paths = await executables();
  await using home = await emptyFolder();
  await using server = await startServer({
    command: { path: paths.server, args: [] },
    env: homeIn(home),
    cwd: home.path,
  });
  const at = ["--port", String(server.port)];
  await using mine = await emptyFolder();
  const downloads = `${mine.path}/downloads`;

  await using alice = new Program(paths.client, {
    args: [
      ...at,
      "--name",
      "alice",
      "--renderer",
      "json",
      "--accept-files",
      "--download-dir",
      downloads,
    ],
    env: homeIn(mine),
  });
  await alice.prints(/"state":"connected"/);
  await using bob = new Program(paths.client, {
    args: [...at, "--name", "bob", "--renderer", "minimal"],
    env: homeIn(mine),
  });
  await alice.prints(/"event":"joined"[^\n]*"name":"bob"|"name":"bob"[^\n]*"event":"joined"/);

  await bob.type("hello from bob");
  await alice.prints(/"sender":"bob","text":"hello from bob"/);
  await alice.type("and hello back");
  await bob.prints(/^<alice> and hello back$/m);

  await bob.type("/nick robert");
  await alice.prints(/"event":"renamed"/);

  const bytes = randomBytes(200_000);
  const sum = createHash("sha256").update(bytes).digest("hex");
  const path = `${mine.path}/a log.bin`;
  await Deno.writeFile(path, bytes);
  await bob.type(`/send ${path}`);
  await alice.prints(new RegExp(`"event":"saved"[^\n]*"sha256":"${sum}"`));
  const received = await Deno.readFile(`${downloads}/a log.bin`);
  assert.equal(createHash("sha256").update(received).digest("hex"), sum);

  await bob.type("/quit");
  assert.equal(await bob.end(), 0, bob.stderr);
  await alice.prints(/"event":"left"/);
  await alice.endInput();
  assert.equal(await alice.end(), 0, alice.stderr);
  const { code, stderr } = await server.stop();
  assert.equal(code, 0, stderr);

  const chats = jsonLines(alice.stdout).filter(({ kind }) => kind === "chat");
  assert.deepEqual(
    chats.map(({ v, sender, text, own, sequence }) => [v, sender, text, own, sequence]),
    [
      [1, "bob", "hello from bob", false, 1],
      [1, "alice", "and hello back", true, 2],
    ],
  );
  assert.ok(!stderr.includes("hello"), "content in the log");
  assert.deepEqual(await Array.fromAsync(Deno.readDir(home.path)), []);
});

skipIf(canBuild ? whyMissing("tmux", "bash") : why)(
  "Ctrl-Z stops the client's executable, and fg brings it back",
  async () => {
    const { client } = await executables();
    await using server = await startServer();
    await using tmux = await startTmux();
    const command = [client, "--port", String(server.port), "--name", "anonymous"];
    await stopAndGoOn(tmux, { command });
  },
);

test("a line from a pipe is delivered before the client leaves", async () => {
  const paths = await executables();
  await using home = await emptyFolder();
  await using server = await startServer({ command: { path: paths.server, args: [] } });
  await using client = new Program(paths.client, {
    args: ["--port", String(server.port), "--name", "cron", "--renderer", "json"],
    env: homeIn(home),
  });
  await client.type("backup done");
  await client.endInput();
  assert.equal(await client.end(), 0, client.stderr);
  assert.match(client.stdout, /"text":"backup done","sequence":1,"own":true/);
});

tlsTest(
  "TLS and a token: the right ones get in, a wrong one ends with its own exit code",
  async () => {
    const paths = await executables();
    await using home = await emptyFolder();
    await using certificate = await makeCertificate();
    await using other = await makeCertificate();
    await using server = await startServer({
      command: { path: paths.server, args: [] },
      args: ["--certfile", certificate.certFile, "--keyfile", certificate.keyFile],
      env: { CMDCHAT_TOKENS: "first-token,second-token" },
    });
    const enter = async (caFile: string, token: string) => {
      const client = new Program(paths.client, {
        args: ["--port", String(server.port), "--tls", "--ca-file", caFile],
        env: { ...homeIn(home), CMDCHAT_TOKEN: token },
      });
      await client.endInput();
      const code = await client.end();
      await client[Symbol.asyncDispose]();
      return { code, stderr: client.stderr };
    };
    assert.equal((await enter(certificate.certFile, "second-token")).code, 0);
    const token = await enter(certificate.certFile, "third-token");
    assert.equal(token.code, 7, token.stderr);
    assert.match(token.stderr, /^error: .*token/m);
    const wrong = await enter(other.certFile, "second-token");
    assert.equal(wrong.code, 4, wrong.stderr);
    assert.match(wrong.stderr, /^error: .*certificate/m);
    const { code, stderr } = await server.stop();
    assert.equal(code, 0, stderr);
    assert.ok(!/first-token|second-token|third-token/.test(stderr), "a token in the log");
  },
);

test("history FILE shows what was kept, and refuses a wrong passphrase with its own exit code", async () => {
  const { client } = await executables();
  await using place = await temporaryHistory();
  await writeHistory(place.path, ["the first", "the second"]);
  const show = (passphrase: string, ...options: string[]) =>
    runProgram(client, {
      args: ["history", place.path, ...options],
      env: { CMDCHAT_HISTORY_PASSPHRASE: passphrase },
    });
  const all = await show("open sesame");
  assert.equal(all.code, 0, all.stderr);
  assert.match(all.stdout, /the first\n.*the second\n$/);
  const found = await show("open sesame", "--search", "SECOND", "--json");
  assert.deepEqual(jsonLines(found.stdout).map(({ text }) => text), ["the second"]);
  const wrong = await show("open barley");
  assert.deepEqual([wrong.code, wrong.stdout], [7, ""], wrong.stderr);
});

test("the client's executable reads settings, exports a history, completes, and looks at a server", async () => {
  const paths = await executables();
  await using home = await emptyFolder();
  await using server = await startServer({ command: { path: paths.server, args: [] } });
  await Deno.mkdir(`${home.path}/.config/cmdchat`, { recursive: true });
  await Deno.writeTextFile(
    `${home.path}/.config/cmdchat/config.toml`,
    `[server.here]\nport = ${server.port}\nname = "robot"\n`,
  );
  const env = { ...homeIn(home), CMDCHAT_HISTORY_PASSPHRASE: "open sesame" };
  const run = (...args: string[]) => runProgram(paths.client, { args, env, cwd: home.path });
  const doctor = await run("@here", "doctor", "--json");
  assert.equal(doctor.code, 0, doctor.stderr + doctor.stdout);
  const states = jsonLines(doctor.stdout).map(({ check, state }) => `${check} ${state}`);
  assert.ok(states.includes("protocol ok") && states.includes("downloads ok"), doctor.stdout);
  const sent = await run("@here", "send", "--json", "hello");
  assert.equal(sent.code, 0, sent.stderr);
  assert.deepEqual(jsonLines(sent.stdout).map(({ ok }) => ok), [true]);
  for (const path of [paths.client, paths.server]) {
    const completions = await runProgram(path, { args: ["completions", "zsh"], env });
    assert.match(completions.stdout, /^#compdef cmdchat-/);
  }
  await using place = await temporaryHistory();
  await writeHistory(place.path, ["the first"]);
  const exported = await run("history", "export", place.path, "--json", "--output", "new.jsonl");
  assert.equal(exported.code, 0, exported.stderr);
  assert.match(await Deno.readTextFile(`${home.path}/new.jsonl`), /"text":"the first"/);
  assert.equal((await Deno.stat(`${home.path}/new.jsonl`)).mode! & 0o777, 0o600);
  const again = await run("history", "export", place.path, "--output", "new.jsonl");
  assert.deepEqual([again.code, again.stdout], [3, ""], again.stderr);
});

interface Embedded {
  readonly code_cache_key: string | null;
  readonly permissions: Readonly<Record<string, unknown>>;
}

/** What `deno compile` wrote into an executable about the way it runs. */
async function embeddedSettings(path: string): Promise<Embedded> {
  const bytes = Buffer.from(await Deno.readFile(path));
  const at = bytes.lastIndexOf('{"argv":');
  assert.ok(at > 0, "the executable carries no settings");
  const text = bytes.subarray(at, at + 16_384).toString("latin1");
  // The first place where the text up to a bracket is one whole JSON object.
  for (let end = text.indexOf("}"); end >= 0; end = text.indexOf("}", end + 1)) {
    try {
      return JSON.parse(text.slice(0, end + 1));
    } catch {
      continue;
    }
  }
  throw new Error("the settings in the executable do not end");
}

test("the server's executable holds network, reading, its own variables, its user's number, this machine's addresses and the service manager's sockets, no permission else", async () => {
  const { server } = await executables();
  const { permissions, code_cache_key } = await embeddedSettings(server);
  const held = Object.entries(permissions)
    .filter(([name, value]) => name.startsWith("allow_") && value !== null && value !== false)
    .filter(([name]) => name !== "allow_import")
    .map(([name, value]) => [name, name === "allow_sys" ? [...value as string[]].sort() : value]);
  // An empty list stands for everything of its kind.
  assert.deepEqual(Object.fromEntries(held), {
    allow_env: [
      "CMDCHAT_*",
      "NO_COLOR",
      "NOTIFY_SOCKET",
      "RUNTIME_DIRECTORY",
      "WATCHDOG_PID",
      "WATCHDOG_USEC",
    ],
    allow_net: [],
    allow_read: [],
    allow_sys: ["networkInterfaces", "uid"],
    allow_write: [MANAGER_SOCKET, ...OWN_SOCKETS],
  });
  assert.deepEqual(permissions["deny_import"], [], "code from other hosts");
  assert.equal(permissions["prompt"], false);
  assert.equal(code_cache_key, null, "a code cache would be written to the temporary folder");
});

test("the server's executable hosts with what it holds, and the client's follows its link", async () => {
  const paths = await executables();
  await using home = await emptyFolder();
  const env = homeIn(home);
  await using hosting = new Program(paths.server, { args: ["host", "--port", "0"], env });
  await hosting.prints(/You join[^\n]*\n\ncmdchat-client 'cmdchat:\/\/127/);
  const link = /cmdchat:\/\/127[^']+/.exec(hosting.stdout)?.[0] ?? "";
  await using alice = new Program(paths.client, {
    args: ["--name", "alice"],
    env: { ...env, CMDCHAT_LINK: link },
  });
  await alice.prints(/In "lobby": alice/);
  hosting.signal("SIGINT");
  assert.equal(await hosting.end(), 0, hosting.stderr);
  assert.equal(hosting.stderr, "");
});

test("the client's executable reads its own variables, those of the terminal and the home, and those that name a proxy", async () => {
  const { client } = await executables();
  const { permissions } = await embeddedSettings(client);
  assert.deepEqual([...permissions["allow_env"] as string[]].sort(), [
    "ALL_PROXY",
    "CMDCHAT_*",
    "COLORFGBG",
    "COLORTERM",
    "FORCE_COLOR",
    "HOME",
    "HTTPS_PROXY",
    "NO_COLOR",
    "NO_PROXY",
    "STY",
    "TERM",
    "TERM_PROGRAM",
    "TMUX",
    "USERPROFILE",
    "XDG_CONFIG_HOME",
    "XTERM_VERSION",
    "all_proxy",
    "https_proxy",
    "no_proxy",
  ]);
  await using home = await emptyFolder();
  for (const name of ["ALL_PROXY", "all_proxy"]) {
    const { code, stderr } = await runProgram(client, {
      args: ["send", "--host", "chat.example.org", "hello"],
      env: { ...homeIn(home), [name]: "http://127.0.0.1:1" },
    });
    assert.equal(code, 4, stderr);
    assert.match(stderr, /Cannot connect to the proxy "http:\/\/127\.0\.0\.1:1"/);
  }
});

test("what has the server's permissions cannot write, run, load a library or read other variables", async () => {
  await using probe = await buildExecutables(base, {
    ...SERVER,
    name: "probe",
    entry: "tests/helpers/programs/permission_probe.ts",
  });
  await using folder = await emptyFolder();
  await Deno.writeTextFile(`${folder.path}/keep.txt`, "keep");
  const { code, stdout, stderr } = await runProgram(probe.paths[0] as string, {
    cwd: folder.path,
    env: homeIn(folder),
  });
  assert.equal(code, 0, stderr);
  assert.deepEqual(JSON.parse(stdout), []);
  assert.equal(await Deno.readTextFile(`${folder.path}/keep.txt`), "keep");
  assert.equal((await Array.fromAsync(Deno.readDir(folder.path))).length, 1);
});

test("two clients talk and hand over a file in a sealed room; the server's log and home know nothing", async () => {
  const paths = await executables();
  await using home = await emptyFolder();
  await using server = await startServer({
    command: { path: paths.server, args: [] },
    env: homeIn(home),
    cwd: home.path,
  });
  await using mine = await emptyFolder();
  const downloads = `${mine.path}/downloads`;
  const secret = randomBytes(32).toString("base64url");
  const env = {
    ...homeIn(mine),
    CMDCHAT_LINK: `cmdchat://127.0.0.1:${server.port}/den#secret=${secret}`,
  };
  const args = ["--renderer", "json", "--accept-files", "--download-dir", downloads];
  await using alice = new Program(paths.client, { args: ["--name", "alice", ...args], env });
  await alice.prints(/"event":"names"/);
  await using bob = new Program(paths.client, { args: ["--name", "bob", ...args], env });
  await bob.prints(/confirms that you are in the room/);
  await bob.type("a word for alice");
  await alice.prints(/"text":"a word for alice"[^\n]*"sealed":true/);

  const bytes = randomBytes(200_000);
  const sum = createHash("sha256").update(bytes).digest("hex");
  await Deno.writeFile(`${mine.path}/plan.bin`, bytes);
  await bob.type(`/send ${mine.path}/plan.bin`);
  await alice.prints(new RegExp(`"event":"saved"[^\n]*"sha256":"${sum}"`));

  for (const client of [bob, alice]) {
    await client.type("/quit");
    assert.equal(await client.end(), 0, client.stderr);
  }
  const { code, stderr } = await server.stop();
  assert.equal(code, 0, stderr);
  assert.ok(!/alice|bob|den|a word|plan/.test(stderr), stderr);
  assert.deepEqual(await Array.fromAsync(Deno.readDir(home.path)), []);
});

test("sealed rooms run in workers inside an executable that has no right at all", async () => {
  await using probe = await buildExecutables(base, {
    name: "sealed-probe",
    entry: "tests/helpers/programs/sealed_probe.ts",
    permissions: [],
    ...(CLIENT.workers === undefined ? {} : { workers: CLIENT.workers }),
  });
  await using folder = await emptyFolder();
  const { code, stdout, stderr } = await runProgram(probe.paths[0] as string, {
    cwd: folder.path,
    env: homeIn(folder),
  });
  assert.equal(code, 0, stderr);
  assert.deepEqual(JSON.parse(stdout), {
    same: true,
    texts: ["alice reads alice: hello", "bob reads alice: hello"],
  });
});
