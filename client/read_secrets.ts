// Which places the token and the history's passphrase may come from.

import type { ClientConfig, HistoryConfig } from "./config.ts";
import { type Ask, readSecret } from "./secrets.ts";

/** What a secret is read with. */
export interface SecretSources {
  readonly env: (name: string) => string | undefined;
  readonly ask?: Ask | undefined;
  readonly warn: (text: string) => void;
}

/** The token, undefined where there is none; never asked for here. Throws UsageError or ConfigError. */
export function readToken(
  config: ClientConfig,
  { env, warn }: SecretSources,
): Promise<string | undefined> {
  const variable = "CMDCHAT_TOKEN";
  return readSecret({
    name: "token",
    flag: { option: "--token", value: config.token },
    environment: { variable, value: env(variable) },
    file: { option: "--token-file", path: config["token-file"] },
    warn,
  });
}

/** The history's passphrase; undefined where none was given and nobody can be asked. Throws UsageError or ConfigError. */
export function readPassphrase(
  config: Pick<HistoryConfig, "history-passphrase" | "history-passphrase-file">,
  { env, ask, warn }: SecretSources,
): Promise<string | undefined> {
  const variable = "CMDCHAT_HISTORY_PASSPHRASE";
  return readSecret({
    name: "history passphrase",
    flag: { option: "--history-passphrase", value: config["history-passphrase"] },
    environment: { variable, value: env(variable) },
    file: { option: "--history-passphrase-file", path: config["history-passphrase-file"] },
    warn,
    ...(ask === undefined ? {} : { ask }),
  });
}
