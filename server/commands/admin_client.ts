// The client of the admin pages: how the server's commands talk to a running server.

import {
  type CommandLineInput,
  type OptionTable,
  parseCommandLine,
} from "../../shared/cli/command_line.ts";
import * as z from "zod/mini";
import {
  CmdchatError,
  ConfigError,
  ConnectionError,
  UsageError,
} from "../../shared/base/errors.ts";
import { integer } from "../../shared/cli/option_values.ts";
import { sanitizeLine } from "../../shared/base/sanitize.ts";
import { addressText, type AdminAddress } from "../config/admin_address.ts";
import { readPageToken } from "../config/admin_token.ts";
import { request } from "./admin_request.ts";
import { ADMIN_PATH } from "../admin/paths.ts";
import type { AdminAnswer } from "../admin/admin_actions.ts";
import type { AdminRequest } from "../admin/admin_commands.ts";
import { SERVER_OPTIONS } from "../config/server_options.ts";

const ANSWER_MS = 3_000;

// The command may need an answer from another server of the cluster.
const COMMAND_MS = 15_000;

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
  help: SERVER_OPTIONS.help,
} as const satisfies OptionTable;

const { help, ...PLACES } = ADMIN_OPTIONS;

/** Options of `top`. */
export const TOP_OPTIONS = {
  ...PLACES,
  interval: {
    value: "SECONDS",
    fallback: "1",
    parse: integer(1, 60),
    help: "seconds between two updates",
  },
  help,
} as const satisfies OptionTable;

/** Address and token of a running server's admin pages. */
export interface AdminPeer {
  readonly address: AdminAddress;
  readonly token: string | undefined;
}

/** Where `top` looks, and how often, in seconds. */
export interface TopPeer extends AdminPeer {
  readonly interval: number;
}

/** Reads the command line of `health` or `keep`. Throws UsageError or ConfigError. */
export function readAdminPeer(input: CommandLineInput): AdminPeer {
  const { values, positionals } = parseCommandLine(ADMIN_OPTIONS, input);
  refuseWords(positionals);
  return adminPeer({ values, env: input.env });
}

/** Reads the command line of `top`. Throws UsageError or ConfigError. */
export function readTopPeer(input: CommandLineInput): TopPeer {
  const { values, positionals } = parseCommandLine(TOP_OPTIONS, input);
  refuseWords(positionals);
  return { ...adminPeer({ values, env: input.env }), interval: values.interval };
}

function refuseWords([first]: readonly string[]): void {
  if (first === undefined) return;
  throw new UsageError(`Cannot use ${JSON.stringify(first)}: this command takes options only`);
}

/** Address and token of a running server's admin pages. Throws ConfigError when no address is given. */
export function adminPeer({ values, env }: {
  readonly values: {
    readonly "admin-listen": AdminAddress | undefined;
    readonly "admin-token-file": string | undefined;
  };
  readonly env: CommandLineInput["env"];
}): AdminPeer {
  const { "admin-listen": address } = values;
  if (address === undefined) {
    throw new ConfigError("Cannot reach the server: --admin-listen is not given", {
      hint: "start the server with --admin-listen 5051 and give this command the same option",
    });
  }
  return { address, token: readPageToken("admin", { env, files: values }) };
}

/** Fetches a page of the server. Throws ConnectionError with the reason when it cannot. */
export async function fetchPage(
  { address, token }: AdminPeer,
  path: "/ready" | "/health" | "/metrics",
): Promise<string> {
  const where = `Cannot reach the server at ${addressText(address)}`;
  const { status, body } = await request({ address, token, path, method: "GET", ms: ANSWER_MS });
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
  { address, token }: AdminPeer,
  ask: AdminRequest,
): Promise<AdminAnswer> {
  const where = `Cannot reach the server at ${addressText(address)}`;
  const post = { path: ADMIN_PATH, method: "POST", ms: COMMAND_MS, json: ask };
  const { status, body } = await request({ address, token, ...post });
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
