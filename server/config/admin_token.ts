// The operator's token: from a variable or a file, never from a command line.

import { ConfigError } from "../../shared/base/errors.ts";
import { readSecretFile } from "./secret_file.ts";

/** Where the token may stand. */
export interface AdminTokenSources {
  readonly env: (name: string) => string | undefined;
  /** What --admin-token-file names. */
  readonly file: string | undefined;
}

/** Whether there is a token; nothing is read. Throws ConfigError where there are two. */
export function hasAdminToken({ env, file }: AdminTokenSources): boolean {
  const isInEnv = Boolean(env("CMDCHAT_ADMIN_TOKEN"));
  if (isInEnv && file !== undefined) {
    throw new ConfigError(
      "Cannot use both CMDCHAT_ADMIN_TOKEN and --admin-token-file: set one of them",
    );
  }
  return isInEnv || file !== undefined;
}

/** The token; undefined where none is set. Throws ConfigError where the file has none, or everybody may read it. */
export function readAdminToken({ env, file }: AdminTokenSources): string | undefined {
  if (!hasAdminToken({ env, file })) return undefined;
  if (file === undefined) return env("CMDCHAT_ADMIN_TOKEN");
  const token = readSecretFile("--admin-token-file", file).trim();
  if (token.length > 0 && !/[\r\n]/.test(token)) return token;
  throw new ConfigError(
    `Cannot use --admin-token-file ${JSON.stringify(file)}: one line with a token is wanted`,
  );
}
