// The shells' completions of both programs as files where each shell looks for them: `completion_files.ts ROOT`.

import { CLIENT_PROGRAM } from "../../client/config/program.ts";
import { SERVER_PROGRAM } from "../../server/commands/program.ts";
import { completionScript } from "../../shared/cli/completion_script.ts";
import type { Shell } from "../../shared/cli/completions_command.ts";
import type { ProgramSpec } from "../../shared/cli/program.ts";

/** Where a package of a Unix system puts the completions of a program for a shell. */
const PLACES = {
  bash: (program: string) => `usr/share/bash-completion/completions/${program}`,
  zsh: (program: string) => `usr/share/zsh/vendor-completions/_${program}`,
  fish: (program: string) => `usr/share/fish/vendor_completions.d/${program}.fish`,
} as const satisfies Partial<Record<Shell, (program: string) => string>>;

const PROGRAMS = [CLIENT_PROGRAM, SERVER_PROGRAM];

function scriptOf(program: ProgramSpec, shell: Shell): string {
  return completionScript(program, {}, { args: [shell], env: () => undefined });
}

/** Every file of a package by its path below the root. */
export function completionFiles(): Record<string, string> {
  const shells = Object.keys(PLACES) as (keyof typeof PLACES)[];
  return Object.fromEntries(
    PROGRAMS.flatMap((program) =>
      shells.map((shell) => [PLACES[shell](program.name), scriptOf(program, shell)])
    ),
  );
}

/** The files that go with the executables for Windows, by name. */
export function windowsCompletionFiles(): Record<string, string> {
  return Object.fromEntries(
    PROGRAMS.map((program) => [
      `${program.name}-completion.ps1`,
      scriptOf(program, "powershell").replaceAll("\n", "\r\n"),
    ]),
  );
}

if (import.meta.main) {
  const [root] = Deno.args;
  if (root === undefined) throw new Error("completion_files.ts ROOT: the folder is missing");
  for (const [path, text] of Object.entries(completionFiles())) {
    const file = `${root}/${path}`;
    await Deno.mkdir(file.replace(/\/[^/]*$/, ""), { recursive: true, mode: 0o755 });
    await Deno.writeTextFile(file, text, { mode: 0o644 });
  }
}
