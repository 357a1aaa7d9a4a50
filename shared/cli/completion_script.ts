// `PROGRAM completions SHELL`: prints what the shell then reads.

import type { CommandLineInput, OptionTable } from "./command_line.ts";
import { parseCommandLine } from "./command_line.ts";
import { UsageError } from "../base/errors.ts";
import { oneOf } from "./option_values.ts";
import type { ProgramSpec } from "./program.ts";
import { bashCompletion } from "./bash_completion.ts";
import { type Shell, SHELLS } from "./completions_command.ts";
import { fishCompletion } from "./fish_completion.ts";
import { powershellCompletion } from "./powershell_completion.ts";
import { zshCompletion } from "./zsh_completion.ts";

/** The script that the words behind `completions` ask for. Throws UsageError. */
export function completionScript(
  program: ProgramSpec,
  options: OptionTable,
  input: CommandLineInput,
): string {
  const { positionals } = parseCommandLine(options, input);
  const [word, surplus] = positionals;
  if (word === undefined || surplus !== undefined) {
    throw new UsageError(`Cannot print completions: name one shell of ${SHELLS.join(", ")}`);
  }
  switch (shellOf(word)) {
    case "bash":
      return bashCompletion(program);
    case "zsh":
      return zshCompletion(program);
    case "fish":
      return fishCompletion(program);
    case "powershell":
      return powershellCompletion(program);
  }
}

function shellOf(word: string): Shell {
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
