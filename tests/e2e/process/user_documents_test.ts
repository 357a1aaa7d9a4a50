// What SCRIPTS.md, CLIENT.md, JSON.md, SEALED.md and README show users, typed as it stands there, by a shell and against
// a real server. Only names that are examples are replaced: the host, a fingerprint, a secret, somebody's home.

import assert from "node:assert/strict";
import { DocumentShell, lineOf } from "../../helpers/programs/document_shell.ts";
import { startServer } from "../../helpers/programs/server_process.ts";
import { blocksBelow } from "../../helpers/repo/document_blocks.ts";
import { skipWithout } from "../../helpers/repo/skip.ts";
import { makeCertificate } from "../../helpers/system/certificates.ts";

const CLIENT = "docs/CLIENT.md";
const SCRIPTS = "docs/SCRIPTS.md";
const test = skipWithout("sh", "bash", "jq", "setsid");

const [programs = "", pipes = ""] = await blocksBelow(SCRIPTS, "# In scripts", "sh");
const [ofReadme = ""] = await blocksBelow("README.md", "## In scripts", "sh");

/** How each line that scripts use begins: every one is typed below. */
const LINES = {
  said: "cmdchat-client send --room ops",
  piped: "pg_dump -",
  followed: "tail -F app.log |",
  word: "code=$(cmdchat-client recv",
  objects: "cmdchat-client recv --json |",
  file: "cmdchat-client send-file dump.sql",
  folder: "cmdchat-client send-file --to bob photos/",
  together: "cmdchat-client send-file --as trip",
  taken: "cmdchat-client recv-file",
  dumped: "pg_dump shop |",
  echoed: 'echo "backup done" |',
  asked: "cmdchat-client --renderer json < /dev/null",
  read: "tail -f app.log |",
} as const;

Deno.test("every line of the blocks for scripts is typed by a test here", () => {
  const starts = Object.values(LINES);
  for (const block of [programs, pipes, ofReadme]) {
    for (const line of block.trimEnd().split("\n")) {
      assert.ok(starts.some((start) => line.startsWith(start)), line);
    }
  }
});

test("a script sends, and learns from the exit code whether the server has it", async () => {
  await using server = await startServer();
  using shell = await DocumentShell.open(server);
  for (const block of [programs, ofReadme]) {
    const sent = await shell.run(lineOf(block, LINES.said), "cron");
    assert.deepEqual(sent, { code: 0, stdout: "", stderr: "" });
  }
  const [branches = ""] = await blocksBelow(SCRIPTS, "## Exit codes in a script", "sh");
  const env = { VERSION: "1.2" };
  assert.equal((await shell.run(branches, "cron", { env })).stdout, "everybody knows\n");
  await server.stop();
  const lost = await shell.run(branches.replace("--timeout 10", "--timeout 1"), "cron", { env });
  assert.equal(lost.stdout, "no connection, or perhaps not delivered\n");
});

test("a script sends what another program prints, at once and line by line", async () => {
  await using server = await startServer();
  using shell = await DocumentShell.open(server);
  await shell.program("pg_dump", "echo pg_dump 17");
  await Deno.writeTextFile(`${shell.home}/app.log`, "started\n");
  const listener = shell.start("cmdchat-client recv --names", "listener");
  await server.logged(/client joined/);
  assert.equal((await shell.run(lineOf(programs, LINES.piped), "one")).code, 0);
  for (const name of ["two", "three"]) {
    const block = name === "two" ? programs : ofReadme;
    shell.start(lineOf(block, LINES.followed), name);
    await listener.prints(new RegExp(`<${name}> started`));
  }
  assert.equal(
    (await shell.run(lineOf(pipes, LINES.echoed).replace("--room ops", ""), "x")).code,
    0,
  );
  const reading = shell.start(lineOf(pipes, LINES.read), "four");
  await reading.prints(/^started$/m);
  await listener.prints(/^<one> pg_dump 17\n<two> started\n<three> started\n/);
});

test("a script waits for a word of one member, and reads objects of others", async () => {
  await using server = await startServer();
  using shell = await DocumentShell.open(server);
  const [inRoom = ""] = await blocksBelow("docs/JSON.md", "## Use in scripts", "sh");
  const lines = [programs, ofReadme].map((block) => `${lineOf(block, LINES.word)}\necho "$code"`);
  const listeners = [...lines, lineOf(programs, LINES.objects), inRoom];
  const running = listeners.map((line, index) => shell.start(line, `listener-${index}`));
  await server.logged(/(?:client joined[\s\S]*){4}/);
  assert.equal((await shell.run("cmdchat-client send 4711", "alice")).code, 0);
  const [first, second, ...objects] = running;
  await first?.prints(/^4711$/m);
  await second?.prints(/^4711$/m);
  await shell.endClients();
  for (const printed of objects) await printed.prints(/^alice: 4711$/m);
});

test("a script hands a file to another, from the disk or from a program", async () => {
  await using server = await startServer();
  using shell = await DocumentShell.open(server);
  await shell.program("pg_dump", 'echo "select $1;"');
  await Deno.writeTextFile(`${shell.home}/dump.sql`, "select 1;\n");
  await Deno.mkdir(`${shell.home}/in`);
  const take = `cd in; ${lineOf(programs, LINES.taken)}`;
  for (const line of [lineOf(programs, LINES.file), lineOf(ofReadme, LINES.file)]) {
    await using sender = shell.start(line, "sender");
    await using receiver = shell.start(take, "receiver");
    assert.deepEqual([await receiver.end(), await sender.end()], [0, 0], sender.stderr);
    assert.equal(await Deno.readTextFile(`${shell.home}/in/dump.sql`), "select 1;\n");
    await Deno.remove(`${shell.home}/in/dump.sql`);
  }
  await Deno.mkdir(`${shell.home}/photos`);
  for (const file of ["photos/a.jpg", "notes.txt"]) {
    await Deno.writeTextFile(`${shell.home}/${file}`, file);
  }
  for (const [line, made] of [[LINES.folder, "photos/a.jpg"], [LINES.together, "trip/notes.txt"]]) {
    await using sender = shell.start(lineOf(programs, line as string), "sender");
    await using bob = shell.start(take, "bob");
    assert.deepEqual([await bob.end(), await sender.end()], [0, 0], sender.stderr);
    const text = await Deno.readTextFile(`${shell.home}/in/${made}`);
    assert.ok(made?.endsWith(text), text);
  }
  await using sender = shell.start(lineOf(programs, LINES.dumped), "sender");
  const taken = await shell.run(take, "receiver");
  assert.deepEqual([taken.code, await sender.end()], [0, 0], taken.stderr);
  assert.equal(await Deno.readTextFile(`${shell.home}/in/shop.sql`), "select shop;\n");
});

test("a script asks whether the server is there, and a robot talks in JSON", async () => {
  await using server = await startServer();
  using shell = await DocumentShell.open(server);
  const asked = await shell.run(lineOf(pipes, LINES.asked), "asker");
  assert.equal(asked.code, 0, asked.stderr);
  assert.match(asked.stdout, /^\{/);
  const [robot = ""] = await blocksBelow("docs/JSON.md", "## Requests: JSON in", "sh");
  const hearing = shell.start("cmdchat-client recv --count 1", "hearing");
  await server.logged(/hearing|client joined[\s\S]*client joined/);
  const talking = shell.start(robot, "unused", { shell: "bash" });
  await hearing.prints(/^hello$/m);
  assert.equal((await shell.run("cmdchat-client send 'robot: wake up'", "alice")).code, 0);
  await shell.endClients();
  await talking.prints(/^robot: wake up$/m);
});

test("the client goes where a link, options or a section of the settings file lead", async () => {
  await using certificate = await makeCertificate();
  const { certFile, keyFile } = certificate;
  await using server = await startServer({
    args: ["--certfile", certFile, "--keyfile", keyFile],
    env: { CMDCHAT_TOKENS: "a-token" },
  });
  const [fingerprint = ""] = /SHA256:\S+/.exec((await server.printed(/SHA256:\S+/))[0]) ?? [];
  using shell = await DocumentShell.open(server);
  const [block = ""] = await blocksBelow(CLIENT, "# The client", "sh");
  const [byLink = "", byOptions = "", bySection = ""] = block.trimEnd().split("\n");
  const env = { CMDCHAT_CA_FILE: certFile, CMDCHAT_TOKEN: "a-token" };
  const atHome = (line: string) => line.replaceAll("chat.example.org", "localhost");
  const link = atHome(byLink).replace("localhost", `localhost:${server.port}`)
    .replace("fp=…", `fp=${fingerprint.replace("SHA256:", "")}`);
  assert.equal((await shell.run(`echo hi | ${link}`, "ada", { env })).code, 0);
  const options = atHome(byOptions).replace("=…", "=a-token");
  const joined = await shell.run(
    `echo hi | ${options.replace("CMDCHAT_TOKEN", "env CMDCHAT_TOKEN")}`,
    "x",
    { env },
  );
  assert.equal(joined.code, 0, joined.stderr);
  assert.match(joined.stderr, /Connected as "alice" in "den"/);

  const [settings = ""] = await blocksBelow(CLIENT, "## Settings", "toml");
  await Deno.mkdir(`${shell.home}/.config/cmdchat`, { recursive: true });
  const homely = atHome(settings).replaceAll("/home/alice", shell.home);
  await Deno.writeTextFile(`${shell.home}/.config/cmdchat/config.toml`, homely);
  await Deno.copyFile(certFile, `${shell.home}/work.pem`);
  await Deno.writeTextFile(`${shell.home}/work.token`, "a-token\n", { mode: 0o600 });
  const section = `echo hi | ${lineOf(bySection, "cmdchat-client @work")}`;
  const went = await shell.run(section, "x", { env: { CMDCHAT_NAME: "" } });
  assert.equal(went.code, 0, went.stderr);
  assert.match(went.stderr, /Connected as "alice" in "ops"/);
  const [, inline = ""] =
    /`(cmdchat-client @work send "done")`/.exec(await Deno.readTextFile(CLIENT)) ?? [];
  assert.equal((await shell.run(inline, "x")).code, 0);
});

test("whoever has the link of a sealed room comes in as SEALED.md says", async () => {
  await using server = await startServer();
  using shell = await DocumentShell.open(server);
  const alice = shell.start("cmdchat-client --json", "alice");
  await alice.type(JSON.stringify({ command: "/seal team" }));
  const [link = ""] = await alice.prints(/cmdchat:\/\/[^"\s]+secret=[^"\s]+/);
  const [block = ""] = await blocksBelow("docs/SEALED.md", "## In one minute", "sh");
  const typed = block.trim().replace(/cmdchat:[^']+/, () => link).replace("; ", "; echo hi | ");
  const joined = await shell.run(typed, "x");
  assert.equal(joined.code, 0, joined.stderr);
  await alice.prints(/"sender":"bob"[^\n]*"text":"hi"/);
});

test("completions and man pages come as CLIENT.md says", async () => {
  await using server = await startServer();
  using shell = await DocumentShell.open(server);
  const [block = ""] = await blocksBelow(CLIENT, "## Completions and man pages", "sh");
  const inBash = lineOf(block, "source <(");
  const made = await shell.run(`${inBash}\ncomplete -p cmdchat-client`, "x", { shell: "bash" });
  assert.match(made.stdout, /cmdchat-client$/m);
  await Deno.mkdir(`${shell.home}/.config/fish/completions`, { recursive: true });
  assert.equal((await shell.run(lineOf(block, "cmdchat-client completions fish"), "x")).code, 0);
  const [powershell = ""] = lineOf(block, "cmdchat-client completions powershell").split("|");
  assert.match((await shell.run(powershell, "x")).stdout, /Register-ArgumentCompleter/);
});
