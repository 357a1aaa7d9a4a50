// The files that a running server reads again on SIGHUP: certificate, key and tokens.

import { ConfigError } from "../../shared/base/errors.ts";
import type { ServerConfig } from "./server_options.ts";
import { type CheckedTls, readTlsFiles } from "./tls_files.ts";
import { type AccessToken, refuseTwoNames, tokensFromFile } from "./access_tokens.ts";

/** Contents of files that can change while the server runs. */
export interface Reloadable {
  readonly tls: CheckedTls | undefined;
  readonly tokens: readonly AccessToken[];
}

/** Reads the files that `config` names at the time `now` (ms). Throws ConfigError. */
export function readReloadable(config: ServerConfig, now: number): Reloadable {
  const tokens = readTokens(config);
  if (config.invites && tokens.length === 0) {
    throw new ConfigError(
      "Cannot use --invites: the server needs no token, so everybody can come in",
      {
        hint: "set CMDCHAT_TOKENS or --tokens-file; an invite is a token that ends",
      },
    );
  }
  return { tls: readTls(config, now), tokens };
}

/** What was read again, and why the rest was not: a bad certificate does not keep tokens from being read. */
export interface Reread extends Partial<Reloadable> {
  readonly faults: readonly ConfigError[];
}

/** Reads each of the files again, independently of the others. */
export function readAgain(config: ServerConfig, now: number): Reread {
  const faults: ConfigError[] = [];
  const attempt = <T>(read: () => T): T | undefined => {
    try {
      return read();
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      faults.push(error);
      return undefined;
    }
  };
  const tls = attempt(() => readTls(config, now));
  const tokens = attempt(() => readTokens(config));
  return {
    faults,
    ...(tls === undefined ? {} : { tls }),
    ...(tokens === undefined ? {} : { tokens }),
  };
}

function readTls({ certfile, keyfile }: ServerConfig, now: number): CheckedTls | undefined {
  if (certfile === undefined || keyfile === undefined) return undefined;
  return readTlsFiles(certfile, keyfile, now);
}

function readTokens({ tokens, "tokens-file": file }: ServerConfig): AccessToken[] {
  if (file === undefined) return [...tokens];
  const all = [...tokens, ...tokensFromFile(file)];
  refuseTwoNames(all, "--tokens-file besides CMDCHAT_TOKENS");
  return all;
}
