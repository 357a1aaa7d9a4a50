// `PROGRAM completions SHELL`: prints what the shell then reads.

import type { CommandLineInput, OptionTable } from "../command_line.ts";
import { parseCommandLine } from "../command_line.ts";
import { UsageError } from "../errors.ts";
import { oneOf } from "../option_values.ts";
import type { CommandSpec, ProgramSpec } from "../program.ts";
import { bashCompletion } from "./bash_completion.ts";
import { fishCompletion } from "./fish_completion.ts";
import { zshCompletion } from "./zsh_completion.ts";

/** Shells that a script can be made for. */
export const SHELLS = ["bash", "zsh", "fish"] as const;

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
      `zsh: the same with zsh into ~/.zshrc, behind compinit; ` +
      `fish: ${program} completions fish > ~/.config/fish/completions/${program}.fish`,
    ],
    options,
    completes: SHELLS,
  };
}

/** The script that the words behind `completions` ask for. Throws UsageError. */
export function completionScript(
  program: ProgramSpec,
  options: OptionTable,
  input: CommandLineInput,
): string {
  const { positionals } = parseCommandLine(options, input);
  const [word, surplus] = positionals;
  if (word === undefined || surplus !== undefined) {
    throw new UsageError(`Cannot print completions: one of ${SHELLS.join(", ")} is wanted`);
  }
  switch (shellOf(word)) {
    case "bash":
      return bashCompletion(program);
    case "zsh":
      return zshCompletion(program);
    case "fish":
      return fishCompletion(program);
  }
}

function shellOf(word: string): typeof SHELLS[number] {
  try {
    return oneOf(SHELLS)(word);
  } catch (cause) {
    if (!(cause instanceof UsageError)) throw cause;
    throw new UsageError(
      `Cannot print completions for ${JSON.stringify(word.slice(0, 80))}: ${cause.message}`,
      { cause },
    );
  }
}
