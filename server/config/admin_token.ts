// The admin token: from a variable or a file, never from a command line.

import { ConfigError } from "../../shared/base/errors.ts";
import { readSecretLines, readSecretVariable } from "./secret_file.ts";

/** Sources of the token. */
export interface AdminTokenSources {
  readonly env: (name: string) => string | undefined;
  /** What --admin-token-file names. */
  readonly file: string | undefined;
}

const VARIABLE = "CMDCHAT_ADMIN_TOKEN";

/** Whether there is a token; no file is read. Throws ConfigError where there are two. */
export function hasAdminToken({ env, file }: AdminTokenSources): boolean {
  const isInEnv = readSecretVariable(env, VARIABLE) !== undefined;
  if (isInEnv && file !== undefined) {
    throw new ConfigError(
      "Cannot use both CMDCHAT_ADMIN_TOKEN and --admin-token-file: set one of them",
    );
  }
  return isInEnv || file !== undefined;
}

/** The token; undefined where none is set. Throws ConfigError where the file has none, or is not to be trusted. */
export function readAdminToken({ env, file }: AdminTokenSources): string | undefined {
  if (!hasAdminToken({ env, file })) return undefined;
  if (file === undefined) return readSecretVariable(env, VARIABLE);
  const [token, surplus] = readSecretLines("--admin-token-file", file);
  if (token !== undefined && surplus === undefined) return token;
  const found = token === undefined ? "it holds no token" : "it has several lines";
  throw new ConfigError(
    `Cannot use --admin-token-file ${JSON.stringify(file)}: ${found}, and must hold one`,
  );
}
