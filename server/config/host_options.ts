// What `cmdchat-server host` was told to do.

import {
  type CommandLineInput,
  type OptionTable,
  type OptionValues,
  parseCommandLine,
} from "../../shared/cli/command_line.ts";
import { UsageError } from "../../shared/base/errors.ts";
import { integer, toggle } from "../../shared/cli/option_values.ts";
import { DEFAULT_ROOM, parseLink } from "../../shared/text/invite_link.ts";
import { parseRoom } from "../../shared/text/names.ts";
import { SERVER_OPTIONS } from "./server_options.ts";

const { env: _env, ...MAX_FILE } = SERVER_OPTIONS["max-file"];

/** Options of `host`. */
export const HOST_OPTIONS = {
  port: {
    value: "PORT",
    parse: integer(0, 65_535),
    help: "port to listen on [default 5050, or the next free one]; 0 takes a free one",
  },
  name: {
    value: "HOST[:PORT]",
    parse: publicAddress,
    help: "name or address under which others reach this machine, such as chat.example.org",
  },
  room: {
    value: "ROOM",
    fallback: DEFAULT_ROOM,
    parse: parseRoom,
    help: "room that the links lead to",
  },
  qr: { parse: toggle, help: "print the first link as a QR code too" },
  "max-file": MAX_FILE,
  help: SERVER_OPTIONS.help,
} as const satisfies OptionTable;

/** What `host` was told to do. */
export type HostConfig = OptionValues<typeof HOST_OPTIONS>;

/** A host as links name it; the port where it is another than the one listened on. */
export interface PublicAddress {
  readonly host: string;
  readonly port: number | undefined;
}

/** Reads the command line of `host`. Throws UsageError. */
export function readHostConfig(input: CommandLineInput): HostConfig {
  const { values, positionals } = parseCommandLine(HOST_OPTIONS, input);
  if (positionals.length === 0) return values;
  throw new UsageError(
    `Cannot use ${JSON.stringify(positionals[0]?.slice(0, 80))}: host takes options only`,
    { hint: "--name HOST says under which name others reach this machine" },
  );
}

function publicAddress(text: string): PublicAddress {
  // Two colons are an IPv6 address, which stands in brackets where a port follows.
  const bare = /^[^[\]]*:[^[\]]*:[^[\]]*$/.test(text) ? `[${text}]` : text;
  try {
    if (/[/?#]/.test(bare)) throw new UsageError("more than an address");
    const { host, port } = parseLink(`cmdchat://${bare}`);
    return { host, port: /:\d+$/.test(bare) ? port : undefined };
  } catch {
    throw new UsageError("it must be a name or an address, with or without :PORT");
  }
}
