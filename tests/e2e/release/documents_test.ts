// What the documents tell an operator to type, typed as it stands there, on a system of its own: fixed ports and all.

import assert from "node:assert/strict";
import { CLIENT, SERVER } from "../../../scripts/build/compile.ts";
import { type BootedSystem, bootSystem, whyNoBoot } from "../../helpers/system/booted_system.ts";
import { documentedCertificateLine } from "../../helpers/system/certificates.ts";
import { blocksBelow } from "../../helpers/repo/document_blocks.ts";
import { buildExecutables, findCompileBase } from "../../helpers/programs/executables.ts";
import { skipIf } from "../../helpers/repo/skip.ts";
import { hasProgram, whyMissing } from "../../helpers/repo/system_needs.ts";

const base = await findCompileBase();
const why = whyNoBoot() ?? ("missing" in base ? base.missing : undefined) ??
  whyMissing("openssl", "curl");
const test = skipIf(why);
const NATS = hasProgram("nats-server");

const OPERATIONS = "docs/OPERATIONS.md";

/** What stands before every script: the programs in PATH, errors end it. */
const PRELUDE = 'set -e\nPATH="$PWD/dist:$PATH"\n';

async function done(system: BootedSystem, script: string): Promise<string> {
  const { code, stdout, stderr } = await system.run(`${PRELUDE}${script}`, { HOME: "/tmp" });
  assert.equal(code, 0, `${script}\n${stdout}${stderr}`);
  return stdout;
}

/** Waits in the system until a command succeeds, and goes on in any case. */
function waitFor(command: string): string {
  return `for i in $(seq 200); do if ${command}; then break; fi; sleep 0.1; done`;
}

/** The same, and ends where it never did. */
function patiently(command: string): string {
  return `${waitFor(command)}\n${command}\n`;
}

/** A block that runs in the background, its output in a file. */
function inBackground(block: string, log: string): string {
  return `( ${block.trimEnd()} ) > ${log} 2>&1 &\n`;
}

test("the commands of README and OPERATIONS.md do what is said of them", async (t) => {
  await using built = await buildExecutables(base, SERVER, CLIENT);
  await Deno.mkdir(`${built.folder}/dist`);
  for (const path of built.paths) {
    await Deno.rename(path, path.replace(built.folder, `${built.folder}/dist`));
  }
  await using system = await bootSystem(built.folder);

  await t.step("README: a server for a team, with the certificate that it makes", async () => {
    const [block = ""] = await blocksBelow("README.md", "## A server for a team", "sh");
    const lines = block.split("\n").filter((line) => !line.includes("task compile"));
    await done(system, await documentedCertificateLine());
    await done(
      system,
      `${lines.slice(0, -2).join("\n")}\n${inBackground(lines.at(-2) ?? "", "readme.log")}` +
        `${patiently("grep -q listening readme.log")}
        echo hello | CMDCHAT_TOKEN=$CMDCHAT_TOKENS cmdchat-client --ca-file cert.pem
        kill $(pidof cmdchat-server); wait`,
    );
  });

  await t.step("Watching: health, top and metrics of a server with pages", async () => {
    const [block = ""] = await blocksBelow(OPERATIONS, "## Watching", "sh");
    const text = await done(
      system,
      `${inBackground("cmdchat-server --admin-listen 5051", "watched.log")}
      ${patiently("grep -q 'admin pages' watched.log")}
      ${block}
      kill $(pidof cmdchat-server); wait`,
    );
    assert.match(text, /^ready$/m);
    assert.match(text, /^members +0 v1, 0 v2, 0 away$/m);
    assert.match(text, /^cmdchat_members\{connection="v2"\} 0$/m);
  });

  await t.step("OPERATIONS: acting on a running server", async () => {
    const [block = ""] = await blocksBelow(OPERATIONS, "## Acting on a running server", "sh");
    const begun = `${inBackground("cmdchat-server", "acted.log")}
      ${patiently("grep -q 'admin pages' acted.log")}`;
    const script = block.replace("cmdchat-server &", () => begun);
    const text = await done(system, `${script}\nkill $(pidof cmdchat-server); wait`);
    assert.match(text, /^session +token +connection /m);
    assert.match(text, /^Banned 192\.0\.2\.7 for 2 hours; /m);
    assert.match(text, /^Told 0 sessions here$/m);
  });

  await t.step("Without an outage: the command replaces the server that runs", async () => {
    const [block = ""] = await blocksBelow(OPERATIONS, "### Without an outage", "sh");
    const text = await done(
      system,
      `export CMDCHAT_ADMIN_TOKEN=a
      ${inBackground("cmdchat-server --port 5050 --admin-listen 5051", "first.log")}
      first=$!
      ${patiently("grep -q 'admin pages' first.log")}
      ${inBackground(block, "second.log")}
      wait $first
      ${patiently("grep -q 'admin pages' second.log")}
      echo hello | cmdchat-client
      kill $(pidof cmdchat-server); wait
      cat first.log second.log`,
    );
    assert.match(text, /handing over: no new connections(?:.|\n)*took over held=0 rooms=0/);
    const [one, two] = [...text.matchAll(/^fingerprint (\S+)/gm)].map(([, name]) => name);
    assert.equal(one, two);
  });

  if (NATS) {
    await t.step("More than one server: two that are one", async () => {
      const [block = ""] = await blocksBelow(OPERATIONS, "## More than one server", "sh");
      const [identity = ""] = await blocksBelow(OPERATIONS, "## Identity", "sh");
      const text = await done(
        system,
        `${identity}
        ${block.replaceAll(/ &$/gm, " >> cluster.log 2>&1 &")}
        ${patiently("[ $(grep -c 'listening on' cluster.log) = 2 ]")}
        ( echo hello; ${waitFor("grep -q 'from the other' one.txt")} ) |
          cmdchat-client --port 5050 --name one --renderer minimal > one.txt &
        ${patiently("grep -q one one.txt")}
        echo "from the other server" | cmdchat-client --port 5051 --name two
        wait $!
        cat one.txt
        kill $(pidof cmdchat-server nats-server)`,
      );
      assert.match(text, /^<two> from the other server$/m);
    });
  }
});
