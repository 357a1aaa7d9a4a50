// The other side of the operator's pages: what `cmdchat-server health` and `top` ask a running server.

import { type OptionTable, parseCommandLine } from "../shared/command_line.ts";
import type { CommandLineInput } from "../shared/command_line.ts";
import { ConfigError, ConnectionError, UsageError } from "../shared/errors.ts";
import { integer } from "../shared/option_values.ts";
import { addressText, type AdminAddress } from "./admin_address.ts";
import { SERVER_OPTIONS } from "./config.ts";

const ANSWER_MS = 3_000;

/** Options of the programs that ask. */
export const ADMIN_OPTIONS = {
  "admin-listen": {
    ...SERVER_OPTIONS["admin-listen"],
    help: "where the server's pages are, as the server was told",
  },
  interval: {
    value: "SECONDS",
    fallback: "1",
    parse: integer(1, 60),
    help: "top: seconds between two looks",
  },
  help: SERVER_OPTIONS.help,
} as const satisfies OptionTable;

/** Whom to ask, and with which token. */
export interface AdminPeer {
  readonly address: AdminAddress;
  readonly token: string | undefined;
  readonly interval: number;
  readonly help: boolean;
}

/** Reads the command line of `health` or `top`. Throws UsageError or ConfigError. */
export function readAdminPeer(input: CommandLineInput): AdminPeer {
  const { values, positionals } = parseCommandLine(ADMIN_OPTIONS, input);
  if (positionals.length > 0) {
    throw new UsageError(`Cannot use ${JSON.stringify(positionals[0])}: only options are taken`);
  }
  const address = values["admin-listen"];
  if (address === undefined && !values.help) {
    throw new ConfigError("Cannot ask the server: --admin-listen says where its pages are", {
      hint: "start the server with --admin-listen 5051 and ask with the same option",
    });
  }
  return {
    address: address ?? { hostname: "127.0.0.1", port: 0 },
    token: input.env("CMDCHAT_ADMIN_TOKEN") || undefined,
    interval: values.interval,
    help: values.help,
  };
}

/** A page of the server. Throws ConnectionError that says why there is none. */
export async function askPage(
  { address, token }: Pick<AdminPeer, "address" | "token">,
  path: "/ready" | "/health" | "/metrics",
): Promise<string> {
  const where = `Cannot ask the server at ${addressText(address)}`;
  let response: Response;
  let text: string;
  try {
    response = await fetch(`http://${addressText(reachable(address))}${path}`, {
      headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
      redirect: "error",
      signal: AbortSignal.timeout(ANSWER_MS),
    });
    text = await response.text();
  } catch (cause) {
    const late = cause instanceof DOMException && cause.name === "TimeoutError";
    throw new ConnectionError(
      `${where}: ${late ? `no answer within ${ANSWER_MS / 1_000} s` : "nobody listens there"}`,
      { cause },
    );
  }
  if (response.status === 401) {
    throw new ConnectionError(`${where}: its token is needed`, { hint: "set CMDCHAT_ADMIN_TOKEN" });
  }
  if (!response.ok) throw new ConnectionError(`${where}: it answers ${response.status}`);
  return text;
}

// A server that listens everywhere is asked on this machine.
function reachable(address: AdminAddress): AdminAddress {
  const { hostname, port } = address;
  if (hostname === "0.0.0.0") return { hostname: "127.0.0.1", port };
  return hostname === "::" ? { hostname: "::1", port } : address;
}
