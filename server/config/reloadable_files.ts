// What a running server reads again on SIGHUP: certificate, key and tokens.

import type { ServerConfig } from "./server_options.ts";
import { readTlsFiles, type TlsFiles } from "./tls_files.ts";
import { tokensFromFile } from "./access_tokens.ts";

/** Contents of files that may change while the server runs. */
export interface Reloadable {
  readonly tls: TlsFiles | undefined;
  readonly tokenDigests: readonly Uint8Array[];
}

/** Reads the files that `config` names at the time `now` (ms). Throws ConfigError; then nothing has changed. */
export function readReloadable(config: ServerConfig, now: number): Reloadable {
  const { certfile, keyfile, "tokens-file": tokensFile } = config;
  return {
    tls: certfile === undefined || keyfile === undefined
      ? undefined
      : readTlsFiles(certfile, keyfile, now),
    tokenDigests: [
      ...config.tokenDigests,
      ...(tokensFile === undefined ? [] : tokensFromFile(tokensFile)),
    ],
  };
}
