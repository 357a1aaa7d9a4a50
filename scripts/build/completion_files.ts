// The shells' completions of both programs as files where each shell looks for them: `completion_files.ts ROOT`.

import { CLIENT_PROGRAM } from "../../client/config/program.ts";
import { SERVER_PROGRAM } from "../../server/commands/program.ts";
import { completionScript } from "../../shared/cli/completion_script.ts";
import { SHELLS } from "../../shared/cli/completions_command.ts";

/** Where a package puts the completions of a program for a shell. */
const PLACES = {
  bash: (program: string) => `usr/share/bash-completion/completions/${program}`,
  zsh: (program: string) => `usr/share/zsh/vendor-completions/_${program}`,
  fish: (program: string) => `usr/share/fish/vendor_completions.d/${program}.fish`,
} as const satisfies Record<(typeof SHELLS)[number], (program: string) => string>;

/** Every file by its path below the root. */
export function completionFiles(): Record<string, string> {
  return Object.fromEntries(
    [CLIENT_PROGRAM, SERVER_PROGRAM].flatMap((program) =>
      SHELLS.map((shell) => [
        PLACES[shell](program.name),
        completionScript(program, {}, { args: [shell], env: () => undefined }),
      ])
    ),
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
