// The first question of the first run: without a name in options or settings, a person at a terminal is asked for one.

import { UsageError } from "../../shared/base/errors.ts";
import { parseName } from "../../shared/text/names.ts";
import type { ClientConfig } from "../config/read_options.ts";
import type { UserSide } from "./open_console.ts";

/** The name to come with; undefined where the user gave up. Enter alone is the default, with a number if it is taken. */
export async function chooseName(
  { name, sources }: Pick<ClientConfig, "name" | "sources">,
  { console, canAsk, isPerson }: Pick<UserSide, "console" | "canAsk" | "isPerson">,
): Promise<string | undefined> {
  if (!isPerson || !canAsk || sources.has("name")) return name;
  for (;;) {
    const typed = await console.ask(`Your name (Enter: ${name}):`);
    if (typed === undefined) return undefined;
    if (typed.trim() === "") return name;
    try {
      return parseName(typed);
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
      console.print(`error: ${error.message}`);
    }
  }
}
