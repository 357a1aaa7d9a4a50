// Which places the token and the passphrases of the history and of the device key may come from.

import type { Source } from "../../shared/cli/command_line.ts";
import { UsageError } from "../../shared/base/errors.ts";
import { parseProxyAuth, type ProxyAuth } from "./proxy_url.ts";
import type { ClientConfig, HistoryConfig } from "./read_options.ts";
import { type Ask, readSecret } from "./secret_source.ts";

/** What a secret is read with. */
export interface SecretSources {
  readonly env: (name: string) => string | undefined;
  readonly ask?: Ask | undefined;
  readonly warn: (text: string) => void;
}

interface Secret {
  readonly name: string;
  readonly option: "token" | "history-passphrase";
  readonly variable: string;
  readonly value: string | undefined;
  readonly path: string | undefined;
  readonly sources: ReadonlyMap<string, Source> | undefined;
}

/** The token, undefined where there is none; never asked for here. Throws UsageError or ConfigError. */
export function readToken(
  config: Pick<ClientConfig, "token" | "token-file"> & Partial<Pick<ClientConfig, "sources">>,
  { env, warn }: SecretSources,
): Promise<string | undefined> {
  return read({
    name: "token",
    option: "token",
    variable: "CMDCHAT_TOKEN",
    value: config.token,
    path: config["token-file"],
    sources: config.sources,
  }, { env, warn });
}

/** User and password for the proxy; undefined if none are given. Throws UsageError or ConfigError. */
export async function readProxyAuth(
  config: Pick<ClientConfig, "proxy-auth-file">,
  { env, warn }: SecretSources,
): Promise<ProxyAuth | undefined> {
  const name = "user and password of the proxy";
  const text = await readSecret({
    name,
    environment: { variable: "CMDCHAT_PROXY_AUTH", value: env("CMDCHAT_PROXY_AUTH") },
    file: { option: "--proxy-auth-file", path: config["proxy-auth-file"] },
    warn,
  });
  try {
    return text === undefined ? undefined : parseProxyAuth(text);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    throw new UsageError(`Cannot use the ${name}: ${error.message}`);
  }
}

/** The history's passphrase; undefined where none was given and nobody can be asked. Throws UsageError or ConfigError. */
export function readPassphrase(
  config:
    & Pick<HistoryConfig, "history-passphrase" | "history-passphrase-file">
    & Partial<Pick<HistoryConfig, "sources">>,
  sources: SecretSources,
): Promise<string | undefined> {
  return read({
    name: "history passphrase",
    option: "history-passphrase",
    variable: "CMDCHAT_HISTORY_PASSPHRASE",
    value: config["history-passphrase"],
    path: config["history-passphrase-file"],
    sources: config.sources,
  }, sources);
}

/** The device key's passphrase; undefined where none was given and nobody can be asked. Throws UsageError or ConfigError. */
export function readKeyPassphrase(
  config: { readonly "device-key-passphrase-file": string | undefined },
  { env, ask, warn }: SecretSources,
): Promise<string | undefined> {
  const variable = "CMDCHAT_DEVICE_KEY_PASSPHRASE";
  return readSecret({
    name: "passphrase of the device key",
    environment: { variable, value: env(variable) },
    file: {
      option: "--device-key-passphrase-file",
      path: config["device-key-passphrase-file"],
    },
    warn,
    ...(ask === undefined ? {} : { ask }),
  });
}

function read(secret: Secret, { env, ask, warn }: SecretSources): Promise<string | undefined> {
  const { name, option, variable, value, path, sources } = secret;
  const fileOption = `${option}-file`;
  const own = sources?.get(option);
  const isTyped = own === undefined || own === "typed";
  // What was asked for counts over a variable that happens to be set.
  const isChosen = [own, sources?.get(fileOption)].some((source) =>
    source === "typed" || source === "profile"
  );
  return readSecret({
    name,
    flag: { option: `--${option}`, value: isTyped ? value : undefined },
    environment: { variable, value: isChosen ? undefined : env(variable) },
    file: { option: `--${fileOption}`, path: hidesFile(sources, option) ? undefined : path },
    setting: isTyped ? undefined : value,
    warn,
    ...(ask === undefined ? {} : { ask }),
  });
}

/** Whether the profile has the secret itself, and only a weaker source names its file. */
function hidesFile(sources: ReadonlyMap<string, Source> | undefined, option: string): boolean {
  const file = sources?.get(`${option}-file`);
  return sources?.get(option) === "profile" && file !== "typed" && file !== "profile";
}
