// The client of the admin pages: how the server's commands talk to a running server.

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

// The command may need an answer from another server of the cluster.
const COMMAND_MS = 15_000;

// The server first drains its clients' outboxes.
const HAND_OVER_MS = STOP_DRAIN_MS + 7_000;

/** Options of the commands that talk to a running server. */
export const ADMIN_OPTIONS = {
  "admin-listen": {
    ...SERVER_OPTIONS["admin-listen"],
    help: "address of the server's admin pages, as given to the server",
  },
  "admin-token-file": {
    ...SERVER_OPTIONS["admin-token-file"],
    help: "file with the server's admin token, in place of CMDCHAT_ADMIN_TOKEN",
  },
  interval: {
    value: "SECONDS",
    fallback: "1",
    parse: integer(1, 60),
    help: "top: seconds between two updates",
  },
  help: SERVER_OPTIONS.help,
} as const satisfies OptionTable;

/** Address and token of a running server's admin pages. */
export interface AdminPeer {
  readonly address: AdminAddress;
  readonly token: string | undefined;
  readonly interval: number;
}

/** Reads the command line of `health`, `top` or `keep`. Throws UsageError or ConfigError. */
export function readAdminPeer(input: CommandLineInput): AdminPeer {
  const { values, positionals } = parseCommandLine(ADMIN_OPTIONS, input);
  if (positionals.length > 0) {
    throw new UsageError(
      `Cannot use ${JSON.stringify(positionals[0])}: this command takes options only`,
    );
  }
  return { ...adminPeer({ values, env: input.env }), interval: values.interval };
}

/** Address and token of a running server's admin pages. Throws ConfigError when no address is given. */
export function adminPeer({ values, env }: {
  readonly values: {
    readonly "admin-listen": AdminAddress | undefined;
    readonly "admin-token-file": string | undefined;
  };
  readonly env: CommandLineInput["env"];
}): Pick<AdminPeer, "address" | "token"> {
  const { "admin-listen": address, "admin-token-file": file } = values;
  if (address === undefined) {
    throw new ConfigError("Cannot reach the server: --admin-listen is not given", {
      hint: "start the server with --admin-listen 5051 and give this command the same option",
    });
  }
  return { address, token: readAdminToken({ env, file }) };
}

/** Fetches a page of the server. Throws ConnectionError with the reason when it cannot. */
export async function fetchPage(
  { address, token }: Pick<AdminPeer, "address" | "token">,
  path: "/ready" | "/health" | "/metrics",
): Promise<string> {
  const where = `Cannot reach the server at ${addressText(address)}`;
  const how = { path, method: "GET", ms: ANSWER_MS } as const;
  const { status, body } = await request({ address, token }, how);
  if (status === 401) {
    throw new ConnectionError(`${where}: it requires its admin token`, {
      hint: "set CMDCHAT_ADMIN_TOKEN",
    });
  }
  if (status !== 200) throw new ConnectionError(`${where}: it answers ${status}`);
  return new TextDecoder().decode(body);
}

/** Sends a command. Throws ConnectionError when the server does not answer, RequestRefused when it refuses. */
export async function sendAdminCommand(
  { address, token }: Pick<AdminPeer, "address" | "token">,
  ask: AdminRequest,
): Promise<AdminAnswer> {
  const where = `Cannot reach the server at ${addressText(address)}`;
  const how = { path: ADMIN_PATH, method: "POST", ms: COMMAND_MS, json: ask };
  const { status, body } = await request({ address, token }, how);
  const text = new TextDecoder().decode(body);
  const answer = status === 200 ? ADMIN_ANSWER.safeParse(JSON.parse(text)) : undefined;
  if (answer?.success) return answer.data;
  switch (status) {
    case 401:
      throw new ConnectionError(`${where}: it does not accept this token`, {
        hint: "use the CMDCHAT_ADMIN_TOKEN that the server was started with",
      });
    case 404:
      throw new ConnectionError(`${where}: it has no admin commands`, {
        hint: "start it with CMDCHAT_ADMIN_TOKEN, and run this command on the same machine",
      });
    case 409:
      throw new RequestRefused(sanitizeLine(text.trim()));
  }
  throw new ConnectionError(`${where}: it answers ${status}`);
}

/** The server refused the command. */
export class RequestRefused extends CmdchatError {
  readonly exitCode = 1;
}

const ADMIN_ANSWER = z.object({
  lines: z.array(z.string()),
  data: z.record(z.string(), z.unknown()),
});

/**
 * Takes over the state of the running server, which then stops. Undefined if no server is there; throws ConfigError
 * if one is there and does not hand over.
 */
export async function requestHandOver(
  { address, token }: Pick<AdminPeer, "address" | "token">,
): Promise<Uint8Array | undefined> {
  const where = `Cannot take over from the server at ${addressText(address)}`;
  if (token === undefined || !isLoopback(address.hostname)) {
    throw new ConfigError(`${where}: it requires the admin token, and an address of this machine`, {
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
    throw new ConfigError(`${where}: it does not have the admin token`, { cause, hint });
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
    host: hostname,
    port,
    path,
    method,
    headers: {
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...(json === undefined ? {} : { "content-type": "application/json" }),
    },
    signal: AbortSignal.timeout(ms),
  };
  try {
    return await exchange(options, bytes ?? (json === undefined ? "" : JSON.stringify(json)));
  } catch (cause) {
    const what = isLate(cause) ? `no answer within ${ms / 1_000} s` : "no server listens there";
    throw new ConnectionError(`Cannot reach the server at ${addressText(address)}: ${what}`, {
      cause,
    });
  }
}

// Not fetch(): with HTTP_PROXY set it sends the admin token to the proxy, even for this machine.
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

// node:http wraps the reason of the signal.
function isLate(error: unknown): boolean {
  return error instanceof Error &&
    (error.name === "TimeoutError" || error.name === "AbortError" || isLate(error.cause));
}

// A server that listens on all addresses is reached on this machine's own.
function reachable(address: AdminAddress): AdminAddress {
  const { hostname, port } = address;
  if (hostname === "0.0.0.0") return { hostname: "127.0.0.1", port };
  return hostname === "::" ? { hostname: "::1", port } : address;
}
