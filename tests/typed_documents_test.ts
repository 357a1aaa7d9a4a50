// Shares the machine: runs beside another file of whole programs.
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
    "# Benchmarks": "[some ten minutes: tests/bench/bench_test.ts runs the rows in short]",
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
    "### With Let's Encrypt": "tests/e2e/release/systemd_test.ts",
    "### With Docker":
      "[needs a Docker engine: image_test.ts and packaging_test.ts try image and compose file]",
    "## Where only the web passes": "tests/e2e/web/reverse_proxies_test.ts",
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
      assert.ok(source.includes(path), `${test} does not name ${path}`);
      assert.ok(source.includes(heading), `${test} does not name "${heading}" of ${path}`);
    }
  }
});
