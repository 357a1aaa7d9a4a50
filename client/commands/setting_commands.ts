// Commands for what is shown to this user, and how. None of them sends anything.

import { UsageError } from "../../shared/base/errors.ts";
import { quote } from "../../shared/base/sanitize.ts";
import { listedName } from "../render/text.ts";
import { type ChatSettings, formOf, SETTINGS } from "../config/chat_settings.ts";
import type { CommandRow } from "./command.ts";
import { typedName } from "./targets.ts";

/** Rows of the commands for what is shown. */
export const SETTING_COMMANDS: readonly CommandRow[] = [
  {
    name: "set",
    argument: "[NAME [VALUE]]",
    needs: "nothing",
    help: "show the settings, or change one until you leave",
    completes: "setting",
    run({ chat }, argument) {
      const [, word = "", value = ""] = /^(\S*)\s*([\s\S]*)$/.exec(argument) ?? [];
      const { settings } = chat.output;
      if (word === "") return chat.output.answer(`settings:\n${settingsTable(settings)}`);
      const name = settings.named(word);
      if (value === "") {
        chat.output.answer(
          `${name} = ${settings.get(name) || '""'} (${formOf(name)}): ${SETTINGS[name].help}`,
        );
        return;
      }
      settings.set(name, value);
      chat.output.answer(`${name} = ${settings.get(name)}`);
    },
  },
  {
    name: "alias",
    aliases: ["keys"],
    needs: "nothing",
    help: "list your own commands and keys: [alias] and [keys] of the settings file",
    run({ chat, habits }) {
      if (chat.console.keys !== undefined) {
        return chat.output.answer(
          "There is no settings file here: you have no own commands or keys.",
        );
      }
      const rows = (of: ReadonlyMap<string, string> | undefined, sign: string) =>
        [...of ?? []].map(([name, text]) => `\n${sign}${name}  ${quote(text, 200)}`).join("");
      const commands = rows(habits?.aliases, "/");
      const keys = rows(habits?.keys, "");
      const kind = chat.output.settings.get("keys");
      chat.output.answer(
        [
          commands === "" ? NO_ALIASES : `your commands:${commands}`,
          keys === "" ? NO_KEYS : `your keys:${keys}`,
          `all others are as in ${kind} (/set keys); /help keys lists them`,
        ].join("\n"),
      );
    },
  },
  {
    name: "bell",
    argument: "[off|mention|all]",
    needs: "nothing",
    help: "when the terminal rings: never, when somebody mentions you, for every message",
    run({ chat }, argument) {
      const { settings } = chat.output;
      if (argument !== "") settings.set("bell", argument);
      chat.output.answer(`bell = ${settings.get("bell")}`);
    },
  },
  {
    name: "ignore",
    argument: "[NAME]",
    needs: "nothing",
    help: "hide the messages of somebody; alone: list whom you ignore",
    completes: "name",
    run({ chat }, argument) {
      const { ignored } = chat.output;
      const name = typedName(argument);
      if (argument === "") {
        const names = ignored.names.map(listedName).join(", ");
        return chat.output.answer(names === "" ? "You ignore nobody." : `You ignore ${names}.`);
      }
      if (name === chat.name) throw new UsageError("Cannot ignore yourself");
      ignored.add(name);
      const isHere = chat.rooms.all.some(({ roster }) => roster.find(name) !== undefined);
      chat.output.answer(
        `${quote(name)} is ignored until you leave, and is not told.` +
          (isHere ? "" : " Nobody in your rooms has this name now."),
      );
    },
  },
  {
    name: "unignore",
    argument: "NAME",
    needs: "nothing",
    help: "show the messages of somebody again",
    completes: "ignored",
    run({ chat }, argument) {
      const name = typedName(argument);
      if (!chat.output.ignored.remove(name)) {
        throw new UsageError(`Cannot unignore ${quote(name)}: you do not ignore that name`, {
          hint: "/ignore lists whom you ignore",
        });
      }
      chat.output.answer(`${quote(name)} is shown again.`);
    },
  },
  {
    name: "more",
    argument: "[N]",
    needs: "nothing",
    help: "show the rest of a long message, by default of the newest",
    completes: "long text",
    run({ chat }, argument) {
      if (!/^\d{0,9}$/.test(argument)) {
        throw new UsageError(`Cannot show more of ${quote(argument)}: the argument is a number`);
      }
      if (chat.output.showMore(argument === "" ? undefined : Number(argument))) return;
      throw new UsageError("Cannot show more: no long message has hidden rows", {
        hint: "/set fold N sets how many rows are shown at once",
      });
    },
  },
];

const NO_ALIASES =
  'you have no commands of your own; a line  hi = "/me waves"  below [alias] in config.toml makes one';
const NO_KEYS =
  'you have no keys of your own; a line  "ctrl-o" = "/names"  below [keys] in config.toml makes one';

/** All settings with their values, one per line; `/set NAME` explains one of them. */
export function settingsTable(settings: ChatSettings): string {
  // Two blanks behind each name, so that a narrow terminal keeps the values in their column.
  const { names } = settings;
  const width = 1 + Math.max(...names.map(({ length }) => length));
  return names.map((name) =>
    `${name.padEnd(width)} = ${settings.get(name) || '""'}  (${formOf(name)})`
  ).join("\n");
}
