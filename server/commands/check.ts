// `cmdchat-server check`: everything that a start would read, and nothing that it would do.

import { strayVariables } from "../../shared/cli/environment_check.ts";
import { SERVER_READS } from "../../shared/cli/program_variables.ts";
import { checkTokenStrength } from "../admin/token_gate.ts";
import { checkCluster } from "../nats/join_cluster.ts";
import { isLoopback } from "../config/admin_address.ts";
import { readAdminToken } from "../config/admin_token.ts";
import { openIdentity } from "../config/identity_file.ts";
import { readReloadable } from "../config/reloadable_files.ts";
import type { ServerConfig } from "../config/server_options.ts";
import { readPage, servesPage } from "../web/page.ts";

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
  const { tls, tokenDigests } = readReloadable(config, Date.now());
  const adminToken = readAdminToken({ env, file: config["admin-token-file"] });
  const admin = config["admin-listen"];
  if (admin !== undefined && adminToken !== undefined && !isLoopback(admin.hostname)) {
    checkTokenStrength(adminToken);
  }
  const page = servesPage(config) ? readPage() : undefined;
  const { fingerprint } = await openIdentity(config["identity-file"]);
  await checkCluster(config, env);
  if (tls?.lacksIssuer) print("warning: the certificate's issuer is missing; give the whole chain");
  const days = tls === undefined ? "" : `, good until ${day(tls.expiresAt)}`;
  const count = tokenDigests.length;
  print(`tls: ${tls === undefined ? "none" : "yes"}${days}`);
  print(`tokens: ${count === 0 ? "none, open to everyone" : count}`);
  print(`page: ${page === undefined ? "none" : `SHA-256 ${page.sha256}`}`);
  print(
    `fingerprint: ${
      config["identity-file"] === undefined ? "a new one at each start" : fingerprint
    }`,
  );
  print("the configuration is good");
  return 0;
}

function day(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}
