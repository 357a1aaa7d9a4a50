// Shares the machine: runs beside another file of whole programs.

// A log that nobody reads, and standard output that takes nothing.

import assert from "node:assert/strict";
import { skipIf } from "../../helpers/repo/skip.ts";
import { whyMissing } from "../../helpers/repo/system_needs.ts";
import { V1Peer, within } from "../../helpers/peers/v1_peer.ts";
import { ROOT } from "../../helpers/repo/sources.ts";

const test = skipIf(Deno.build.os === "linux" ? whyMissing("sh") : "pipes are filled as on Linux");
const SERVER = `"${Deno.execPath()}" run --no-check --no-prompt -A server/main.ts --port 0`;
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

for (const to of [">/dev/full", "| true"]) {
  test(`a server whose standard output is ${to} ends with an error, and leaves no open port`, async () => {
    const run = `{ ${SERVER} --admin-listen 0; echo "code $?" >&2; } ${to}`;
    const child = new Deno.Command("sh", { args: ["-c", run], cwd: ROOT, stdin: "null" }).output();
    const { stderr } = await within(child, "the end of the server");
    const said = new TextDecoder().decode(stderr);
    assert.match(said, /error: Cannot print: standard output is closed\ncode 3\n/);
  });
}
