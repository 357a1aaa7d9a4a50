// A slash command is one row. /help, Tab and the tables in README and docs/CLIENT.md derive from the rows.

import { closest } from "../../shared/text/closest.ts";
import type { Chat } from "../chat/chat.ts";

/** Commands of one theme. */
export interface CommandGroup {
  readonly theme: string;
  readonly rows: readonly CommandRow[];
}

/** Commands and keys of the user's own. */
export interface UserHabits {
  /** By name, without the slash: the line that it stands for. */
  readonly aliases: ReadonlyMap<string, string>;
  /** By key: what it does instead. */
  readonly keys: ReadonlyMap<string, string>;
}

/** What a command works on. */
export interface CommandContext {
  readonly chat: Chat;
  /** Whether the client may save received files. */
  readonly downloads: boolean;
  /** All commands, for `/help`. */
  readonly groups: readonly CommandGroup[];
  /** What the user's settings file says of commands and keys of their own; absent where there is none. */
  readonly habits?: UserHabits;
  /** Leaves the chat once moving files are complete; a second call does not wait. */
  readonly quit: () => void;
}

/** One slash command. */
export interface CommandRow {
  /** Without the slash. */
  readonly name: string;
  readonly aliases?: readonly string[];
  /** Form of its argument, such as `NAME`, or `[N]` if it is optional; absent = no argument. */
  readonly argument?: string;
  /** What it requires; the dispatcher checks it before the command runs. */
  readonly needs: "nothing" | "connection" | "new protocol" | "downloads";
  readonly help: string;
  /** What Tab offers for its argument; absent: the lower-case words of its form. */
  readonly completes?:
    | "name"
    | "room"
    | "own room"
    | "path"
    | "name or path"
    | "command"
    | "transfer"
    | "setting"
    | "banned"
    | "ignored"
    | "known"
    | "long text"
    | "own message"
    | "emoji"
    | "message";
  /** Runs it; `argument` is trimmed. Throws UsageError or LimitError, which the caller shows. */
  readonly run: (context: CommandContext, argument: string) => void | Promise<unknown>;
}

/** The usage of a command, such as `/nick NAME`. */
export function slashUsage({ name, argument }: CommandRow): string {
  return argument === undefined ? `/${name}` : `/${name} ${argument}`;
}

/** What other chats call what a command does, where no letters are alike. */
export const WORDS_OF_OTHERS: ReadonlyMap<string, string> = new Map(
  Object.entries({
    away: "back",
    accept: "download get",
    last: "history scrollback",
    leave: "close",
    me: "action",
    msg: "dm notice pm whisper",
    names: "users",
    quit: "bye disconnect logout",
    rooms: "channels list",
    search: "find grep lastlog",
    send: "dcc file upload",
    status: "info",
    switch: "buffer go win window",
  }).flatMap(([name, words]) => words.split(" ").map((word) => [word, name] as const)),
);

/** The name of a command that a mistyped or foreign word may mean; `others`: what else it may mean. */
export function closestCommand(
  word: string,
  rows: readonly CommandRow[],
  others: readonly string[] = [],
): string | undefined {
  const names = [...rows.flatMap(({ name, aliases }) => [name, ...aliases ?? []]), ...others];
  const typed = word.toLowerCase();
  return WORDS_OF_OTHERS.get(typed) ?? closest(typed, names.filter((name) => name.length > 1));
}
