// `PROGRAM completions SHELL` as data. The code that makes the scripts is loaded only on demand.

import type { OptionTable } from "./command_line.ts";
import type { CommandSpec } from "./program.ts";

/** Shells that a script can be made for. */
export const SHELLS = ["bash", "zsh", "fish", "powershell"] as const;

/** One of SHELLS. */
export type Shell = typeof SHELLS[number];

/** The command `completions` of a program whose commands have these options. */
export function completionsCommand(
  program: string,
  options: OptionTable,
): CommandSpec<"completions"> {
  return {
    name: "completions",
    argument: SHELLS.join("|"),
    summary: "print the shell's completions",
    about: [
      `bash: put  source <(${program} completions bash)  into ~/.bashrc; ` +
      `zsh: the same with zsh into ~/.zshrc, after compinit; ` +
      `fish: ${program} completions fish > ~/.config/fish/completions/${program}.fish; ` +
      `PowerShell: put  ${program} completions powershell | Out-String | Invoke-Expression  into $PROFILE`,
    ],
    options,
    completes: SHELLS,
  };
}
