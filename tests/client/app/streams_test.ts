// Standard streams that cannot be written: every command says so and ends with 3, and none prints a stack trace.
import assert from "node:assert/strict";
import { startServer } from "../../helpers/programs/server_process.ts";
import { at, temporaryHome } from "../../helpers/programs/client_process.ts";
import { temporaryHistory, writeHistory } from "../../helpers/fakes/history.ts";
import { V1Peer } from "../../helpers/peers/v1_peer.ts";

const home = temporaryHome();
const ENTRY = new URL("../../../client/main.ts", import.meta.url).pathname;

/** Runs a client under a shell that redirects its output to a full disk; gives exit code and standard error. */
async function toFullDisk(args: readonly string[], input = ""): Promise<[number, string]> {
  const denoDir = Deno.env.get("DENO_DIR") ?? `${Deno.env.get("HOME")}/.cache/deno`;
  const child = new Deno.Command("sh", {
    args: [
      "-c",
      'exec "$@" > /dev/full',
      "sh",
      Deno.execPath(),
      "run",
      "--no-check",
      "-A",
      ENTRY,
      ...args,
    ],
    env: { HOME: home, DENO_DIR: denoDir, CMDCHAT_HISTORY_PASSPHRASE: "open sesame" },
    stdin: "piped",
    stdout: "null",
    stderr: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(input)).catch(() => {});
  await writer.close().catch(() => {});
  const { code, stderr } = await child.output();
  return [code, new TextDecoder().decode(stderr)];
}

Deno.test({
  name:
    "a full disk behind standard output is an error of one line with exit code 3, for every command",
  ignore: Deno.build.os !== "linux",
  async fn() {
    const server = await startServer();
    await using place = await temporaryHistory();
    await writeHistory(place.path, ["the first"]);
    await using bob = await V1Peer.join({ port: server.port, name: "bob" });
    const commands: readonly (readonly [readonly string[], string?])[] = [
      [["--help"]],
      [["--version"]],
      [["completions", "bash"]],
      [["history", "show", place.path]],
      [["history", "show", place.path, "--json"]],
      [["doctor", ...at(server)]],
      [["send", ...at(server), "--json", "hi"]],
      [[...at(server), "--renderer", "json"], "hi\n"],
      [at(server), "hi\n"],
    ];
    for (const [args, input] of commands) {
      const [code, stderr] = await toFullDisk(args, input);
      assert.match(stderr, /^error: Cannot write the output: the disk is full$/m, args.join(" "));
      assert.doesNotMatch(stderr, /^\s+at /m);
      assert.equal(code, 3, args.join(" "));
    }
    await bob.hears("hi");
    await server.stop();
  },
});
