// A log that nobody reads, and standard output that takes nothing.

import assert from "node:assert/strict";
import { skipIf } from "../../helpers/repo/skip.ts";
import { whyMissing } from "../../helpers/repo/system_needs.ts";
import { V1Peer, within } from "../../helpers/peers/v1_peer.ts";
import { ROOT } from "../../helpers/repo/sources.ts";

const other = Deno.build.os === "linux" ? undefined : "pipes are filled as on Linux";
const test = skipIf(other ?? whyMissing("sh"));
const testPython = skipIf(other ?? whyMissing("/usr/bin/python3"));
const PROGRAM = `"${Deno.execPath()}" run --no-check --no-prompt -A server/main.ts`;
const SERVER = `${PROGRAM} --port 0`;
const PIPE_BYTES = 65_536;

test("a log that nobody reads never stops the chat, and SIGTERM ends the server", async () => {
  const fill = `head -c ${PIPE_BYTES} /dev/zero >&2; exec ${SERVER} --log-level DEBUG`;
  const child = new Deno.Command("sh", {
    args: ["-c", fill],
    cwd: ROOT,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const reader = child.stdout.getReader();
  let banner = "";
  while (!/fingerprint .*\n/.test(banner)) {
    const { value } = await within(reader.read(), "the banner");
    banner += new TextDecoder().decode(value);
  }
  const port = Number(/127\.0\.0\.1:(\d+)/.exec(banner)?.[1]);
  for (let n = 0; n < 3; n++) {
    await using alice = await V1Peer.join({ port, name: "alice" });
    await alice.chat(`hello ${n}`);
    await alice.hears(`hello ${n}`);
  }
  child.kill("SIGTERM");
  const { code } = await within(child.status, "the end of the server", 10_000);
  assert.equal(code, 0);
  await reader.cancel();
  await child.stderr.cancel();
});

const UNWRITABLE = {
  ">/dev/full": "Cannot write the output: the disk is full",
  "| true": "Cannot print: standard output is closed",
} as const;

for (const [to, why] of Object.entries(UNWRITABLE)) {
  test(`a server whose standard output is ${to} ends with an error, and leaves no open port`, async () => {
    const run = `{ ${SERVER} --admin-listen 0; echo "code $?" >&2; } ${to}`;
    const child = new Deno.Command("sh", { args: ["-c", run], cwd: ROOT, stdin: "null" }).output();
    const { stderr } = await within(child, "the end of the server");
    const said = new TextDecoder().decode(stderr);
    assert.match(said, new RegExp(`error: ${why}\\ncode 3\\n`));
  });
}

const COMMANDS = ["--help", "--version", "keygen", "check", "page --hash", "completions bash"];

for (const command of COMMANDS) {
  test(`${command} to a full disk is one error and exit code 3; a wrong call keeps its code where nobody can be told`, async () => {
    const run = `${PROGRAM} ${command} >/dev/full; echo "code $?" >&2
${PROGRAM} ${command} --nothing-such 2>/dev/full; echo "wrong: $?" >&2`;
    const child = new Deno.Command("sh", { args: ["-c", run], cwd: ROOT, stdin: "null" }).output();
    const { stderr } = await within(child, "the end of the command", 30_000);
    const said = new TextDecoder().decode(stderr);
    assert.match(said, /^error: Cannot write the output: the disk is full\ncode 3\n/, said);
    // Help is given whatever else is asked.
    const wrong = command === "--help" ? 0 : 2;
    assert.match(said, new RegExp(`wrong: ${wrong}\\n$`), said);
  });
}

testPython("a non-blocking pipe that is full loses nothing of the output", async () => {
  // python3 leaves the pipe as another program may have left it, and reads only when the server has had to wait.
  const script = `
import fcntl, os, subprocess, sys, time
r, w = os.pipe()
fcntl.fcntl(w, fcntl.F_SETPIPE_SZ, 4096)
os.set_blocking(w, False)
child = subprocess.Popen(sys.argv[1:], stdout=w, stderr=w)
os.close(w)
time.sleep(1)
got = b""
while part := os.read(r, 1024):
    got += part
    time.sleep(0.001)
sys.stdout.write(f"{child.wait()} {got[:16]} {got[-16:]} {len(got)}")
`;
  const program = [Deno.execPath(), "run", "--no-check", "-A", "server/main.ts"];
  const run = async (args: readonly string[]) => {
    const child = new Deno.Command("/usr/bin/python3", {
      args: ["-c", script, ...args],
      cwd: ROOT,
    });
    return new TextDecoder().decode((await within(child.output(), "the output", 60_000)).stdout);
  };
  const whole = await new Deno.Command(program[0] as string, {
    args: [...program.slice(1), "--help"],
    cwd: ROOT,
  }).output();
  assert.ok(whole.stdout.length > 5_000);
  const said = await run([...program, "--help"]);
  assert.match(said, new RegExp(`^0 .* ${whole.stdout.length}$`), said);
});
