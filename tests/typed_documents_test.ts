// Every block of shell commands in a document is typed by a test, or it is said here why none can.

import assert from "node:assert/strict";
import { readText } from "./helpers/repo/sources.ts";

/** The test that types the blocks below a heading, or the reason why none does, in brackets. */
const TYPED: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  "README.md": {
    "## Two people on this machine": "tests/e2e/release/first_steps_test.ts",
    "## A friend on another machine": "tests/e2e/release/first_steps_test.ts",
    "## A server for a team": "tests/e2e/release/documents_test.ts",
    "## In scripts": "tests/e2e/process/user_documents_test.ts",
  },
  "CONTRIBUTING.md": {
    "# Contributing": "tests/e2e/release/first_steps_test.ts",
  },
  "docs/BENCHMARKS.md": {
    "# Benchmarks": "[more than 20 minutes: tests/bench/bench_test.ts runs the rows in short]",
  },
  "docs/CLIENT.md": {
    "# The client": "tests/e2e/process/user_documents_test.ts",
    "## People you know": "tests/e2e/release/first_steps_test.ts",
    "## Through a proxy": "tests/e2e/release/first_steps_test.ts",
    "## Completions and man pages": "tests/e2e/process/user_documents_test.ts",
  },
  "docs/JSON.md": {
    "## Requests: JSON in": "tests/e2e/process/user_documents_test.ts",
    "## Use in scripts": "tests/e2e/process/user_documents_test.ts",
  },
  "docs/OPERATIONS.md": {
    "## Install": "tests/e2e/release/release_test.ts",
    "### With Homebrew":
      "[needs Homebrew and a published release; release_test.ts reads the formula]",
    "### A certificate of your own": "tests/helpers/system/certificates.ts",
    "### As a systemd service": "tests/e2e/release/systemd_test.ts",
    "## With Let's Encrypt": "tests/e2e/release/systemd_test.ts",
    "### With Docker":
      "[needs a Docker engine: image_test.ts and packaging_test.ts try image and compose file]",
    "## Behind a web server, and over WebSocket": "tests/e2e/web/reverse_proxies_test.ts",
    "## Identity": "tests/e2e/release/documents_test.ts",
    "## Watching": "tests/e2e/release/documents_test.ts",
    "### With Prometheus": "tests/e2e/release/systemd_test.ts",
    "## Acting on a running server": "tests/e2e/release/documents_test.ts",
    "## More than one server": "tests/e2e/release/documents_test.ts",
    "### Without an outage": "tests/e2e/release/documents_test.ts",
    "## Backup": "tests/e2e/release/systemd_test.ts",
  },
  "docs/SCRIPTS.md": {
    "# In scripts": "tests/e2e/process/user_documents_test.ts",
    "## Exit codes in a script": "tests/e2e/process/user_documents_test.ts",
  },
  "docs/SEALED.md": {
    "## In one minute": "tests/e2e/process/user_documents_test.ts",
  },
};

/** Commands of other programs in the running text of OPERATIONS.md: the test that runs each, and by which words; or why none does. */
const IN_TEXT: Readonly<Record<string, string | readonly [file: string, words: string]>> = {
  "npx -y deno@2.9.6 task host": ["tests/e2e/process/host_test.ts", '"host",'],
  "npx -y deno@2.9.6 task chat --share": ["tests/e2e/process/host_test.ts", "--share"],
  "npx -y deno@2.9.6 task compile": ["tests/helpers/programs/executables.ts", "compile.ts"],
  "npx -y deno@2.9.6 task server --host 0.0.0.0":
    "[opens a port to every network of the machine: source_start_test.ts runs the task without]",
  "npx -y deno@2.9.6 task page": ["tests/e2e/release/page_build_test.ts", "page.ts"],
  "npx -y deno@2.9.6 task bench": ["tests/bench/bench_test.ts", "of Object.entries(ROWS)"],
  "npx -y deno@2.9.6 task test cluster_faults": [
    "tests/e2e/cluster/cluster_faults_test.ts",
    "CLUSTER_FAULTS",
  ],
  "dpkg -i cmdchat_*.deb": ["tests/e2e/release/release_test.ts", "dpkg --install"],
  "apt purge cmdchat": ["tests/e2e/release/release_test.ts", "dpkg --purge cmdchat"],
  "sh scripts/build/release_build.sh": ["tests/e2e/release/release_test.ts", "release_build.sh"],
  "sudo cat /etc/cmdchat/tokens": [
    "tests/e2e/release/systemd_test.ts",
    "sudo cat /etc/cmdchat/tokens",
  ],
  "journalctl -u cmdchat-server": [
    "tests/e2e/release/systemd_test.ts",
    "journalctl -u cmdchat-server",
  ],
  "journalctl -p warning": ["tests/e2e/release/systemd_test.ts", "journalctl -p warning"],
  "systemctl status cmdchat-server": [
    "tests/e2e/release/systemd_test.ts",
    "systemctl status cmdchat-server",
  ],
  "systemd-analyze security": [
    "tests/e2e/release/packaging_test.ts",
    '"security", "--offline=true"',
  ],
  "systemctl edit cmdchat-server": "[opens an editor: systemd_test.ts writes the drop-in itself]",
  "systemctl stop": ["tests/e2e/release/systemd_test.ts", "systemctl stop"],
  "docker compose exec cmdchat /usr/local/bin/cmdchat-server top": "[needs a Docker engine]",
  "docker compose kill -s HUP cmdchat":
    "[needs a Docker engine: watching_test.ts sends the signal]",
  "docker compose run --rm --no-deps cmdchat keygen > certs/identity.pem":
    "[needs a Docker engine]",
  "docker buildx build": "[needs a Docker engine]",
  "podman run": "[needs Podman and what a container may do]",
  "podman build --format docker": "[needs Podman and what a container may do]",
  "chown -R 65532 certs":
    "[belongs to the container's files: packaging_test.ts holds the user's number]",
  "chmod o-w": "[names no file: file_trust_test.ts tries folders that others may write]",
  "ssh -L 5050:127.0.0.1:5050 host": "[needs an account on another machine]",
  "ip address": "[prints what the machine has]",
  "ulimit -n": ["tests/fuzz/abuse_input_test.ts", "ulimit -n"],
};
/** How the commands of a text in backticks begin. */
const BEGINS =
  /^(?:sudo|npx|brew|docker (?:compose|buildx) [a-z]|podman [a-z]|systemctl|openssl|ssh|curl|apt|dpkg|sh |journalctl|systemd-analyze|chmod|chown|ip |ulimit)/;

const COMMAND = /^(?:sudo|cmdchat-\w+|npx|brew|docker|podman|deno|systemctl|openssl) /;

/** Headings of a document below which shell commands stand. */
async function headings(path: string): Promise<string[]> {
  const found = new Set<string>();
  let heading = "";
  for (const line of (await readText(path)).split("\n")) {
    if (/^#+ /.test(line)) heading = line;
    if (line === "```sh") found.add(heading);
  }
  return [...found];
}

/** Lines of blocks in no language, or in none that a shell reads, that somebody would type all the same. */
async function unmarkedCommands(path: string): Promise<string[]> {
  const found: string[] = [];
  let language: string | undefined;
  for (const line of (await readText(path)).split("\n")) {
    if (line.startsWith("```")) language = language === undefined ? line.slice(3) : undefined;
    else if (language === "" || language === "text") found.push(line);
  }
  return found.filter((line) => COMMAND.test(line));
}

async function documents(): Promise<string[]> {
  const found = ["README.md", "CONTRIBUTING.md", "SECURITY.md", "examples/README.md"];
  for await (const { name } of Deno.readDir("docs")) {
    if (name.endsWith(".md")) found.push(`docs/${name}`);
  }
  return found;
}

Deno.test("every block of commands in a document has its row, and there is no other row", async () => {
  for (const path of await documents()) {
    const rows = Object.keys(TYPED[path] ?? {});
    assert.deepEqual((await headings(path)).toSorted(), rows.toSorted(), path);
  }
});

Deno.test("no block hides a command behind another language than sh", async () => {
  for (const path of await documents()) assert.deepEqual(await unmarkedCommands(path), [], path);
});

Deno.test("the test that a row names reads that very block", async () => {
  for (const [path, rows] of Object.entries(TYPED)) {
    for (const [heading, test] of Object.entries(rows)) {
      if (test.startsWith("[")) continue;
      const source = await readText(test);
      assert.ok(source.includes(`"${path}"`), `${test} does not name ${path}`);
      assert.ok(source.includes(`"${heading}"`), `${test} does not name "${heading}" of ${path}`);
    }
  }
});

Deno.test("every command of another program in the text of OPERATIONS.md is run by a test, or it is said here why none runs it", async () => {
  const text = (await readText("docs/OPERATIONS.md")).replaceAll(/^```[^]*?^```$/gm, "");
  const quoted = [...text.matchAll(/`([^`]+)`/g)].map(([, code = ""]) =>
    code.replaceAll(/\s+/g, " ")
  );
  // What stands in a block as well has its row above.
  const blocks = (await readText("docs/OPERATIONS.md")).match(/^```sh$[^]*?^```$/gm)?.join("") ??
    "";
  const commands = new Set(
    quoted.filter((code) => BEGINS.test(code) && !blocks.includes(code)),
  );
  assert.deepEqual([...commands].toSorted(), Object.keys(IN_TEXT).toSorted());
  for (const [command, run] of Object.entries(IN_TEXT)) {
    if (typeof run === "string") {
      assert.match(run, /^\[.+\]$/, command);
      continue;
    }
    const [file, words] = run;
    assert.ok((await readText(file)).includes(words), `${file} does not run ${command}`);
  }
});
