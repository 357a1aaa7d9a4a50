// Parses a typed line and runs its command; the one place that enforces the requirements of a command's row.

import { ConnectionError, UsageError } from "../../shared/base/errors.ts";
import { quote } from "../../shared/base/sanitize.ts";
import type { Chat } from "../chat/chat.ts";
import { CHAT_COMMANDS } from "./chat_commands.ts";
import {
  closestCommand,
  type CommandContext,
  type CommandGroup,
  type CommandRow,
  slashUsage,
} from "./command.ts";
import { DIRECT_COMMANDS } from "./direct_commands.ts";
import { FILE_COMMANDS } from "./file_commands.ts";
import { INVITE_COMMANDS } from "./invite_commands.ts";
import { MODERATION_COMMANDS } from "./moderation_commands.ts";
import { PEOPLE_COMMANDS } from "./people_commands.ts";
import { ROOM_COMMANDS } from "./room_commands.ts";
import { SEALED_COMMANDS } from "./sealed_commands.ts";
import { SCREEN_COMMANDS } from "./screen_commands.ts";
import { SETTING_COMMANDS } from "./setting_commands.ts";

/** All commands by theme, in the order of `/help`. */
export const COMMAND_GROUPS: readonly CommandGroup[] = [
  { theme: "talking", rows: [...CHAT_COMMANDS, ...DIRECT_COMMANDS] },
  { theme: "rooms", rows: ROOM_COMMANDS },
  { theme: "moderating", rows: MODERATION_COMMANDS },
  { theme: "inviting", rows: INVITE_COMMANDS },
  { theme: "sealed rooms", rows: SEALED_COMMANDS },
  { theme: "people", rows: PEOPLE_COMMANDS },
  { theme: "files", rows: FILE_COMMANDS },
  { theme: "reading", rows: SETTING_COMMANDS },
  { theme: "the program", rows: SCREEN_COMMANDS },
];

/** All commands, in the order of `/help`. */
export const COMMANDS: readonly CommandRow[] = COMMAND_GROUPS.flatMap(({ rows }) => rows);

/** A typed line: a message, or a command with its argument. */
export type ParsedLine =
  | { readonly kind: "message"; readonly text: string }
  | { readonly kind: "command"; readonly row: CommandRow; readonly argument: string };

/**
 * Parses a line; `//text` is the message `/text`. Throws UsageError for an unknown command; `others`: what else the user
 * may have meant.
 */
export function parseLine(line: string, others: readonly string[] = []): ParsedLine {
  if (!line.startsWith("/")) return { kind: "message", text: line };
  if (line.startsWith("//")) return { kind: "message", text: line.slice(1) };
  const [, word = "", argument = ""] = /^\/(\S*)\s*([\s\S]*)$/.exec(line) ?? [];
  const row = findSlashCommand(word);
  if (row === undefined) throw unknownCommand(word, others);
  return { kind: "command", row, argument: argument.trim() };
}

/** The command of this name or alias, without the slash. */
export function findSlashCommand(word: string): CommandRow | undefined {
  const name = word.toLowerCase();
  return COMMANDS.find((row) => row.name === name || row.aliases?.includes(name));
}

/** Checks the requirements of a command and runs it. Throws UsageError, LimitError or ConnectionError. */
export async function runCommand(
  row: CommandRow,
  argument: string,
  context: CommandContext,
): Promise<unknown> {
  const takesNone = row.argument === undefined;
  if (takesNone && argument !== "") {
    throw new UsageError(`Cannot use /${row.name} with ${quote(argument)}: it takes no argument`);
  }
  if (!takesNone && !isOptional(row.argument) && argument === "") {
    throw new UsageError(
      `Cannot use /${row.name} without an argument: the form is ${slashUsage(row)}`,
    );
  }
  requireNeeds(row, context);
  return await row.run(context, argument);
}

/** Whether the whole form of an argument is in brackets, such as `[NAME [VALUE]]`. */
function isOptional(form: string): boolean {
  const outside = form.replace(/\[[^[\]]*\]/g, "");
  return outside === form ? form.trim() === "" : isOptional(outside);
}

function requireNeeds(row: CommandRow, { chat, downloads }: CommandContext): void {
  switch (row.needs) {
    case "nothing":
      return;
    case "new protocol":
      if (chat.isV1) {
        throw new UsageError(
          `Cannot use /${row.name}: the server speaks the old protocol, which does not have it`,
        );
      }
      return requireConnection(row, chat);
    case "connection":
      return requireConnection(row, chat);
    case "downloads":
      if (!downloads) {
        throw new UsageError(
          `Cannot use /${row.name}: this client may not save files`,
          {
            hint: "start it without --no-downloads; in a pipe, with --accept-files",
          },
        );
      }
  }
}

function requireConnection(row: CommandRow, chat: Chat): void {
  if (chat.connected) return;
  throw new ConnectionError(`Cannot use /${row.name}: there is no connection to the server`, {
    hint: "/reconnect tries again at once",
  });
}

function unknownCommand(word: string, others: readonly string[]): UsageError {
  const meant = closestCommand(word, COMMANDS, others);
  return new UsageError(`Cannot use ${quote(`/${word}`)}: there is no such command`, {
    hint: meant === undefined
      ? "/help lists all commands; start the line with // to send a message that begins with a slash"
      : `did you mean /${meant}?`,
  });
}
