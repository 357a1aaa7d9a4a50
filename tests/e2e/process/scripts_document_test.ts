// Shares the machine: runs beside another file of whole programs.

// What docs/SCRIPTS.md shows, run as it is written there, by a shell and against a real server.

import assert from "node:assert/strict";
import { temporaryHome } from "../../helpers/programs/client_process.ts";
import { type Ended, Program } from "../../helpers/programs/programs.ts";
import { type RunningServer, startServer } from "../../helpers/programs/server_process.ts";
import { blocksBelow } from "../../helpers/repo/document_blocks.ts";
import { skipWithout } from "../../helpers/repo/skip.ts";
import { readText } from "../../helpers/repo/sources.ts";

const SCRIPTS = "docs/SCRIPTS.md";
const test = skipWithout("sh");

/** A folder with `cmdchat-client` as a program, and a home. */
async function makeHome(): Promise<string> {
  const home = temporaryHome();
  const entry = new URL("../../../client/main.ts", import.meta.url).pathname;
  const path = `${home}/cmdchat-client`;
  await Deno.writeTextFile(
    path,
    `#!/bin/sh\nexec '${Deno.execPath()}' run --no-check -A '${entry}' "$@"\n`,
  );
  await Deno.chmod(path, 0o755);
  return home;
}

function startShell(script: string, home: string, { port }: RunningServer, name: string): Program {
  const denoDir = Deno.env.get("DENO_DIR") ?? `${Deno.env.get("HOME")}/.cache/deno`;
  return new Program("sh", {
    args: ["-c", script],
    env: {
      HOME: home,
      PATH: `${home}:${Deno.env.get("PATH")}`,
      DENO_DIR: denoDir,
      CMDCHAT_PORT: String(port),
      CMDCHAT_NAME: name,
      VERSION: "1.2",
    },
    cwd: home,
  });
}

async function run(script: string, home: string, server: RunningServer): Promise<Ended> {
  await using shell = startShell(script, home, server, "cron");
  await shell.endInput();
  const code = await shell.end();
  return { code, stdout: shell.stdout, stderr: shell.stderr };
}

/** The line of the first block that begins so, without its comment. */
async function lineOf(start: string): Promise<string> {
  const [, block = ""] = /```sh\n([\s\S]*?)```/.exec(await readText(SCRIPTS)) ?? [];
  const line = block.split("\n").find((line) => line.startsWith(start)) ?? "";
  assert.notEqual(line, "", start);
  return line.replace(/ +#.*$/, "");
}

test("a script sends, and learns from the exit code whether the server has it", async () => {
  const home = await makeHome();
  await using server = await startServer();
  const sent = await run(await lineOf("cmdchat-client send --room ops"), home, server);
  assert.deepEqual(sent, { code: 0, stdout: "", stderr: "" });
  const [branches = ""] = await blocksBelow(SCRIPTS, "## Exit codes in a script", "sh");
  const told = await run(branches, home, server);
  assert.equal(told.stdout, "everybody knows\n");
  await server.stop();
  const lost = await run(branches.replace("--timeout 10", "--timeout 1"), home, server);
  assert.equal(lost.stdout, "no connection, or perhaps not delivered\n");
});

test("a script waits for a word of one member, and hands a file to another", async () => {
  const home = await makeHome();
  await using server = await startServer();
  const receive = `${await lineOf("code=$(cmdchat-client recv")}\necho "$code"`;
  await using waiting = startShell(receive, home, server, "waiting");
  await server.logged(/client joined/);
  await using alice = startShell("cmdchat-client send 4711", home, server, "alice");
  assert.equal(await alice.end(), 0, alice.stderr);
  await waiting.prints(/^4711$/m);
  await Deno.writeTextFile(`${home}/dump.sql`, "select 1;\n");
  await Deno.mkdir(`${home}/in`);
  const [sending, taking] = [await lineOf("cmdchat-client send-file dump"), "cd in; "];
  await using sender = startShell(sending, home, server, "sender");
  const receiving = taking + await lineOf("cmdchat-client recv-file");
  await using receiver = startShell(receiving, home, server, "receiver");
  assert.deepEqual([await receiver.end(), await sender.end()], [0, 0], sender.stderr);
  assert.equal(await Deno.readTextFile(`${home}/in/dump.sql`), "select 1;\n");
});
