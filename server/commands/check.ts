// `cmdchat-server check`: everything that a start would read, and nothing that it would do.

import { ConfigError } from "../../shared/base/errors.ts";
import { strayVariables } from "../../shared/cli/environment_check.ts";
import { SERVER_READS } from "../../shared/cli/program_variables.ts";
import { checkTokenStrength } from "../admin/token_gate.ts";
import { checkCluster } from "../nats/join_cluster.ts";
import type { AccessToken } from "../config/access_tokens.ts";
import { isLoopback } from "../config/admin_address.ts";
import { readPageToken } from "../config/admin_token.ts";
import { openIdentity } from "../config/identity_file.ts";
import { readReloadable } from "../config/reloadable_files.ts";
import { readBans } from "./reload.ts";
import type { ServerConfig } from "../config/server_options.ts";
import { listen } from "../net/listen.ts";
import { isAddressMissing } from "../net/listen_error.ts";
import { checkDoor } from "../web/door.ts";
import { pageDoubts, readPage, servesPage } from "../web/page.ts";

/** What the command runs in. */
export interface CheckContext {
  readonly env: (name: string) => string | undefined;
  /** Prints one line on standard output. */
  readonly print: (text: string) => void;
}

/** Throws CmdchatError where a server could not start with `config`; gives exit code 0 otherwise. */
export async function checkCommand(
  config: ServerConfig,
  { env, print }: CheckContext,
): Promise<number> {
  for (const { variable, why } of strayVariables({ ...SERVER_READS, env, all: undefined })) {
    print(`warning: ${variable} has no effect: ${why}`);
  }
  const { tls, tokens } = readReloadable(config, Date.now());
  const bans = readBans(config);
  checkDoor(config, tokens.length > 0);
  const admin = config["admin-listen"];
  for (const which of ["admin", "metrics"] as const) {
    const token = readPageToken(which, { env, files: config });
    if (admin !== undefined && token !== undefined && !isLoopback(admin.hostname)) {
      checkTokenStrength(token, which);
    }
  }
  const page = servesPage(config) ? readPage() : undefined;
  for (const { origin, why } of pageDoubts(config, tls !== undefined)) {
    print(`warning: no browser can use the page at ${origin}: ${why}`);
  }
  const { fingerprint } = await openIdentity(config["identity-file"]);
  await checkCluster(config, env);
  if (await isAddressAbsent(config.host)) {
    print(
      `warning: this machine does not have the address ${config.host} now: a service waits for it`,
    );
  }
  if (tls?.lacksIssuer) print("warning: the certificate's issuer is missing; give the whole chain");
  const days = tls === undefined ? "" : `, good until ${day(tls.expiresAt)}`;
  print(`tls: ${tls === undefined ? "none" : "yes"}${days}`);
  print(`tokens: ${tokensText(tokens)}`);
  print(`page: ${page === undefined ? "none" : `SHA-256 ${page.sha256}`}`);
  if (config["bans-file"] !== undefined) print(`bans: ${bans.size}`);
  print(
    `fingerprint: ${
      config["identity-file"] === undefined ? "a new one at each start" : fingerprint
    }`,
  );
  print("the configuration is good");
  return 0;
}

/** Whether this machine lacks an address; the port may be that of a server that runs. Throws ConfigError for what is none. */
async function isAddressAbsent(host: string): Promise<boolean> {
  try {
    (await listen({ host, port: 0, tls: undefined })).close();
    return false;
  } catch (error) {
    if (error instanceof ConfigError && isAddressMissing(error.cause)) return true;
    throw error;
  }
}

function tokensText(tokens: readonly AccessToken[]): string {
  if (tokens.length === 0) return "none, open to everyone";
  const names = new Set(tokens.flatMap(({ name }) => name ?? []));
  return `${tokens.length}${names.size === 0 ? "" : ` (${[...names].join(", ")})`}`;
}

function day(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}
