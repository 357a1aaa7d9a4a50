// What the generators of all shells ask of a program.

import type { OptionRow } from "./command_line.ts";
import type { CommandSpec, ProgramSpec } from "./program.ts";

/** What may stand as a value: nothing that can be offered, a file, a folder, or one of these words. */
export type Offer = "nothing" | "file" | "folder" | readonly string[];

/** One option as shells see it. */
export interface CompletedOption {
  /** Without dashes. */
  readonly name: string;
  readonly short: string | undefined;
  /** The name of its value; undefined for a switch. */
  readonly value: string | undefined;
  readonly offer: Offer;
  readonly help: string;
}

/** One command as shells see it; the program itself has the name "". */
export interface CompletedCommand {
  readonly name: string;
  readonly summary: string;
  readonly options: readonly CompletedOption[];
  /** For its arguments. */
  readonly offer: Offer;
}

/** The program itself and its commands. */
export function completedCommands(program: ProgramSpec): readonly CompletedCommand[] {
  const own: CommandSpec = { name: "", summary: program.summary, options: program.options };
  return [own, ...program.commands].map(({ name, summary, options, completes }: CommandSpec) => ({
    name,
    summary,
    offer: completes ?? "nothing",
    options: Object.entries<OptionRow<unknown>>(options).map(([option, row]) => ({
      name: option,
      short: row.short,
      value: row.value,
      help: row.help,
      offer: offerOf(row),
    })),
  }));
}

/** What has the program's name and is a function's name in every shell. */
export function functionName(program: ProgramSpec): string {
  return `_${program.name.replaceAll("-", "_")}`;
}

/** A shell line that prints the profiles, each with its @; empty where the program has none. */
export function profileLister({ profilesIn }: ProgramSpec): string {
  if (profilesIn === undefined) return "";
  const file = `"\${XDG_CONFIG_HOME:-$HOME/.config}/${profilesIn}"`;
  return `sed -n 's/^[[:space:]]*\\[server\\.\\([A-Za-z0-9_-]*\\)\\].*/@\\1/p' ${file} 2>/dev/null`;
}

function offerOf({ value, choices }: OptionRow<unknown>): Offer {
  if (choices !== undefined) return choices;
  if (value === "FILE") return "file";
  return value === "FOLDER" ? "folder" : "nothing";
}
