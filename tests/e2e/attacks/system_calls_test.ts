// What the server's executable asks of the kernel during a conversation, seen from outside.

import assert from "node:assert/strict";
import { CLIENT, SERVER } from "../../../scripts/build/compile.ts";
import { buildExecutables, findCompileBase } from "../../helpers/programs/executables.ts";
import { Program, runProgram } from "../../helpers/programs/programs.ts";
import { startServer } from "../../helpers/programs/server_process.ts";
import { skipUnless, skipWithout } from "../../helpers/repo/skip.ts";
import { hasProgram } from "../../helpers/repo/system_needs.ts";
import { readText } from "../../helpers/repo/sources.ts";

const base = await findCompileBase();
const canTrace = hasProgram("strace") &&
  (await runProgram("strace", { args: ["true"] })).code === 0;
const test = skipUnless(
  canTrace && !("missing" in base),
  "missing" in base ? base.missing : "strace is not installed or may not trace here",
);

// V8 asks for memory protection keys and does without them; tried with strace's fault injection.
const REFUSED_WITHOUT_HARM = ["pkey_alloc"];

let traced: Promise<string[]> | undefined;

/** One line for each system call of a server that is started, talked through and stopped. */
function systemCalls(): Promise<string[]> {
  return traced ??= traceConversation();
}

async function traceConversation(): Promise<string[]> {
  await using built = await buildExecutables(base, SERVER, CLIENT);
  const [serverPath = "", clientPath = ""] = built.paths;
  const log = `${built.folder}/calls.txt`;
  // -D makes the server, not strace, the process that gets the signal.
  await using server = await startServer({
    command: { path: "strace", args: ["-D", "-f", "-qq", "-s", "200", "-o", log, serverPath] },
  });
  await using client = new Program(clientPath, { args: ["--port", String(server.port)], env: {} });
  await client.type("written nowhere");
  await client.endInput();
  assert.equal(await client.end(), 0, client.stderr);
  const { code, stderr } = await server.stop();
  assert.equal(code, 0, stderr);
  return (await Deno.readTextFile(log)).split("\n").filter(Boolean);
}

/** System calls that a set of systemd's stands for, those of the sets inside it included. */
async function callsOf(set: string): Promise<Set<string>> {
  const { stdout } = await runProgram("systemd-analyze", { args: ["syscall-filter", set] });
  const calls = new Set<string>();
  for (const line of stdout.split("\n").slice(1).map((text) => text.trim())) {
    if (line.startsWith("@")) { for (const call of await callsOf(line)) calls.add(call); }
    else if (line !== "" && !line.startsWith("#")) calls.add(line);
  }
  return calls;
}

test("a server that carried a conversation opened no file for writing and started no program", async () => {
  const calls = await systemCalls();
  const writing =
    / (?:open(?:at)?\(.*O_(?:WRONLY|RDWR|CREAT|APPEND|TRUNC)|(?:creat|mkdir|mknod|rename|link|symlink|unlink|truncate)(?:at2?)?\(|memfd_create\()/;
  assert.deepEqual(calls.filter((line) => writing.test(line)), []);
  // One execve is its own start.
  assert.equal(calls.filter((line) => / execve(?:at)?\(/.test(line)).length, 1);
  assert.ok(calls.some((line) => / openat\(.*O_RDONLY/.test(line)), "the trace is empty");
});

const filterTest = hasProgram("systemd-analyze") ? test : skipWithout("systemd-analyze");

filterTest("the unit's filter allows every system call that the server makes", async () => {
  const calls = await systemCalls();
  const made = new Set(calls.flatMap((line) => /^\d+ +([a-z0-9_]+)\(/.exec(line)?.[1] ?? []));
  const filters = [
    ...(await readText("cmdchat-server.service")).matchAll(/^SystemCallFilter=(.*)$/gm),
  ]
    .map(([, value]) => value ?? "");
  const allowed = new Set<string>();
  for (const filter of filters) {
    for (const set of filter.replace("~", "").split(" ")) {
      for (const call of await callsOf(set)) {
        if (filter.startsWith("~")) allowed.delete(call);
        else allowed.add(call);
      }
    }
  }
  assert.ok(made.size > 20 && allowed.size > 100, `${made.size} calls, ${allowed.size} allowed`);
  const refused = [...made].filter((call) => !allowed.has(call));
  assert.deepEqual(refused.filter((call) => !REFUSED_WITHOUT_HARM.includes(call)), []);
});
