// What a slash command is: one row. /help, Tab and the README's table derive from the rows.

import type { Chat } from "../chat/chat.ts";

/** Commands of one theme. */
export interface CommandGroup {
  readonly theme: string;
  readonly rows: readonly CommandRow[];
}

/** What a command works on. */
export interface CommandContext {
  readonly chat: Chat;
  /** Whether received files may be saved. */
  readonly downloads: boolean;
  /** All commands, for `/help`. */
  readonly groups: readonly CommandGroup[];
  /** Leaves the chat; a second call does not wait for files. */
  readonly quit: () => void;
}

/** One slash command. */
export interface CommandRow {
  /** Without the slash. */
  readonly name: string;
  readonly aliases?: readonly string[];
  /** Form of its argument, such as `NAME`, or `[N]` where it may be left out; absent = none. */
  readonly argument?: string;
  /** What must be there before it runs; the dispatcher sees to it. */
  readonly needs: "nothing" | "connection" | "new protocol" | "downloads";
  readonly help: string;
  /** What Tab offers for its argument; absent: the words that its form has in small letters. */
  readonly completes?:
    | "name"
    | "room"
    | "own room"
    | "path"
    | "command"
    | "transfer"
    | "setting"
    | "banned"
    | "ignored"
    | "long text";
  /** `argument` is trimmed. Throws UsageError or LimitError, which are shown; resolves when it is done. */
  readonly run: (context: CommandContext, argument: string) => void | Promise<unknown>;
}

/** `/nick NAME`: how a command is called. */
export function slashUsage({ name, argument }: CommandRow): string {
  return argument === undefined ? `/${name}` : `/${name} ${argument}`;
}
