// How the programs of the client end: what is printed, and which code the shell gets.

import { CmdchatError } from "../../shared/base/errors.ts";
import { tryWrite } from "../../shared/cli/write_all.ts";
import { errorText } from "../../shared/cli/error_report.ts";

const SIGNAL_CODES = { SIGHUP: 129, SIGINT: 130, SIGQUIT: 131, SIGTERM: 143 } as const;

/** Signals that end the client. */
export type EndSignal = keyof typeof SIGNAL_CODES;

/** Code after a signal, as shells count: 128 and its number. */
export function signalExitCode(signal: EndSignal): number {
  return SIGNAL_CODES[signal];
}

/** Prints a CmdchatError, sanitized, and returns its code. Throws anything else, which is a bug. */
export function reportError(error: unknown): number {
  if (!(error instanceof CmdchatError)) throw error;
  printError(errorText(error));
  return error.exitCode;
}

/** Writes text and a line break to standard error; a closed one takes nothing. */
export function printError(text: string): void {
  tryWrite(Deno.stderr, `${text}\n`);
}

/** Lists the codes for the help and docs/CLIENT.md. */
export const EXIT_CODES: readonly (readonly [number, string])[] = [
  [0, "all went well"],
  [1, "an error of the program itself"],
  [2, "a wrong option, command, name or room"],
  [3, "a file or setting that cannot be used"],
  [4, "no connection, or a line that was perhaps not delivered"],
  [5, "the server does not speak the protocol"],
  [6, "a message or file above a limit"],
  [7, "a wrong token, passphrase or key"],
  [8, "the awaited message, file or receiver did not come within --timeout"],
  [9, "the server refused a name, a room or a message, or nobody saved a file"],
];
