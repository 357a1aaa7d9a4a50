// Tokens of the admin pages, from a variable or a file, never from the command line.

import { ConfigError } from "../../shared/base/errors.ts";
import { readSecretLines, readSecretVariable } from "./secret_file.ts";

/** Where each token of the pages comes from: the admin's, and one that opens only /metrics. */
const PLACES = {
  admin: { variable: "CMDCHAT_ADMIN_TOKEN", option: "admin-token-file" },
  metrics: { variable: "CMDCHAT_METRICS_TOKEN", option: "metrics-token-file" },
} as const;

/** Which token. */
export type PageToken = keyof typeof PLACES;

/** Sources of the tokens. */
export interface PageTokenSources {
  readonly env: (name: string) => string | undefined;
  /** The files that the options name. */
  readonly files: { readonly [K in PageToken as typeof PLACES[K]["option"]]?: string | undefined };
}

/** Whether a token is set; reads no file. Throws ConfigError where two are set. */
export function hasPageToken(which: PageToken, { env, files }: PageTokenSources): boolean {
  const { variable, option } = PLACES[which];
  const isInEnv = readSecretVariable(env, variable) !== undefined;
  if (isInEnv && files[option] !== undefined) {
    throw new ConfigError(`Cannot use both ${variable} and --${option}: set one of them`);
  }
  return isInEnv || files[option] !== undefined;
}

/** The token; undefined where none is set. Throws ConfigError where the file has none or is not trusted. */
export function readPageToken(which: PageToken, sources: PageTokenSources): string | undefined {
  if (!hasPageToken(which, sources)) return undefined;
  const { variable, option } = PLACES[which];
  const file = sources.files[option];
  if (file === undefined) return readSecretVariable(sources.env, variable);
  const [token, surplus] = readSecretLines(`--${option}`, file);
  if (token !== undefined && surplus === undefined) return token.text;
  const found = token === undefined ? "it holds no token" : "it has several lines";
  throw new ConfigError(
    `Cannot use --${option} ${JSON.stringify(file)}: ${found}, and must hold one`,
  );
}
