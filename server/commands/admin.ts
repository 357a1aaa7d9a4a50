// `cmdchat-server admin`: sends a command to a running server.

import {
  type CommandLineInput,
  type OptionTable,
  parseCommandLine,
} from "../../shared/cli/command_line.ts";
import { ConfigError } from "../../shared/base/errors.ts";
import { toggle } from "../../shared/cli/option_values.ts";
import { sanitizeLine } from "../../shared/base/sanitize.ts";
import { ADMIN_OPTIONS, adminPeer, sendAdminCommand } from "./admin_client.ts";
import type { CommandIo } from "./command_io.ts";
import { readAdminRequest } from "../admin/admin_commands.ts";

/** Options of `admin`. */
export const ADMIN_COMMAND_OPTIONS = {
  ...ADMIN_OPTIONS,
  names: { parse: toggle, help: "sessions and rooms: show the names of members and open rooms" },
  json: { parse: toggle, help: "print the answer as one JSON object" },
} as const satisfies OptionTable;

/** Sends the command of the command line; exit code 0, throws CmdchatError. */
export async function adminCommand(input: CommandLineInput, to: CommandIo): Promise<number> {
  const { values, positionals } = parseCommandLine(ADMIN_COMMAND_OPTIONS, input);
  const ask = readAdminRequest(positionals, values);
  const peer = adminPeer({ values, env: input.env });
  if (peer.token === undefined) {
    throw new ConfigError("Cannot reach the server: the admin token is required", {
      hint: "set the server's CMDCHAT_ADMIN_TOKEN, or --admin-token-file",
    });
  }
  const { lines, data } = await sendAdminCommand(peer, ask);
  if (values.json) to.write(`${JSON.stringify(data)}\n`);
  // Names are text of peers, and this goes to a terminal.
  else to.write(lines.map((line) => `${sanitizeLine(line)}\n`).join(""));
  return 0;
}
