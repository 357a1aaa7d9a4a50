// `cmdchat-client history FILE` as a program: passphrase, output, exit code.

import { ConfigError } from "../shared/errors.ts";
import type { HistoryConfig } from "./config.ts";
import { printError } from "./exit.ts";
import { showHistory } from "./history_command.ts";
import { readPassphrase } from "./read_secrets.ts";
import { LineConsole } from "./terminal/line_io.ts";
import { openLineIo } from "./terminal/tty.ts";

/** Prints the entries that were asked for; gives the exit code. Throws as showHistory() does. */
export async function printHistory(
  config: HistoryConfig & { readonly path: string },
  env: (name: string) => string | undefined,
): Promise<number> {
  const io = openLineIo();
  const console = new LineConsole(io);
  try {
    const ask = io.setEcho !== undefined ? console.ask.bind(console) : undefined;
    const passphrase = await readPassphrase(config, { env, ask, warn: warnPlainly });
    if (passphrase === undefined) {
      throw new ConfigError("Cannot show the history: no passphrase was given");
    }
    const { path, search, json } = config;
    const write = (text: string) => io.write(`${text}\n`);
    await showHistory({ path, passphrase, search, json, write, onNotice: printError });
    return 0;
  } finally {
    await console.close();
  }
}

function warnPlainly(text: string): void {
  printError(`warning: ${text}`);
}
