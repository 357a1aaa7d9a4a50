// The scripts as text; tests/e2e/release/completions_test.ts tries them in the shells.

import assert from "node:assert/strict";
import { CLIENT_PROGRAM } from "../../../client/config/program.ts";
import { SERVER_PROGRAM } from "../../../server/commands/program.ts";
import { completedCommands } from "../../../shared/cli/completion_data.ts";
import { completionScript } from "../../../shared/cli/completion_script.ts";
import { SHELLS } from "../../../shared/cli/completions_command.ts";
import { windowsCompletionFiles } from "../../../scripts/build/completion_files.ts";
import { UsageError } from "../../../shared/base/errors.ts";
import { skipWithout } from "../../helpers/repo/skip.ts";

const PROGRAMS = [CLIENT_PROGRAM, SERVER_PROGRAM];

function scriptFor(shell: string, program = CLIENT_PROGRAM): string {
  return completionScript(program, {}, { args: [shell], env: () => undefined });
}

Deno.test("every command and every option stands in the script of every shell", () => {
  for (const program of PROGRAMS) {
    for (const shell of SHELLS) {
      const script = scriptFor(shell, program);
      for (const { name, options } of completedCommands(program)) {
        assert.ok(script.includes(name), `${shell}: ${name}`);
        for (const option of options) {
          const form = shell === "fish" ? `-l ${option.name}` : `--${option.name}`;
          assert.ok(script.includes(form), `${shell}: ${form}`);
        }
      }
    }
  }
});

Deno.test("options of one name mean the same in every command, as the script for bash takes it", () => {
  for (const program of PROGRAMS) {
    const offers = new Map<string, string>();
    for (const { name, value, offer } of completedCommands(program).flatMap((c) => c.options)) {
      const meaning = JSON.stringify([value, offer]);
      assert.equal(offers.get(name) ?? meaning, meaning, `--${name}`);
      offers.set(name, meaning);
    }
  }
});

Deno.test("the script for PowerShell is ASCII, closes what it opens, and expands nothing of a help text", () => {
  for (const program of PROGRAMS) {
    const script = scriptFor("powershell", program);
    // No double quote: between two of them PowerShell would expand what a help text says.
    assert.match(script, /^[\n\x20\x21\x23-\x7e]+$/);
    assert.match(
      script,
      new RegExp(
        `^Register-ArgumentCompleter -Native -CommandName '${program.name}', '${program.name}\\.exe'`,
        "m",
      ),
    );
    const code = script.replaceAll(/^ *#.*$/gm, "").replaceAll(/'(?:''|[^'])*'/g, "''");
    for (const [open, close] of [["{", "}"], ["(", ")"], ["[", "]"]] as const) {
      assert.equal(code.split(open).length, code.split(close).length, open);
    }
    assert.equal(code.match(/\$commands = @\{/g)?.length, 1);
    for (const { name, summary, options } of completedCommands(program)) {
      if (name !== "") assert.ok(script.includes(`'${name}' = '`), summary);
      for (const option of options) {
        assert.match(script, new RegExp(`Words = @\\('--${option.name}'[,)]`), name);
      }
    }
  }
});

Deno.test("the script for PowerShell says which options take a file, a folder or one of some words", () => {
  const script = scriptFor("powershell");
  assert.match(script, /'--history-file'\); Offer = 'file'/);
  assert.match(script, /'--download-dir'\); Offer = 'folder'/);
  assert.match(script, /'--renderer'\); Offer = @\('rich', 'minimal', 'json'\)/);
  assert.match(script, /'--port'\); Offer = @\(\)/);
  assert.match(script, /'--tls'\); Offer = \$null/);
  assert.match(script, /'completions' = @\('bash', 'zsh', 'fish', 'powershell'\)/);
  assert.match(script, /'history' = 'file'/);
});

Deno.test("files for Windows hold the scripts for PowerShell with its ends of lines", () => {
  const files = windowsCompletionFiles();
  assert.deepEqual(Object.keys(files), [
    "cmdchat-client-completion.ps1",
    "cmdchat-server-completion.ps1",
  ]);
  for (const text of Object.values(files)) assert.doesNotMatch(text, /[^\r]\n/);
});

Deno.test("a shell that there is not, none and two are refused", () => {
  const print = (...args: string[]) =>
    completionScript(CLIENT_PROGRAM, {}, { args, env: () => "" });
  assert.throws(() => print("tcsh"), UsageError);
  assert.throws(() => print(), UsageError);
  assert.throws(() => print("bash", "zsh"), UsageError);
});

// PowerShell is not in Debian, so its script is held by its text alone.
for (const shell of ["bash", "zsh", "fish"] as const) {
  const test = skipWithout(shell);
  test(`${shell} finds no mistake in the scripts`, async () => {
    for (const program of PROGRAMS) {
      const path = await Deno.makeTempFile();
      await Deno.writeTextFile(path, scriptFor(shell, program));
      const { success, stderr } = await new Deno.Command(shell, { args: ["-n", path] }).output();
      await Deno.remove(path);
      assert.ok(success, new TextDecoder().decode(stderr));
    }
  });
}
