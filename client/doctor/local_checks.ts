// What doctor looks at on this machine: the terminal, the settings file, the folder for files.

import { SlashAliases } from "../commands/aliases.ts";
import { readKeys } from "../editing/key_bindings.ts";
import { quotePath } from "../files/file_access.ts";
import { tryDownloadFolder } from "../files/save_download.ts";
import type { SettingsFile } from "../config/settings_file.ts";
import { probeTerminal, type TerminalFacts } from "../terminal/probe.ts";
import type { ColorDepth } from "../terminal/style.ts";
import type { Tty } from "../terminal/terminal.ts";
import { type Check, failed, ok, skip, warn } from "./check.ts";

const PROBE_MS = 1_000;
const COLUMNS_MIN = 40;

const DEPTHS: Readonly<Record<ColorDepth, string>> = {
  none: "no colors",
  weights: "no colors, bold and reverse",
  basic: "16 colors",
  indexed: "256 colors",
  true: "all colors",
};

/** Size, colors, UTF-8 and paste of the terminal; `open` takes it and is undefined where there is none. */
export async function checkTerminal(
  open: (() => Tty) | undefined,
  depth: ColorDepth,
): Promise<Check[]> {
  if (open === undefined) return [skip("terminal", "input and output are not both a terminal")];
  const tty = open();
  let facts: TerminalFacts;
  try {
    facts = await probeTerminal(tty, PROBE_MS);
  } finally {
    await tty.close();
  }
  return [sizeOf(tty), ok("colors", DEPTHS[depth]), charactersOf(facts), pasteOf(facts)];
}

function sizeOf({ columns, rows }: Tty): Check {
  const text = `${columns} columns, ${rows} rows`;
  return columns >= COLUMNS_MIN
    ? ok("terminal", text)
    : warn("terminal", text, `the chat reads better with ${COLUMNS_MIN} columns or more`);
}

function charactersOf({ utf8 }: TerminalFacts): Check {
  if (utf8) return ok("characters", "UTF-8");
  return warn(
    "characters",
    utf8 === undefined ? "the terminal does not say whether it shows UTF-8" : "it shows no UTF-8",
    "set the terminal to UTF-8, and LANG to a locale that ends in .UTF-8",
  );
}

function pasteOf({ bracketedPaste }: TerminalFacts): Check {
  if (bracketedPaste) return ok("paste", "pastes come in brackets: several lines stay one message");
  if (bracketedPaste === undefined) {
    return ok("paste", "the terminal does not say whether it marks pastes; most do");
  }
  return warn(
    "paste",
    "the terminal does not mark pastes",
    "each pasted line is sent as a separate message; use `send` with a pipe for longer texts",
  );
}

/** The settings file, which was read or could not be. */
export function checkSettings(settings: SettingsFile | undefined, fault: unknown): Check {
  if (fault !== undefined) return failed("settings", fault);
  if (settings === undefined) return ok("settings", "no settings file");
  const { path, profiles, aliases, keys } = settings;
  try {
    new SlashAliases(aliases);
    readKeys(keys);
  } catch (error) {
    return failed("settings", error);
  }
  const parts = [
    profiles.length === 0 ? "no profiles" : profiles.map((name) => `@${name}`).join(", "),
    ...(aliases.size > 0 ? [counted(aliases.size, "command of your own", "commands")] : []),
    ...(keys.size > 0 ? [counted(keys.size, "key of your own", "keys")] : []),
  ];
  return ok("settings", `${quotePath(path)}: ${parts.join("; ")}`);
}

function counted(count: number, one: string, many: string): string {
  return count === 1 ? `1 ${one}` : `${count} ${many} of your own`;
}

/** Whether files could be saved in `folder`; a file is made there and removed again. */
export async function checkFolder(folder: string): Promise<Check> {
  try {
    const later = await tryDownloadFolder(folder) === "there"
      ? ""
      : ", which is made with the first file";
    return ok("downloads", `${quotePath(folder)}${later}`);
  } catch (error) {
    return failed("downloads", error);
  }
}
