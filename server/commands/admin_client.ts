// The other side of the operator's pages: what `cmdchat-server health` and `top` ask a running server.

import {
  type CommandLineInput,
  type OptionTable,
  parseCommandLine,
} from "../../shared/cli/command_line.ts";
import { type IncomingMessage, request as openRequest, type RequestOptions } from "node:http";
import * as z from "zod";
import {
  CmdchatError,
  ConfigError,
  ConnectionError,
  CryptoError,
  UsageError,
} from "../../shared/base/errors.ts";
import { STOP_DRAIN_MS } from "../config/limits.ts";
import { integer } from "../../shared/cli/option_values.ts";
import { concatBytes } from "../../shared/base/bytes.ts";
import { sanitizeLine } from "../../shared/base/sanitize.ts";
import { addressText, type AdminAddress, isLoopback } from "../config/admin_address.ts";
import { readAdminToken } from "../config/admin_token.ts";
import { ADMIN_PATH, HAND_OVER_PATH } from "../admin/paths.ts";
import type { AdminAnswer } from "../admin/admin_actions.ts";
import type { AdminRequest } from "../admin/admin_commands.ts";
import { SERVER_OPTIONS } from "../config/server_options.ts";
import { CHALLENGE_BYTES, handOverRequest } from "../admin/hand_over_auth.ts";

const ANSWER_MS = 3_000;

// Another server of a cluster may have to be asked, behind others who wait for their turn.
const OPERATOR_MS = 15_000;

// It drains what waits for its clients first.
const HAND_OVER_MS = STOP_DRAIN_MS + 7_000;

/** Options of the programs that ask. */
export const ADMIN_OPTIONS = {
  "admin-listen": {
    ...SERVER_OPTIONS["admin-listen"],
    help: "where the server's pages are, as the server was told",
  },
  "admin-token-file": {
    ...SERVER_OPTIONS["admin-token-file"],
    help: "the server's token, in place of CMDCHAT_ADMIN_TOKEN",
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
  const { interval, help } = values;
  if (help) {
    return { address: { hostname: "127.0.0.1", port: 0 }, token: undefined, interval, help };
  }
  return { ...adminPeer({ values, env: input.env }), interval, help };
}

/** Whom to ask, and with which token. Throws ConfigError where that is not said. */
export function adminPeer({ values, env }: {
  readonly values: {
    readonly "admin-listen": AdminAddress | undefined;
    readonly "admin-token-file": string | undefined;
  };
  readonly env: CommandLineInput["env"];
}): Pick<AdminPeer, "address" | "token"> {
  const { "admin-listen": address, "admin-token-file": file } = values;
  if (address === undefined) {
    throw new ConfigError("Cannot ask the server: --admin-listen says where its pages are", {
      hint: "start the server with --admin-listen 5051 and ask with the same option",
    });
  }
  return { address, token: readAdminToken({ env, file }) };
}

/** A page of the server. Throws ConnectionError that says why there is none. */
export async function fetchPage(
  { address, token }: Pick<AdminPeer, "address" | "token">,
  path: "/ready" | "/health" | "/metrics",
): Promise<string> {
  const where = `Cannot ask the server at ${addressText(address)}`;
  const how = { path, method: "GET", ms: ANSWER_MS } as const;
  const { status, body } = await request({ address, token }, how);
  if (status === 401) {
    throw new ConnectionError(`${where}: its token is needed`, { hint: "set CMDCHAT_ADMIN_TOKEN" });
  }
  if (status !== 200) throw new ConnectionError(`${where}: it answers ${status}`);
  return new TextDecoder().decode(body);
}

/** Has the server do what the operator asks for. Throws ConnectionError where it does not answer, LimitError where it refuses. */
export async function sendAdminCommand(
  { address, token }: Pick<AdminPeer, "address" | "token">,
  ask: AdminRequest,
): Promise<AdminAnswer> {
  const where = `Cannot ask the server at ${addressText(address)}`;
  const how = { path: ADMIN_PATH, method: "POST", ms: OPERATOR_MS, json: ask };
  const { status, body } = await request({ address, token }, how);
  const text = new TextDecoder().decode(body);
  const answer = status === 200 ? OPERATOR_ANSWER.safeParse(JSON.parse(text)) : undefined;
  if (answer?.success) return answer.data;
  switch (status) {
    case 401:
      throw new ConnectionError(`${where}: it does not take this token`, {
        hint: "the CMDCHAT_ADMIN_TOKEN that it was started with is wanted",
      });
    case 404:
      throw new ConnectionError(`${where}: it has no operator commands`, {
        hint: "start it with CMDCHAT_ADMIN_TOKEN, and ask on the same machine",
      });
    case 409:
      throw new RequestRefused(sanitizeLine(text.trim()));
  }
  throw new ConnectionError(`${where}: it answers ${status}`);
}

/** The server looked at what was asked, and it cannot be done. */
export class RequestRefused extends CmdchatError {
  readonly exitCode = 1;
}

const OPERATOR_ANSWER = z.object({
  lines: z.array(z.string()),
  data: z.record(z.string(), z.unknown()),
});

/**
 * Asks the running server for everything, upon which it stops. Undefined where nobody is there; throws ConfigError
 * where somebody is and does not hand over.
 */
export async function requestHandOver(
  { address, token }: Pick<AdminPeer, "address" | "token">,
): Promise<Uint8Array | undefined> {
  const where = `Cannot take over from the server at ${addressText(address)}`;
  if (token === undefined || !isLoopback(address.hostname)) {
    throw new ConfigError(`${where}: that needs its token, and an address of this machine`, {
      hint: "set the same CMDCHAT_ADMIN_TOKEN for both",
    });
  }
  const at = { path: HAND_OVER_PATH, ms: HAND_OVER_MS };
  const hint = "both need the same CMDCHAT_ADMIN_TOKEN, and rooms of their own (no --nats)";
  const peer = { address, token: undefined };
  const challenge = await request(peer, { ...at, method: "GET" }).catch((error: unknown) => {
    if (error instanceof ConnectionError && !isLate(error.cause)) return undefined;
    throw error;
  });
  if (challenge === undefined) return undefined;
  if (challenge.status !== 200 || challenge.body.length !== CHALLENGE_BYTES) {
    throw new ConfigError(`${where}: it answers ${challenge.status}`, { hint });
  }
  const ask = handOverRequest(token, challenge.body);
  const answer = await request(peer, { ...at, method: "POST", bytes: ask.body });
  if (answer.status !== 200) {
    throw new ConfigError(`${where}: it answers ${answer.status}`, { hint });
  }
  try {
    return ask.open(answer.body);
  } catch (cause) {
    if (!(cause instanceof CryptoError)) throw cause;
    throw new ConfigError(`${where}: it does not have the token`, { cause, hint });
  }
}

interface Answer {
  readonly status: number;
  readonly body: Uint8Array;
}

interface Asked {
  readonly path: string;
  readonly method: string;
  readonly ms: number;
  readonly json?: unknown;
  readonly bytes?: Uint8Array<ArrayBuffer>;
}

async function request(
  { address, token }: Pick<AdminPeer, "address" | "token">,
  { path, method, ms, json, bytes }: Asked,
): Promise<Answer> {
  const { hostname, port } = reachable(address);
  const options = {
    ...{ host: hostname, port, path, method },
    headers: {
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...(json === undefined ? {} : { "content-type": "application/json" }),
    },
    signal: AbortSignal.timeout(ms),
  };
  try {
    return await exchange(options, bytes ?? (json === undefined ? "" : JSON.stringify(json)));
  } catch (cause) {
    const what = isLate(cause) ? `no answer within ${ms / 1_000} s` : "nobody listens there";
    throw new ConnectionError(`Cannot ask the server at ${addressText(address)}: ${what}`, {
      cause,
    });
  }
}

// Not fetch(): where HTTP_PROXY is set it gives the operator's token to the proxy, also on the way to this machine.
async function exchange(
  options: RequestOptions,
  body: string | Uint8Array,
): Promise<Answer> {
  const answer = Promise.withResolvers<IncomingMessage>();
  const asked = openRequest(options, answer.resolve);
  asked.on("error", answer.reject);
  asked.end(body);
  const response = await answer.promise;
  const chunks: Uint8Array[] = [];
  for await (const chunk of response) chunks.push(chunk);
  return { status: response.statusCode ?? 0, body: concatBytes(chunks) };
}

// node:http wraps the reason of its signal.
function isLate(error: unknown): boolean {
  return error instanceof Error &&
    (error.name === "TimeoutError" || error.name === "AbortError" || isLate(error.cause));
}

// A server that listens everywhere is asked on this machine.
function reachable(address: AdminAddress): AdminAddress {
  const { hostname, port } = address;
  if (hostname === "0.0.0.0") return { hostname: "127.0.0.1", port };
  return hostname === "::" ? { hostname: "::1", port } : address;
}
