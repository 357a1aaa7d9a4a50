// The first question of the first run: without a name in options or settings, a person at a terminal is asked for one.
// No name begins with a slash, so a line with one means a command.

import { UsageError } from "../../shared/base/errors.ts";
import { quote } from "../../shared/base/sanitize.ts";
import { errorText } from "../../shared/cli/error_report.ts";
import { parseName } from "../../shared/text/names.ts";
import { signalExitCode } from "../base/exit.ts";
import { findSlashCommand } from "../commands/dispatcher.ts";
import type { ClientConfig } from "../config/read_options.ts";
import type { UserSide } from "./open_console.ts";

/** The user leaves before the chat begins. */
export interface EarlyLeave {
  readonly exitCode: number;
}

const HELP = [
  "Type the name that others will see, or press Enter for the one shown.",
  "/quit leaves. Once you are in the chat, /help lists all commands.",
];

/** The name to come with, or that the user leaves. Enter alone is the default, with a number if it is taken. */
export async function chooseName(
  { name, sources }: Pick<ClientConfig, "name" | "sources">,
  { console, canAsk, isPerson }: Pick<UserSide, "console" | "canAsk" | "isPerson">,
): Promise<string | EarlyLeave> {
  if (!isPerson || !canAsk || sources.has("name")) return name;
  for (;;) {
    const typed = await console.ask(`Your name (Enter: ${name}):`);
    if (typed === undefined) return { exitCode: signalExitCode("SIGINT") };
    if (typed.trim() === "") return name;
    try {
      const command = commandOf(typed);
      if (command === "quit") return { exitCode: 0 };
      if (command === "help") {
        for (const line of HELP) console.print(line);
        continue;
      }
      return parseName(typed);
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
      console.print(errorText(error));
    }
  }
}

/** The command that is meant, if any. Throws UsageError for one that is for the chat, or for none. */
function commandOf(typed: string): "quit" | "help" | undefined {
  const [line, word] = /^\/(\S*).*$/.exec(typed.trim()) ?? [];
  if (line === undefined) return undefined;
  const name = findSlashCommand(word ?? "")?.name;
  if (name === "quit" || name === "help") return name;
  throw new UsageError(`Cannot use ${quote(line)} yet: choose your name first`, {
    hint: "type a name, or Enter alone; /quit leaves",
  });
}
