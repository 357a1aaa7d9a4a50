// A program and its commands as data: dispatch, help, man pages, completions and the documents' tables derive from it.

import { closest } from "../text/closest.ts";
import { columns, wrapText } from "../text/columns.ts";
import { optionHelp, type OptionTable } from "./command_line.ts";
import { UsageError } from "../base/errors.ts";

/** One command of a program. */
export interface CommandSpec<Name extends string = string> {
  readonly name: Name;
  /** Form of what follows beside options, such as `FILE`. */
  readonly argument?: string;
  /** One line without a full stop. */
  readonly summary: string;
  /** What the summary does not say, as paragraphs. */
  readonly about?: readonly string[];
  readonly options: OptionTable;
  /** Its arguments, for completion: files, or one of these words. */
  readonly completes?: "file" | readonly string[];
}

/** A whole program. */
export interface ProgramSpec {
  readonly name: string;
  /** One line without a full stop. */
  readonly summary: string;
  /** How it is called without a command: form and meaning. */
  readonly usage: readonly (readonly [form: string, meaning: string])[];
  readonly options: OptionTable;
  readonly commands: readonly CommandSpec[];
  /** Variables that have no option, with what they hold. */
  readonly variables: Readonly<Record<string, string>>;
  readonly exitCodes: readonly (readonly [number, string])[];
  /** File below the user's configuration folder whose `[server.NAME]` are words `@NAME` before a command. */
  readonly profilesIn?: string;
}

/** How a command is called, without the program's name: `send [TEXT…]`. */
export function usageOf({ name, argument }: CommandSpec): string {
  return argument === undefined ? name : `${name} ${argument}`;
}

/** Whether one of these options stands among the arguments, and not behind `--`. */
export function hasOption(args: readonly string[], ...options: readonly string[]): boolean {
  const end = args.indexOf("--");
  return args.slice(0, end < 0 ? args.length : end).some((arg) => options.includes(arg));
}

const HELP_WORD = "help";

/** Whether the arguments ask for help. */
export function asksHelp(args: readonly string[]): boolean {
  return args[0] === HELP_WORD || hasOption(args, "--help", "-h");
}

/**
 * The help that the arguments ask for, undefined where they ask for none: `help`, `help COMMAND`, `--help` and
 * `COMMAND --help`. `more` are paragraphs of the program's own. Throws UsageError for an unknown command.
 */
export function askedHelp(
  program: ProgramSpec,
  args: readonly string[],
  { version, more = () => [] }: { readonly version: string; readonly more?: () => string[] },
): string | undefined {
  if (!asksHelp(args)) return undefined;
  const [first = "-", ...rest] = args;
  const word = first === HELP_WORD ? rest.find((arg) => !arg.startsWith("-")) ?? "help" : first;
  if (word === "help" || word.startsWith("-")) return programHelp(program, version, more());
  return commandHelp(program, findCommand(program.commands, word));
}

/** What `PROGRAM --help` prints; `more` goes between the variables and the exit codes. */
export function programHelp(
  program: ProgramSpec,
  version: string,
  more: readonly string[] = [],
): string {
  const { name, usage, commands } = program;
  const calls = usage.map(([form, meaning]) => [`${name} ${form}`, meaning] as const);
  const rows = commands.map((command) => [usageOf(command), command.summary] as const);
  return [
    `${name} ${version}: ${program.summary}`,
    `usage:\n${columns([...calls, [`${name} COMMAND --help`, "what a command takes"]])}`,
    `commands:\n${columns(rows)}`,
    `options:\n${optionHelp(program.options)}`,
    `environment only:\n${columns(Object.entries(program.variables))}`,
    ...more,
    ...(program.exitCodes.length === 0 ? [] : [`exit codes:\n${exitCodeHelp(program)}`]),
  ].join("\n\n");
}

/** What `PROGRAM COMMAND --help` prints. */
export function commandHelp(program: ProgramSpec, command: CommandSpec): string {
  return [
    `usage: ${program.name} ${usageOf(command)}${
      Object.keys(command.options).length === 0 ? "" : " [OPTIONS]"
    }\n\n${wrapText(command.summary).join("\n")}`,
    ...(command.about ?? []).map((paragraph) => wrapText(paragraph).join("\n")),
    ...(Object.keys(command.options).length === 0
      ? []
      : [`options:\n${optionHelp(command.options)}`]),
  ].join("\n\n");
}

function exitCodeHelp({ exitCodes }: ProgramSpec): string {
  return columns(exitCodes.map(([code, meaning]) => [String(code), meaning]));
}

/** The command of this name. Throws UsageError with the one that was probably meant. */
export function findCommand<Name extends string>(
  commands: readonly CommandSpec<Name>[],
  word: string,
  { other }: { readonly other?: string } = {},
): CommandSpec<Name> {
  const found = commands.find(({ name }) => name === word);
  if (found !== undefined) return found;
  const names = commands.map(({ name }) => name);
  const meant = closest(word, names);
  throw new UsageError(`Cannot use ${JSON.stringify(word.slice(0, 80))}: no such command`, {
    hint: meant === undefined
      ? [`commands: ${names.join(", ")}`, ...other === undefined ? [] : [other]].join("; ")
      : `did you mean ${meant}?`,
  });
}
