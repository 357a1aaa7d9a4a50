// `cmdchat-client history FILE` as a program: passphrase, output, exit code.

import { ConfigError } from "../../shared/base/errors.ts";
import { outputFault, writeAll } from "../../shared/cli/write_all.ts";
import { SYSTEM_CLOCK } from "../base/clock.ts";
import type { HistoryConfig } from "../config/read_options.ts";
import { printError } from "../base/exit.ts";
import { showHistory, type ShowHistoryOptions } from "./show_history.ts";
import { openReadOnly, quotePath } from "../files/file_access.ts";
import { readPassphrase } from "../config/read_secrets.ts";
import { LineConsole } from "../console/line_console.ts";
import { columnsOf, openLineIo } from "../terminal/tty.ts";

/** Prints the selected entries and returns the exit code. Throws as showHistory() does. */
export async function printHistory(
  config: HistoryConfig & { readonly path: string },
  env: (name: string) => string | undefined,
): Promise<number> {
  // Nobody is asked for the passphrase of what is not there.
  (await openReadOnly(config.path)).close();
  const io = openLineIo();
  const console = new LineConsole(io);
  try {
    const ask = io.setEcho !== undefined ? console.ask.bind(console) : undefined;
    const passphrase = await readPassphrase(config, { env, ask, warn: warnPlainly });
    if (passphrase === undefined) {
      throw new ConfigError("Cannot show the history: no passphrase was given");
    }
    const { path, search, json, output, since, until } = config;
    const now = new Date(SYSTEM_CLOCK.date());
    const what = { search, json, from: since?.(now).start, to: until?.(now).end };
    const options = { path, passphrase, ...what, onNotice: printError };
    if (output !== undefined) return await exportTo(output, options);
    await showHistory({
      ...options,
      columns: columnsOf("stdout"),
      write: (text) => io.write(`${text}\n`).catch(throwFault),
    });
    return 0;
  } catch (error) {
    // The reader of the output (`… | head`) has enough.
    if (error instanceof Deno.errors.BrokenPipe) return 0;
    throw error;
  } finally {
    await console.close();
  }
}

/** Writes the selected entries to a new file, completely or not at all. */
async function exportTo(
  path: string,
  options: Omit<ShowHistoryOptions, "write">,
): Promise<number> {
  const trouble = `Cannot export the history to ${quotePath(path)}`;
  const encoder = new TextEncoder();
  let file: Deno.FsFile;
  try {
    file = await Deno.open(path, { write: true, createNew: true, mode: 0o600 });
  } catch (cause) {
    const isThere = cause instanceof Deno.errors.AlreadyExists;
    const why = isThere ? "the file exists already" : "the system refused";
    throw new ConfigError(`${trouble}: ${why}`, { cause });
  }
  try {
    using handle = file;
    const count = await showHistory({
      ...options,
      write: async (text) => {
        const bytes = encoder.encode(`${text}\n`);
        await writeAll(handle, bytes).catch(throwFault);
      },
    });
    printError(`${count === 1 ? "1 entry" : `${count} entries`} in ${quotePath(path)}`);
    return 0;
  } catch (error) {
    await Deno.remove(path);
    throw error;
  }
}

/** Throws ConfigError where the output cannot be written, and the cause where its reader has left. */
function throwFault(cause: unknown): never {
  throw outputFault(cause) ?? cause;
}

function warnPlainly(text: string): void {
  printError(`warning: ${text}`);
}
