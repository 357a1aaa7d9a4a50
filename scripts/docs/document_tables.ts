// Tables and pictures of the documents that repeat rows of the code. `deno task tables` writes each below a comment
// `<!-- table: NAME -->` or `<!-- picture: NAME -->`; tests/docs_test.ts compares.

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
import { listOfTexts, TEXTS_PATH } from "./user_texts.ts";
import type { OptionTable } from "../../shared/cli/command_line.ts";
import { type CommandSpec, usageOf as usageOfCommand } from "../../shared/cli/program.ts";
import { floors } from "../../tests/helpers/repo/room_rules.ts";
import { type Room, ROOMS } from "../../tests/rooms.ts";

/** Documents with such tables. */
export const DOCUMENTS: readonly string[] = [
  "README.md",
  "docs/ARCHITECTURE.md",
  "docs/CLIENT.md",
  "docs/OPERATIONS.md",
  "docs/SCRIPTS.md",
];

/** What somebody needs on the first day. */
const EVERYDAY = [
  "join",
  "switch",
  "msg",
  "edit",
  "send",
  "accept",
  "invite",
  "seal",
  "help",
  "quit",
] as const;

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
  "everyday commands": () =>
    table(
      ["command", "what it does"],
      codeFirst(
        EVERYDAY.flatMap((name) => COMMANDS.filter((row) => row.name === name))
          .map((row) => [slashUsage(row), row.help]),
      ),
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
  "rooms of server": () => roomTable("server"),
  "rooms of client": () => roomTable("client"),
  "rooms of shared": () => roomTable("shared"),
  "floors of server": () => picture("server"),
  "floors of client": () => picture("client"),
  "floors of shared": () => picture("shared"),
};

// A mark, and the table or picture below it where there is one already.
const MARKED =
  /(<!-- (?:table|picture): ([a-z ]+) -->\n)(?:\n(?:(?:\|.*\n)+|```text\n[^`]*```\n))?/g;

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

function roomsOf(side: string): (readonly [string, Room])[] {
  return Object.entries(ROOMS).filter(([room]) => room.split("/")[0] === side).reverse();
}

function shortName(room: string): string {
  return room.slice(room.indexOf("/") + 1);
}

function roomTable(side: string): string {
  const rows = roomsOf(side).map(([room, { says, uses, face }]) => [
    code(room.includes("/") ? `${room}/` : `${room}/main.ts`),
    says,
    uses.map(shortName).join(", "),
    face === "all" ? "every file" : face.join(", "),
  ]);
  return table(["room", "what it is for", "may import", "public face"], rows);
}

/** The rooms of one side, the uppermost floor first; all imports point down. */
function picture(side: string): string {
  const height = floors(ROOMS);
  const names = new Map<number, string[]>();
  for (const [room] of roomsOf(side)) {
    const floor = height.get(room) ?? 0;
    const name = room.includes("/") ? shortName(room) : "main.ts";
    names.set(floor, [...names.get(floor) ?? [], name]);
  }
  const sorted = [...names].sort(([a], [b]) => b - a);
  const digits = String(sorted[0]?.[0] ?? 0).length;
  const rows = sorted.map(([floor, rooms]) =>
    `${String(floor).padStart(digits)}  ${rooms.join(" · ")}\n`
  );
  return `\`\`\`text\n${rows.join("")}\`\`\`\n`;
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
  Deno.chdir(new URL("../..", import.meta.url));
  await Deno.writeTextFile(new URL(`../../${SCHEMA_PATH}`, import.meta.url), jsonSchema());
  await Deno.writeTextFile(new URL(`../../${TEXTS_PATH}`, import.meta.url), await listOfTexts());
  for (const path of DOCUMENTS) {
    const url = new URL(`../../${path}`, import.meta.url);
    await Deno.writeTextFile(url, withTables(await Deno.readTextFile(url)));
  }
}
