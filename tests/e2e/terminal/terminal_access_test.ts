// Getting in, being kept out, and leaving: in real terminals (tmux), each of which must be given back as it was.

import assert from "node:assert/strict";
import { makeCertificate } from "../../helpers/system/certificates.ts";
import { startServer } from "../../helpers/programs/server_process.ts";
import { skipWithout } from "../../helpers/repo/skip.ts";
import { clientCommand, type Pane, startTmux } from "../../helpers/system/tmux.ts";

const test = skipWithout("tmux");
const tlsTest = skipWithout("tmux", "openssl");

const CONNECTED = /- Connected as "alice" in "lobby"$/m;
const ORDINARY = "cursor_flag=1 bracket_paste_flag= wrap_flag=1 insert_flag=0 alternate_on=0";
// deno-lint-ignore no-control-regex -- what makes text red
const RED = /\x1b\[(?:\d+;)*38;5;210(?:;\d+)*m/;

function client(port: number, ...args: string[]): string[] {
  return clientCommand("--port", String(port), "--name", "alice", ...args);
}

/** Ended with this code, and the terminal is as it was. */
async function assertLeft(pane: Pane, code: number): Promise<void> {
  assert.equal(await pane.exit(), code, (await pane.screen()).join("\n"));
  assert.equal(pane.settingsAfter, pane.settingsBefore);
  assert.equal((await pane.modes()).trim(), ORDINARY);
}

/** Exactly one `error:` line at the start of a row, with this text, gaps aside. */
async function assertOneError(pane: Pane, pattern: RegExp): Promise<void> {
  const text = (await pane.lines()).join("\n");
  assert.equal(text.match(/^error: /gm)?.length, 1, text);
  assert.match(text.replaceAll(/\s+/g, " "), pattern);
}

tlsTest(
  "TLS: the right certificate, wrong ones, nobody's, and the wrong kind of port",
  async () => {
    await using made = await makeCertificate();
    await using other = await makeCertificate();
    await using server = await startServer({
      args: ["--certfile", made.certFile, "--keyfile", made.keyFile],
    });
    await using plain = await startServer();
    await using tmux = await startTmux();
    const open = (port: number, ...args: string[]) => tmux.open({ command: client(port, ...args) });
    const right = await open(server.port, "--ca-file", made.certFile);
    await right.shows(CONNECTED);
    const wrong = await open(server.port, "--ca-file", other.certFile);
    const unknown = await open(server.port, "--tls");
    const insecure = await open(server.port, "--tls-insecure");
    const withoutTls = await open(server.port);
    const toPlain = await open(plain.port, "--tls");

    for (const pane of [wrong, unknown, withoutTls, toPlain]) await assertLeft(pane, 4);
    await assertOneError(wrong, /error: Cannot connect to "127\.0\.0\.1:\d+": .*certificate/);
    await assertOneError(unknown, /certificate is not known here hint: .*--ca-file/);
    await assertOneError(withoutTls, /TLS/);
    await assertOneError(toPlain, /does not speak TLS on this port hint: leave --tls out/);

    await insecure.shows(/- Connected as "alice-2" in "lobby"$/m);
    const rows = await insecure.screen({ styled: true });
    const warning = rows.find((row) => row.includes("--tls-insecure")) ?? "";
    assert.match(warning, RED);
    for (const pane of [right, insecure]) {
      await pane.enter("/quit");
      await assertLeft(pane, 0);
    }
  },
);

test("a token that is right, wrong, given late, and not given", async () => {
  await using server = await startServer({ env: { CMDCHAT_TOKENS: "s3cret" } });
  await using tmux = await startTmux();
  const command = client(server.port);
  const right = await tmux.open({ command, env: { CMDCHAT_TOKEN: "s3cret" } });
  const wrong = await tmux.open({ command, env: { CMDCHAT_TOKEN: "wr0ng" } });
  const asked = await tmux.open({ command });
  const refused = await tmux.open({ command });
  const silent = await tmux.open({ command });

  await right.shows(CONNECTED);
  await assertLeft(wrong, 7);
  await assertOneError(wrong, /error: .*does not accept this token/);
  for (const pane of [asked, refused, silent]) await pane.shows(/^Token:/m);
  await asked.enter("s3cret");
  await asked.shows(/- Connected as "alice-2" in "lobby"$/m);
  await refused.enter("guess");
  await assertLeft(refused, 7);
  await assertOneError(refused, /error: .*does not accept this token/);
  await silent.press("C-c");
  await assertLeft(silent, 7);
  const shown = await Promise.all([asked, refused].map((pane) => pane.lines()));
  assert.doesNotMatch(shown.flat().join("\n"), /s3cret|guess/);
});

test("quit, Ctrl-C, SIGTERM, SIGHUP and an error give the terminal back", async () => {
  await using server = await startServer({ args: ["--max-per-address", "off"] });
  await using tmux = await startTmux();
  const open = (port: number) => tmux.open({ command: client(port) });
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const free = listener.addr.port;
  listener.close();
  const panes = await Promise.all(["quit", "ctrl-c", "term", "hup"].map(() => open(server.port)));
  const [quit, interrupted, terminated, hungUp] = panes as [Pane, Pane, Pane, Pane];
  const nobody = await open(free);

  await assertLeft(nobody, 4);
  await assertOneError(nobody, /error: Cannot connect .* nothing listens there hint: /);
  for (const pane of panes) {
    await pane.shows(/- Connected as/);
    await pane.type("not sent");
    await pane.holds("not sent");
  }
  await interrupted.press("C-c"); // Drops what is typed.
  await interrupted.holds("");
  await interrupted.press("C-c");
  await interrupted.shows(/Press Ctrl-C again to quit\./);
  await interrupted.press("C-c");
  await assertLeft(interrupted, 0);
  await quit.press("C-u");
  await quit.enter("/quit");
  await assertLeft(quit, 0);
  terminated.signal("SIGTERM");
  await assertLeft(terminated, 143);
  hungUp.signal("SIGHUP");
  await assertLeft(hungUp, 129);
  for (const pane of panes) {
    const rows = await pane.screen();
    // Neither prompt nor status line stays behind.
    assert.ok(!rows.some((row) => /@lobby>|server can read/.test(row)), rows.join("\n"));
  }
});

test("a wrong start says what is wrong on one line and leaves the terminal alone", async () => {
  await using tmux = await startTmux();
  const cases: readonly (readonly [string[], number, RegExp])[] = [
    [["--prot", "1"], 2, /error: .*"--prot".* hint: did you mean --port\?/],
    [["--name", "x".repeat(33)], 2, /it has 33 characters, at most 32 are allowed/],
    [["--ca-file", "/no/such/file"], 3, /there is no such file/],
    [["--host", "no-such-host.invalid"], 4, /no host with this name hint: /],
  ];
  for (const [args, code, pattern] of cases) {
    const pane = await tmux.open({ command: clientCommand(...args) });
    await assertLeft(pane, code);
    await assertOneError(pane, pattern);
  }
});

test("half a terminal: a pipe in or out keeps to lines", async () => {
  await using server = await startServer();
  await using tmux = await startTmux();
  const line = clientCommand("--port", String(server.port)).join(" ");
  const shell = (script: string) => tmux.open({ command: ["bash", "-c", script] });
  const piped = await shell(`echo hi | ${line}`);
  await assertLeft(piped, 0);
  assert.match((await piped.lines()).join("\n"), /^(?:\d\d:\d\d:\d\d )?#1 <anonymous> hi$/m);
  const nothing = await shell(`${line} < /dev/null`);
  await assertLeft(nothing, 0);
  const json = await shell(`echo hi | ${line} --renderer json | tee /dev/stderr | wc -l`);
  await assertLeft(json, 0);
  const rows = await json.lines();
  const count = Number(rows.at(-1));
  assert.ok(count > 2, rows.join("\n"));
  assert.equal(
    rows.filter((row) => JSON.stringify(safeParse(row)) !== undefined).length,
    count + 1,
  );
});

function safeParse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
