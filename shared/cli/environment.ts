// The variables of the environment. No other file of the programs reads them.

import { ConfigError } from "../base/errors.ts";

/** What a variable of the terminal counts as if it is no text: set, and to nothing that is known. */
const UNKNOWN = "\ufffd";
/** Variables that say how a terminal looks: a chat that cannot use one has a default. */
const ABOUT_THE_TERMINAL =
  /^(?:TERM|TERM_PROGRAM|COLORTERM|COLORFGBG|TMUX|STY|XTERM_VERSION|NO_COLOR|FORCE_COLOR)$/;

/**
 * An environment variable; undefined where the program may not read it. Throws ConfigError for one that is not UTF-8,
 * unless it only says how the terminal looks.
 */
export function readVariable(name: string): string | undefined {
  try {
    return Deno.env.get(name);
  } catch (cause) {
    // The executable may read only the variables that it was compiled for; others count as not set.
    if (cause instanceof Deno.errors.NotCapable) return undefined;
    if (!(cause instanceof Deno.errors.InvalidData)) throw cause;
    if (ABOUT_THE_TERMINAL.test(name)) return UNKNOWN;
    // The runtime's error repeats the value, which may be a secret: it is not kept as the cause.
    throw new ConfigError(`Cannot use the variable ${name}: it is not text in UTF-8`, {
      hint: `set it again, or remove it: unset ${name}`,
    });
  }
}

/** Names of all variables that are text; undefined where the program may read its own alone. */
export function variableNames(): string[] | undefined {
  const isAllowed = Deno.permissions.querySync({ name: "env" }).state === "granted";
  return isAllowed ? Object.keys(Deno.env.toObject()) : undefined;
}
