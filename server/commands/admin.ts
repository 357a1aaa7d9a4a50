// `cmdchat-server admin`: acts on a running server.

import {
  type CommandLineInput,
  optionHelp,
  type OptionTable,
  parseCommandLine,
} from "../../shared/cli/command_line.ts";
import { ConfigError } from "../../shared/base/errors.ts";
import { toggle } from "../../shared/cli/option_values.ts";
import { columns } from "../../shared/cli/program.ts";
import { sanitizeLine } from "../../shared/base/sanitize.ts";
import { ADMIN_OPTIONS, adminPeer, sendAdminCommand } from "./admin_client.ts";
import type { CommandIo } from "./command_io.ts";
import { ADMIN_COMMANDS, ADMIN_TABLE, readAdminRequest } from "../admin/admin_commands.ts";

const { interval: _, ...PLACES } = ADMIN_OPTIONS;

/** Options of `admin`. */
export const ADMIN_COMMAND_OPTIONS = {
  ...PLACES,
  names: { parse: toggle, help: "sessions and rooms: with the names of members and open rooms" },
  json: { parse: toggle, help: "print the answer as one JSON object" },
} as const satisfies OptionTable;

/** Asks the server for what the command line says; exit code 0, throws CmdchatError. */
export async function adminCommand(input: CommandLineInput, to: CommandIo): Promise<number> {
  const { values, positionals } = parseCommandLine(ADMIN_COMMAND_OPTIONS, input);
  if (values.help) return to.write(`${adminHelp()}\n`), 0;
  const ask = readAdminRequest(positionals, values);
  const peer = adminPeer({ values, env: input.env });
  if (peer.token === undefined) {
    throw new ConfigError("Cannot ask the server: the operator's token is needed", {
      hint: "set the CMDCHAT_ADMIN_TOKEN that the server has, or --admin-token-file",
    });
  }
  const { lines, data } = await sendAdminCommand(peer, ask);
  if (values.json) to.write(`${JSON.stringify(data)}\n`);
  // Names are peers' text, and this is somebody's terminal.
  else to.write(lines.map((line) => `${sanitizeLine(line)}\n`).join(""));
  return 0;
}

/** What `admin --help` prints beside its options. */
export function adminHelp(): string {
  const rows = ADMIN_COMMANDS.map((name) => {
    const { argument, summary } = ADMIN_TABLE[name];
    return [`${name} ${argument}`.trimEnd(), summary] as const;
  });
  return `usage: cmdchat-server admin COMMAND [OPTIONS]

commands:
${columns(rows)}

options:
${optionHelp(ADMIN_COMMAND_OPTIONS)}

environment only:
  CMDCHAT_ADMIN_TOKEN  the token that the server has`;
}
