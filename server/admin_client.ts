// The other side of the operator's pages: what `cmdchat-server health` and `top` ask a running server.

import { type OptionTable, parseCommandLine } from "../shared/command_line.ts";
import type { CommandLineInput } from "../shared/command_line.ts";
import { ConfigError, ConnectionError, UsageError } from "../shared/errors.ts";
import { STOP_DRAIN_MS } from "../shared/limits.ts";
import { integer } from "../shared/option_values.ts";
import { addressText, type AdminAddress, isLoopback } from "./admin_address.ts";
import { HAND_OVER_PAGE } from "./admin_pages.ts";
import { SERVER_OPTIONS } from "./config.ts";

const ANSWER_MS = 3_000;

// It drains what waits for its clients first.
const HAND_OVER_MS = STOP_DRAIN_MS + 7_000;

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
  const how = { path, method: "GET", ms: ANSWER_MS } as const;
  const { response, body } = await request({ address, token }, how);
  if (response.status === 401) {
    throw new ConnectionError(`${where}: its token is needed`, { hint: "set CMDCHAT_ADMIN_TOKEN" });
  }
  if (!response.ok) throw new ConnectionError(`${where}: it answers ${response.status}`);
  return new TextDecoder().decode(body);
}

/**
 * Asks the running server for everything, upon which it stops. Undefined where nobody is there; throws ConfigError
 * where somebody is and does not hand over.
 */
export async function askToHandOver(
  { address, token }: Pick<AdminPeer, "address" | "token">,
): Promise<Uint8Array | undefined> {
  const where = `Cannot take over from the server at ${addressText(address)}`;
  if (token === undefined || !isLoopback(address.hostname)) {
    throw new ConfigError(`${where}: that needs its token, and an address of this machine`, {
      hint: "set the same CMDCHAT_ADMIN_TOKEN for both",
    });
  }
  const how = { path: HAND_OVER_PAGE, method: "POST", ms: HAND_OVER_MS };
  const answer = await request({ address, token }, how).catch((error: unknown) => {
    if (error instanceof ConnectionError && !isLate(error.cause)) return undefined;
    throw error;
  });
  if (answer === undefined || answer.response.ok) return answer?.body;
  throw new ConfigError(`${where}: it answers ${answer.response.status}`, {
    hint: "both need the same CMDCHAT_ADMIN_TOKEN, and rooms of their own (no --nats)",
  });
}

async function request(
  { address, token }: Pick<AdminPeer, "address" | "token">,
  { path, method, ms }: { readonly path: string; readonly method: string; readonly ms: number },
): Promise<{ readonly response: Response; readonly body: Uint8Array }> {
  try {
    const response = await fetch(`http://${addressText(reachable(address))}${path}`, {
      method,
      headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
      redirect: "error",
      signal: AbortSignal.timeout(ms),
    });
    return { response, body: new Uint8Array(await response.arrayBuffer()) };
  } catch (cause) {
    const what = isLate(cause) ? `no answer within ${ms / 1_000} s` : "nobody listens there";
    throw new ConnectionError(`Cannot ask the server at ${addressText(address)}: ${what}`, {
      cause,
    });
  }
}

function isLate(error: unknown): boolean {
  return error instanceof DOMException && error.name === "TimeoutError";
}

// A server that listens everywhere is asked on this machine.
function reachable(address: AdminAddress): AdminAddress {
  const { hostname, port } = address;
  if (hostname === "0.0.0.0") return { hostname: "127.0.0.1", port };
  return hostname === "::" ? { hostname: "::1", port } : address;
}
