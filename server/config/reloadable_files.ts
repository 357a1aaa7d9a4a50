// What a running server reads again on SIGHUP: certificate, key and tokens.

import { ConfigError } from "../../shared/base/errors.ts";
import type { ServerConfig } from "./server_options.ts";
import { type CheckedTls, readTlsFiles } from "./tls_files.ts";
import { tokensFromFile } from "./access_tokens.ts";

/** Contents of files that may change while the server runs. */
export interface Reloadable {
  readonly tls: CheckedTls | undefined;
  readonly tokenDigests: readonly Uint8Array[];
}

/** Reads the files that `config` names at the time `now` (ms). Throws ConfigError. */
export function readReloadable(config: ServerConfig, now: number): Reloadable {
  return { tls: readTls(config, now), tokenDigests: readTokens(config) };
}

/** What could be read again, and why the rest could not: a bad certificate keeps no token in, and no token out. */
export interface Reread extends Partial<Reloadable> {
  readonly faults: readonly ConfigError[];
}

/** Reads each of the files again by itself. */
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
  const tokenDigests = attempt(() => readTokens(config));
  return {
    faults,
    ...(tls === undefined ? {} : { tls }),
    ...(tokenDigests === undefined ? {} : { tokenDigests }),
  };
}

function readTls({ certfile, keyfile }: ServerConfig, now: number): CheckedTls | undefined {
  if (certfile === undefined || keyfile === undefined) return undefined;
  return readTlsFiles(certfile, keyfile, now);
}

function readTokens({ tokenDigests, "tokens-file": file }: ServerConfig): Uint8Array[] {
  return [...tokenDigests, ...(file === undefined ? [] : tokensFromFile(file))];
}
