// Variables in a file, as a service manager would set them. The file overrides the environment, and unlike the
// environment it can be read again while the server runs.

import { ConfigError } from "../../shared/base/errors.ts";
import { type CommandLineInput, parseCommandLine } from "../../shared/cli/command_line.ts";
import { strayVariables } from "../../shared/cli/environment_check.ts";
import { SERVER_READS } from "../../shared/cli/program_variables.ts";
import { readSecretLines } from "./secret_file.ts";
import { SERVER_OPTIONS } from "./server_options.ts";

const LINE = /^([A-Za-z_][A-Za-z0-9_]*)=(.*)$/s;
const QUOTED = /^(["'])(.*)\1$/s;

/** The variables in a file, lines of NAME=value; a line that begins with # is a comment. Throws ConfigError. */
function readSettingsFile(path: string): ReadonlyMap<string, string> {
  const trouble = `Cannot use --settings-file ${JSON.stringify(path)}`;
  const settings = new Map<string, string>();
  for (const { line, text } of readSecretLines("--settings-file", path)) {
    if (text.startsWith("#")) continue;
    const [, name, value] = LINE.exec(text) ?? [];
    if (name === undefined || value === undefined) {
      throw new ConfigError(`${trouble}: line ${line} is not NAME=value`);
    }
    refuseStray(name, `${trouble}: line ${line} has no effect`);
    settings.set(name, value.trim().replace(QUOTED, "$2"));
  }
  return settings;
}

/** A command line with the variables of the file that it names over those of the environment. Throws CmdchatError. */
export function settle(input: CommandLineInput): CommandLineInput {
  const path = parseCommandLine(SERVER_OPTIONS, input).values["settings-file"];
  if (path === undefined) return input;
  const settings = readSettingsFile(path);
  // An empty value means not set.
  return {
    ...input,
    env: (name) => settings.has(name) ? settings.get(name) || undefined : input.env(name),
  };
}

function refuseStray(name: string, trouble: string): void {
  const known = { ...SERVER_READS, all: [name] };
  if (!name.startsWith("CMDCHAT_")) {
    throw new ConfigError(`${trouble}: only variables of cmdchat-server are read there`);
  }
  if (name === SERVER_OPTIONS["settings-file"].env) {
    throw new ConfigError(`${trouble}: a settings file names no other one`);
  }
  const [stray] = strayVariables({ ...known, env: () => "set" });
  if (stray !== undefined) throw new ConfigError(`${trouble}: ${stray.why}`);
}
