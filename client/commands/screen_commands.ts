// Commands about the screen and the program.

import { stripVTControlCharacters } from "node:util";
import { UsageError } from "../../shared/base/errors.ts";
import type { Chat } from "../chat/chat.ts";
import { type CommandGroup, type CommandRow, slashUsage } from "./command.ts";

const LAST_DEFAULT = 20;

const SLASH = ["//TEXT", "send a line that starts with a slash"] as const;

const KEYS: readonly (readonly [string, string])[] = [
  ["Enter", "send"],
  ["Alt-Enter", "a further line in the message; pasted lines stay one message"],
  ["Alt-1 … Alt-9", "go to another one of your rooms"],
  ["Tab", "complete commands, names, rooms, paths and :emoji; again for the next one"],
  ["Up, Down", "what you typed before; Ctrl-R searches it"],
  ["Ctrl-A, Ctrl-E", "start and end of the line; Alt-B, Alt-F by words"],
  ["Ctrl-U, Ctrl-K, Ctrl-W", "cut to the start, to the end, a word; Ctrl-Y puts back"],
  ["Ctrl-X Ctrl-E", "write the message in $VISUAL or $EDITOR"],
  ["Ctrl-_", "undo"],
  ["Ctrl-L", "clear the screen"],
  ["Ctrl-C", "drop what is typed; on an empty line: quit"],
  ["Ctrl-D", "quit, on an empty line"],
];

/** Rows of the commands about the screen and the program. */
export const SCREEN_COMMANDS: readonly CommandRow[] = [
  {
    name: "last",
    argument: "[N]",
    needs: "nothing",
    help: `show the last N lines again (${LAST_DEFAULT} unless told)`,
    run({ chat }, argument) {
      if (!/^\d{0,6}$/.test(argument)) {
        throw new UsageError(
          `Cannot show the last ${JSON.stringify(argument)}: a number is wanted`,
        );
      }
      const count = argument === "" ? LAST_DEFAULT : Number(argument);
      chat.output.showLast(count, chat.rooms.current?.title);
    },
  },
  {
    name: "status",
    needs: "nothing",
    help: "say where you are, who can read it, and how the link is",
    run: ({ chat }) => tellStatus(chat),
  },
  {
    name: "clear",
    needs: "nothing",
    help: "wipe the screen and the lines kept for /last",
    run({ chat }) {
      chat.output.forget();
      chat.console.clear();
    },
  },
  {
    name: "help",
    aliases: ["?"],
    argument: "[COMMAND|keys|all]",
    needs: "nothing",
    help: "list commands; COMMAND: what one does; keys: the keys; all: what each does",
    completes: "command",
    run: ({ chat, groups }, argument) => chat.output.answer(helpText(groups, argument)),
  },
  {
    name: "quit",
    aliases: ["exit", "q"],
    needs: "nothing",
    help: "leave; waits for files that are on their way, a second time does not",
    run: ({ quit }) => quit(),
  },
];

/** Says what stands in the status line, for who has none. */
export function tellStatus(chat: Chat): void {
  chat.output.answer(stripVTControlCharacters(chat.console.status));
}

/** What `/help` says to its argument. Throws UsageError where there is no such command. */
export function helpText(groups: readonly CommandGroup[], argument: string): string {
  const rows = groups.flatMap((group) => group.rows);
  switch (argument) {
    case "":
      return overview(groups);
    case "keys":
      return `keys:\n${aligned(KEYS)}`;
    case "all":
      return `commands:\n${slashHelp(rows)}\n${aligned([SLASH])}`;
    default:
      return helpOf(rows, argument);
  }
}

/** Names alone: what they do would be longer than a screen. */
function overview(groups: readonly CommandGroup[]): string {
  const lines = groups.map(({ theme, rows }) =>
    [theme, rows.map(({ name }) => `/${name}`).join(" ")] as const
  );
  return `/help COMMAND, /help keys or /help all says what they do\n${aligned(lines)}`;
}

/** All commands, one a line, aligned. */
export function slashHelp(rows: readonly CommandRow[]): string {
  return aligned(rows.map((row) => [slashUsage(row), row.help]));
}

function helpOf(rows: readonly CommandRow[], argument: string): string {
  const name = argument.replace(/^\//, "");
  const row = rows.find((row) => row.name === name || row.aliases?.includes(name));
  if (row === undefined) {
    throw new UsageError(`Cannot help with ${JSON.stringify(argument)}: there is no such command`);
  }
  const aliases = row.aliases === undefined ? "" : ` (also /${row.aliases.join(", /")})`;
  return `${slashUsage(row)}  ${row.help}${aliases}`;
}

function aligned(rows: readonly (readonly [string, string])[]): string {
  const width = Math.max(...rows.map(([left]) => left.length)) + 2;
  return rows.map(([left, right]) => left.padEnd(width) + right).join("\n");
}
