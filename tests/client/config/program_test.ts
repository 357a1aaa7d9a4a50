// The client as a program: pipes, exit codes, and one clear error for each way in which a start can fail.

import assert from "node:assert/strict";
import { readVariable } from "../../../shared/cli/environment.ts";
import { VERSION } from "../../../shared/base/version.ts";
import { makeCertificate } from "../../helpers/system/certificates.ts";
import { makeIdentity } from "../../helpers/fakes/identities.ts";
import { type Ended, Program } from "../../helpers/programs/programs.ts";
import { type RunningServer, startServer } from "../../helpers/programs/server_process.ts";
import { skipWithout } from "../../helpers/repo/skip.ts";
import { V1Peer } from "../../helpers/peers/v1_peer.ts";

const tlsTest = skipWithout("openssl");
const home = await Deno.makeTempDir({ prefix: "cmdchat-home-" });
globalThis.addEventListener("unload", () => Deno.removeSync(home, { recursive: true }));

interface Start {
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

function startClient({ args = [], env = {} }: Start): Program {
  const denoDir = readVariable("DENO_DIR") ?? `${readVariable("HOME")}/.cache/deno`;
  return new Program(Deno.execPath(), {
    args: [
      "run",
      "--no-check",
      "-A",
      new URL("../../../client/main.ts", import.meta.url).href,
      ...args,
    ],
    env: { HOME: home, DENO_DIR: denoDir, ...env },
    cwd: home,
  });
}

/** Runs a client with these lines on its standard input. */
async function chat(start: Start, ...lines: readonly string[]): Promise<Ended> {
  await using client = startClient(start);
  for (const line of lines) await client.type(line);
  await client.endInput();
  const code = await client.end();
  return { code, stdout: client.stdout, stderr: client.stderr };
}

function at(server: RunningServer, ...more: readonly string[]): string[] {
  return ["--port", String(server.port), ...more];
}

/** One `error:` line, hints, warnings, notices of the link, and nothing else. */
function assertOneError({ stderr, stdout }: Ended, pattern: RegExp): void {
  const lines = stderr.trimEnd().split("\n");
  assert.equal(lines.filter((line) => line.startsWith("error: ")).length, 1, stderr);
  assert.ok(lines.every((line) => /^(?:(?:error|hint|warning): |- )/.test(line)), stderr);
  assert.match(stderr, pattern);
  assert.equal(stdout, "");
}

Deno.test("--version and --help print and end with 0", async () => {
  const [version, help, history] = await Promise.all([
    chat({ args: ["--version"] }),
    chat({ args: ["--help"] }),
    chat({ args: ["history", "--help"] }),
  ]);
  assert.deepEqual([version.code, version.stdout], [0, `cmdchat-client ${VERSION}\n`]);
  assert.equal(help.code, 0);
  for (const text of ["--history-file", "/send [@NAME] PATH", "exit codes", "CMDCHAT_TOKEN"]) {
    assert.ok(help.stdout.includes(text), text);
  }
  assert.match(history.stdout, /--search/);
});

Deno.test("what cannot be is one error line, a hint where one helps, and its exit code", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const free = String(listener.addr.port);
  listener.close();
  const cases: readonly (readonly [Start, number, RegExp])[] = [
    [{ args: ["--prot", "1"] }, 2, /--prot.*\nhint: did you mean --port\?/],
    [{ args: ["--buffer-size", "5"] }, 2, /10 to 1000/],
    [{ env: { CMDCHAT_PORT: "x" } }, 2, /CMDCHAT_PORT/],
    [{ args: ["--ca-file", "none.pem"] }, 3, /there is no such file/],
    [{ args: ["--token-file", "none"] }, 3, /there is no such file/],
    [{ args: ["recv-file", "--download-dir", Deno.execPath()] }, 3, /is a file\nhint: /],
    [{ args: ["--history-file", "h"] }, 3, /no passphrase.*\nhint: /],
    [{ args: ["history", "none"], env: { CMDCHAT_HISTORY_PASSPHRASE: "x" } }, 3, /none/],
    [{ args: ["--port", free] }, 4, /nothing listens there\nhint: /],
    [{ args: ["--host", "no-such-host.invalid"] }, 4, /no host with this name\nhint: /],
  ];
  for (const [start, code, pattern] of cases) {
    const ended = await chat(start, "hello");
    assertOneError(ended, pattern);
    assert.equal(ended.code, code, ended.stderr);
  }
});

Deno.test("a pipe delivers each line, shows the answers, and leaves with 0", async () => {
  await using server = await startServer();
  await using bob = await V1Peer.join({ port: server.port, name: "bob" });
  const ended = await chat(
    { args: at(server, "--name", "alice") },
    "one",
    "",
    "//two",
    "/nick al",
    "three",
  );
  assert.equal(ended.code, 0, ended.stderr);
  for (const text of ["one", "/two", "three"]) await bob.hears(text);
  await bob.system(/al left/);
  assert.match(ended.stdout, /<alice> one\n/);
  assert.match(ended.stdout, /<al> three\n/);
  assert.doesNotMatch(ended.stderr, /error/);
});

Deno.test("a pipe keeps to the server's rate: forty lines all arrive, in order", async () => {
  await using server = await startServer({ args: ["--rate-limit", "20/1"] });
  await using bob = await V1Peer.join({ port: server.port, name: "bob" });
  const lines = Array.from({ length: 40 }, (_, index) => `line ${index}`);
  const ended = await chat({ args: at(server) }, ...lines);
  assert.equal(ended.code, 0, ended.stderr);
  for (const line of lines) await bob.hears(line);
});

Deno.test("a line that is too long, a wrong command and a missing file are errors; the others go", async () => {
  await using server = await startServer();
  await using bob = await V1Peer.join({ port: server.port, name: "bob" });
  const ended = await chat(
    { args: at(server) },
    "x".repeat(4_097),
    "/jion dev",
    "/send none.txt",
    "after",
  );
  await bob.hears("after");
  assert.equal(ended.code, 6);
  const errors = ended.stderr.split("\n").filter((line) => line.startsWith("error: "));
  assert.equal(errors.length, 3);
  assert.match(errors[0] ?? "", /4097 bytes, at most 4096 are allowed/);
  assert.match(ended.stderr, /hint: did you mean \/join\?/);
});

Deno.test("--renderer json gives one object a line, and nothing else on standard output", async () => {
  await using server = await startServer();
  const { code, stdout } = await chat(
    { args: at(server, "--renderer", "json") },
    "hello",
    "/names",
  );
  assert.equal(code, 0);
  const values = stdout.trimEnd().split("\n").map((line) => JSON.parse(line));
  assert.ok(values.every(({ v }) => v === 1));
  assert.ok(values.some(({ kind, text, own }) => kind === "chat" && text === "hello" && own));
  assert.ok(values.some(({ kind, state }) => kind === "connection" && state === "connected"));
});

Deno.test("a token comes from file, variable or flag; a wrong one is refused and never shown", async () => {
  await using server = await startServer({ env: { CMDCHAT_TOKENS: "s3cret,other" } });
  const file = `${home}/token`;
  await Deno.writeTextFile(file, "s3cret\n", { mode: 0o600 });
  const [fromFile, fromEnv, fromFlag, wrong, none] = await Promise.all([
    chat({ args: at(server, "--token-file", file) }, "hi"),
    chat({ args: at(server), env: { CMDCHAT_TOKEN: "other" } }, "hi"),
    chat({ args: at(server, "--token", "s3cret") }, "hi"),
    chat({ args: at(server), env: { CMDCHAT_TOKEN: "wr0ng" } }, "hi"),
    chat({ args: at(server) }, "hi"),
  ]);
  assert.deepEqual([fromFile.code, fromEnv.code, fromFlag.code], [0, 0, 0]);
  assert.match(fromFlag.stderr, /^warning: --token/);
  assertOneError(wrong, /does not accept this token/);
  assertOneError(none, /needs a token\nhint: --token-file/);
  assert.deepEqual([wrong.code, none.code], [7, 7]);
  assert.doesNotMatch(JSON.stringify([fromFlag, wrong]), /s3cret|wr0ng/);
});

tlsTest(
  "TLS: right certificate, unknown one, --tls-insecure with its warning, and both mixups",
  async () => {
    await using made = await makeCertificate();
    await using tls = await startServer({
      args: ["--certfile", made.certFile, "--keyfile", made.keyFile],
    });
    await using plain = await startServer();
    const [right, unknown, insecure, plainToTls, tlsToPlain] = await Promise.all([
      chat({ args: at(tls, "--ca-file", made.certFile) }, "hi"),
      chat({ args: at(tls, "--tls") }, "hi"),
      chat({ args: at(tls, "--tls-insecure") }, "hi"),
      chat({ args: at(tls) }, "hi"),
      chat({ args: at(plain, "--tls") }, "hi"),
    ]);
    assert.equal(right.code, 0, right.stderr);
    assertOneError(unknown, /certificate is not known here\nhint: .*--ca-file/);
    assert.equal(insecure.code, 0, insecure.stderr);
    assert.match(insecure.stderr, /^warning: --tls-insecure/m);
    assertOneError(plainToTls, /TLS/);
    assertOneError(tlsToPlain, /does not speak TLS on this port\nhint: leave --tls out/);
    for (const { code } of [unknown, plainToTls, tlsToPlain]) assert.equal(code, 4);
  },
);

tlsTest(
  "a link's fingerprint proves the server, whatever its certificate; another server learns nothing",
  async () => {
    await using made = await makeCertificate();
    const args = ["--certfile", made.certFile, "--keyfile", made.keyFile];
    const env = { CMDCHAT_TOKENS: "s3cret-of-this-test" };
    await using server = await startServer({ args, env });
    await using other = await startServer({ args, env: { ...env, CMDCHAT_LOG_LEVEL: "DEBUG" } });
    const [, fingerprint = ""] = await server.printed(/^fingerprint (\S+)/m);
    const link = (port: number) =>
      `cmdchat://127.0.0.1:${port}/den?tls#fp=${fingerprint.slice(7)}&token=s3cret-of-this-test`;
    const to = (port: number) => ({ CMDCHAT_LINK: link(port) });
    const [right, legacy, sent, settings, wrong] = await Promise.all([
      chat({ env: to(server.port) }, "hi"),
      chat({ env: to(server.port), args: ["--legacy"] }, "hi"),
      chat({ env: to(server.port), args: ["send", "hi"] }),
      chat({
        env: { CMDCHAT_TOKEN: "s3cret-of-this-test" },
        args: at(server, "--tls", "--fingerprint", fingerprint),
      }, "/status"),
      chat({ env: to(other.port) }, "hi"),
    ]);
    assert.deepEqual([right.code, sent.code], [0, 0], right.stderr + sent.stderr);
    assert.doesNotMatch(right.stderr, /warning|certificate/);
    assert.match(
      settings.stdout,
      /TLS \(certificate not known here\), protocol 2: .*\n.*as expected/,
    );
    assertOneError(wrong, /fingerprint/);
    assertOneError(legacy, /Cannot use --legacy with a link/);
    assert.equal(wrong.code, 7);
    assert.doesNotMatch(other.log, /anonymous|den/);
  },
);

Deno.test("a pipe takes a file only with --accept-files, and sends one with equal bytes", async () => {
  await using server = await startServer();
  const bytes = crypto.getRandomValues(new Uint8Array(60_000));
  await Deno.writeFile(`${home}/photo.bin`, bytes);
  const folder = `${home}/received`;
  await using receiver = startClient({
    args: at(server, "--name", "bob", "--accept-files", "--download-dir", folder),
  });
  await receiver.prints(/In "lobby": bob/);
  const sent = await chat({ args: at(server) }, "/send photo.bin");
  assert.equal(sent.code, 0, sent.stderr);
  await receiver.prints(/Saved "photo\.bin"/);
  assert.deepEqual(await Deno.readFile(`${folder}/photo.bin`), bytes);
  await receiver.endInput();
  assert.equal(await receiver.end(), 0);
});

Deno.test("what is shown is kept in the history, and `history FILE` shows it again", async () => {
  await using server = await startServer();
  const env = { CMDCHAT_HISTORY_PASSPHRASE: "open sesame" };
  const history = `${home}/chat.history`;
  const ended = await chat({ args: at(server, "--history-file", history), env }, "remember me");
  assert.equal(ended.code, 0, ended.stderr);
  const shown = await chat({ args: ["history", history, "--search", "REMEMBER"], env });
  assert.match(shown.stdout, /^\S+ \S+ \[lobby\] <anonymous> remember me\n$/);
  const wrong = await chat({
    args: ["history", history],
    env: { CMDCHAT_HISTORY_PASSPHRASE: "no" },
  });
  assertOneError(wrong, /error: /);
  assert.equal(wrong.code, 7);
});

Deno.test("a pipe that nobody reads any more ends, and a signal ends it with the shell's code", async () => {
  await using server = await startServer();
  await using client = startClient({ args: at(server) });
  await client.prints(/In "lobby"/);
  client.signal("SIGINT");
  assert.equal(await client.end(), 130);
});

Deno.test("a client whose server is killed says so, comes back by itself and goes on", async () => {
  await using identity = await makeIdentity();
  const same = ["--identity-file", identity.path];
  const server = await startServer({ args: same });
  await using client = startClient({ args: at(server, "--name", "alice") });
  await client.type("one");
  await client.prints(/<alice> one/);
  await server.stop("SIGKILL");
  await client.complains(/trying again/);
  await using again = await startServer({ args: ["--port", String(server.port), ...same] });
  await using bob = await V1Peer.join({ port: again.port, name: "bob" });
  await client.type("two");
  await bob.hears("two", 20_000);
  await client.endInput();
  assert.equal(await client.end(), 0, client.stderr);
});
