// Tables of README.md and docs/OPERATIONS.md that repeat rows of the code. `deno task tables` writes them anew,
// each below a comment `<!-- table: NAME -->`; tests/docs_test.ts compares.

import { COMMANDS } from "../../client/commands/dispatcher.ts";
import { slashUsage } from "../../client/commands/command.ts";
import { CLIENT_OPTIONS, HISTORY_OPTIONS } from "../../client/config/client_options.ts";
import { COMMON_OPTIONS } from "../../client/config/connection_options.ts";
import {
  formOf as formOfSetting,
  SETTING_NAMES,
  SETTINGS,
} from "../../client/config/chat_settings.ts";
import { EXIT_CODES } from "../../client/base/exit.ts";
import { CLIENT_COMMANDS } from "../../client/config/program.ts";
import { ENVIRONMENT_ONLY, SERVER_OPTIONS } from "../../server/config/server_options.ts";
import { jsonSchema, SCHEMA_PATH } from "./json_schema.ts";
import type { OptionTable } from "../../shared/cli/command_line.ts";
import { type CommandSpec, usageOf as usageOfCommand } from "../../shared/cli/program.ts";

/** Documents with such tables. */
export const DOCUMENTS: readonly string[] = ["README.md", "docs/OPERATIONS.md"];

type Rows = readonly (readonly string[])[];

const TABLES: Readonly<Record<string, () => string>> = {
  "server options": () => optionTable(SERVER_OPTIONS),
  "server variables": () =>
    table(["variable", "what it does"], codeFirst(Object.entries(ENVIRONMENT_ONLY))),
  "client options": () => optionTable(CLIENT_OPTIONS),
  "history options": () => optionTable(HISTORY_OPTIONS),
  "client commands": () =>
    table(
      ["command", "what it does"],
      codeFirst(CLIENT_COMMANDS.map((row) => [usageOfCommand(row), row.summary])),
    ),
  "command options": () =>
    table(["command", "option", "what it does"], CLIENT_COMMANDS.flatMap(ownOptions)),
  commands: () =>
    table(
      ["command", "what it does"],
      codeFirst(COMMANDS.map((row) => [slashUsage(row), row.help])),
    ),
  settings: () =>
    table(
      ["setting", "may be", "default", "what it is"],
      SETTING_NAMES.map((name) => [
        code(name),
        formOfSetting(name),
        SETTINGS[name].fallback === "" ? "" : code(SETTINGS[name].fallback),
        SETTINGS[name].help,
      ]),
    ),
  "exit codes": () =>
    table(["code", "meaning"], EXIT_CODES.map(([code, meaning]) => [String(code), meaning])),
};

// A mark, and the table below it where one stands there already.
const MARKED = /(<!-- table: ([a-z ]+) -->\n)(?:\n(?:\|.*\n)+)?/g;

/** The text of a document with all its tables as the code has them now. Throws on an unknown name. */
export function withTables(text: string): string {
  return text.replaceAll(MARKED, (_, mark: string, name: string) => {
    const make = TABLES[name];
    if (make === undefined) throw new Error(`Cannot write the table "${name}": no such table`);
    return `${mark}\n${make()}`;
  });
}

function optionTable(options: OptionTable): string {
  const rows = Object.entries(options).map(([name, row]) => [
    code(formOf(name, row)),
    row.env === undefined ? "" : code(row.env),
    row.fallback === undefined ? "" : code(row.fallback),
    row.help,
  ]);
  return table(["option", "variable", "default", "what it does"], rows);
}

/** The options that a command does not share with the chat. */
function ownOptions({ name, options }: CommandSpec): Rows {
  if (options === HISTORY_OPTIONS || name === "doctor") return [];
  return Object.entries<OptionTable[string]>(options)
    .filter(([option]) => !(option in CLIENT_OPTIONS || option in COMMON_OPTIONS))
    .map(([option, row]) => [code(name), code(formOf(option, row)), row.help]);
}

function formOf(name: string, row: OptionTable[string]): string {
  return `--${name}${row.value === undefined ? "" : ` ${row.value}`}`;
}

function table(head: readonly string[], rows: Rows): string {
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |\n`;
  return line(head) + line(head.map(() => "---")) + rows.map(line).join("");
}

function codeFirst(rows: Rows): Rows {
  return rows.map(([first = "", ...others]) => [code(first), ...others]);
}

function code(text: string): string {
  return `\`${text}\``;
}

if (import.meta.main) {
  await Deno.writeTextFile(new URL(`../../${SCHEMA_PATH}`, import.meta.url), jsonSchema());
  for (const path of DOCUMENTS) {
    const url = new URL(`../../${path}`, import.meta.url);
    await Deno.writeTextFile(url, withTables(await Deno.readTextFile(url)));
  }
}
