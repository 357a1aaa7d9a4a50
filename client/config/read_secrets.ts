// Which places the token and the history's passphrase may come from.

import type { Source } from "../../shared/cli/command_line.ts";
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
    ...{ name: "token", option: "token", variable: "CMDCHAT_TOKEN" },
    ...{ value: config.token, path: config["token-file"], sources: config.sources },
  }, { env, warn });
}

/** The history's passphrase; undefined where none was given and nobody can be asked. Throws UsageError or ConfigError. */
export function readPassphrase(
  config:
    & Pick<HistoryConfig, "history-passphrase" | "history-passphrase-file">
    & Partial<Pick<HistoryConfig, "sources">>,
  sources: SecretSources,
): Promise<string | undefined> {
  return read({
    ...{ name: "history passphrase", option: "history-passphrase" },
    variable: "CMDCHAT_HISTORY_PASSPHRASE",
    ...{ value: config["history-passphrase"], path: config["history-passphrase-file"] },
    sources: config.sources,
  }, sources);
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

/** Whether the secret itself stands in the profile, and the name of its file only in a weaker place. */
function hidesFile(sources: ReadonlyMap<string, Source> | undefined, option: string): boolean {
  const file = sources?.get(`${option}-file`);
  return sources?.get(option) === "profile" && file !== "typed" && file !== "profile";
}
