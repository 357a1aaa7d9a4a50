// Command lines as tables of options: parsing, the environment behind them, help and "did you mean".

import { columns } from "../text/columns.ts";
import { parseArgs } from "node:util";
import { closest } from "../text/closest.ts";
import { isSecretLink } from "../text/invite_link.ts";
import { UsageError } from "../base/errors.ts";
import { quote } from "../base/sanitize.ts";
import { toggle } from "./option_values.ts";

/** One option. Without `value` it is a switch. */
export interface OptionRow<T> {
  /** Its value's name in the help, such as `PORT`. */
  readonly value?: string;
  /** Environment variable that is asked where the option is not given. */
  readonly env?: string;
  /** One letter that may stand for it. */
  readonly short?: string;
  /** Its value where neither is given, as a user would type it; absent = undefined. */
  readonly fallback?: string;
  /** Text to value; throws UsageError that says what it must be. */
  readonly parse: (text: string) => T;
  readonly help: string;
  /** A secret's value is never repeated in an error. */
  readonly secret?: boolean;
  /** The only values it takes, where they are few; for completion. */
  readonly choices?: readonly string[];
}

/** Options by their long names. */
// deno-lint-ignore no-explicit-any -- a table holds options of different value types
export type OptionTable = Readonly<Record<string, OptionRow<any>>>;

/** What a table gives: a value, or undefined where an option has no fallback and was not given. */
export type OptionValues<R extends OptionTable> = {
  readonly [K in keyof R]: R[K] extends { fallback: string } ? ReturnType<R[K]["parse"]>
    : R[K] extends { value: string } ? ReturnType<R[K]["parse"]> | undefined
    : boolean;
};

/** Where the value of an option came from, the strongest first. */
export const SOURCES = ["typed", "profile", "environment", "settings"] as const;
/** One of SOURCES. */
export type Source = typeof SOURCES[number];

/** The value of one option in a settings file, as a user would type it. */
export interface Setting {
  readonly text: string;
  /** Where the file sets it, such as `line 3 of "config.toml"`. */
  readonly place: string;
  /** Whether it belongs to a profile that was asked for: such a value counts over the environment. */
  readonly chosen: boolean;
}

/** Where a program's arguments come from. */
export interface CommandLineInput {
  readonly args: readonly string[];
  readonly env: (name: string) => string | undefined;
  /** The settings file, where there is one. */
  readonly setting?: ((option: string) => Setting | undefined) | undefined;
}

/** A parsed command line. */
export interface CommandLine<R extends OptionTable> {
  readonly values: OptionValues<R>;
  readonly positionals: readonly string[];
  /** Names of the options that were typed. */
  readonly typed: ReadonlySet<string>;
  /** Where each value came from; a fallback is not listed. */
  readonly sources: ReadonlyMap<string, Source>;
}

/**
 * Options over the profile over the environment over the settings file over fallbacks. Throws UsageError that names
 * the option and says what it must be.
 */
export function parseCommandLine<const R extends OptionTable>(
  table: R,
  input: CommandLineInput,
): CommandLine<R> {
  const { given, positionals } = readArguments(table, input.args);
  const values: Record<string, unknown> = {};
  const sources = new Map<string, Source>();
  for (const [name, row] of Object.entries(table)) {
    const found = findValue(name, row, { ...input, typed: given.get(name) });
    // `off` is a value too, and undefined.
    values[name] = found === undefined ? fallbackOf(row) : found.value;
    if (found !== undefined) sources.set(name, found.source);
  }
  const typed = new Set(given.keys());
  return { values: values as OptionValues<R>, positionals, typed, sources };
}

interface ValueInput extends Pick<CommandLineInput, "env" | "setting"> {
  readonly typed: string | undefined;
}

function findValue(
  name: string,
  row: OptionRow<unknown>,
  { typed, env, setting: settingOf }: ValueInput,
): { readonly value: unknown; readonly source: Source } | undefined {
  if (typed !== undefined) return { value: parseValue(`--${name}`, row, typed), source: "typed" };
  const setting = settingOf?.(name);
  const fromFile = () => parseValue(name, row, setting?.text ?? "", ` in ${setting?.place}`);
  if (setting?.chosen) return { value: fromFile(), source: "profile" };
  // An empty variable counts as unset: compose files and units express "none" that way.
  const fromEnv = row.env === undefined ? undefined : env(row.env) || undefined;
  if (fromEnv !== undefined) {
    return { value: parseValue(row.env as string, row, fromEnv), source: "environment" };
  }
  return setting === undefined ? undefined : { value: fromFile(), source: "settings" };
}

function fallbackOf(row: OptionRow<unknown>): unknown {
  if (row.fallback !== undefined) return row.parse(row.fallback);
  return row.value === undefined ? false : undefined;
}

/** The option list of a help text: aligned, with defaults and variables. */
export function optionHelp(table: OptionTable): string {
  const rows = Object.entries(table).map(([name, row]) => {
    const short = row.short === undefined ? "    " : `-${row.short}, `;
    const form = `${short}--${name}${row.value === undefined ? "" : ` ${row.value}`}`;
    return [form, noteOf(row)] as const;
  });
  return columns(rows);
}

function readArguments(table: OptionTable, args: readonly string[]): {
  given: Map<string, string>;
  positionals: string[];
} {
  const options = Object.fromEntries(
    Object.entries(table).map(([name, row]) => [name, {
      type: row.value === undefined ? "boolean" as const : "string" as const,
      ...(row.short === undefined ? {} : { short: row.short }),
    }]),
  );
  const { tokens } = parseArgs({ args: [...args], options, strict: false, tokens: true });
  const given = new Map<string, string>();
  const positionals: string[] = [];
  for (const token of tokens) {
    if (token.kind === "positional") positionals.push(token.value);
    if (token.kind !== "option") continue;
    const row = Object.hasOwn(table, token.name) ? table[token.name] : undefined;
    if (row === undefined) throw unknownOption(table, token.rawName);
    given.set(token.name, valueOf(token.rawName, row, token.value));
  }
  return { given, positionals };
}

function valueOf(option: string, row: OptionRow<unknown>, value: string | undefined): string {
  if (row.value === undefined) {
    if (value === undefined) return "true";
    throw new UsageError(`Cannot use ${option} with a value: it is a switch`);
  }
  if (value === undefined) {
    throw new UsageError(`Cannot use ${option} alone: it needs ${row.value}`);
  }
  return value;
}

function unknownOption(table: OptionTable, typed: string): UsageError {
  const meant = closest(typed.replace(/^-+/, ""), Object.keys(table));
  return new UsageError(
    `Cannot use the option ${quote(typed, 80)}: there is no such option`,
    { hint: meant === undefined ? "--help lists all options" : `did you mean --${meant}?` },
  );
}

function parseValue(source: string, row: OptionRow<unknown>, text: string, place = ""): unknown {
  try {
    return row.value === undefined ? toggle(text) : row.parse(text);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    const shown = row.secret === true || isSecretLink(text)
      ? ""
      : ` ${JSON.stringify(text.slice(0, 80))}`;
    const { hint } = error;
    // What is read elsewhere as well says itself what cannot be done, and perhaps with which text.
    const why = error.message.replace(/^Cannot [^:"]*(?:".*?")?: /, "");
    throw new UsageError(`Cannot use ${source}${shown}${place}: ${why}`, {
      cause: error,
      ...(hint === undefined ? {} : { hint }),
    });
  }
}

function noteOf(row: OptionRow<unknown>): string {
  const notes = [
    row.fallback === undefined ? undefined : `default ${row.fallback}`,
    row.env === undefined ? undefined : `env ${row.env}`,
  ].filter((note) => note !== undefined);
  return notes.length === 0 ? row.help : `${row.help} [${notes.join(", ")}]`;
}
