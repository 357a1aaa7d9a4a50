// What a command of the program gets: where it prints, and its signal to stop.

import type { Logger } from "@logtape/logtape";
import { faultText } from "../telemetry/log.ts";
import { findSystemd, type SystemdNotifier } from "../telemetry/systemd_notify.ts";

/** A command's output and stop signal. */
export interface CommandIo {
  readonly write: (text: string) => void;
  readonly warn: (text: string) => void;
  /** Whether `write` goes to a terminal. */
  readonly terminal: boolean;
  readonly signal: AbortSignal;
}

/** Signals that stop a command. */
export const STOP_SIGNALS: readonly Deno.Signal[] = Deno.build.os === "windows"
  ? ["SIGINT", "SIGBREAK"]
  : ["SIGINT", "SIGTERM"];

/** The same for a server that somebody started at a terminal: it ends when the terminal is closed. */
export const ATTENDED_SIGNALS: readonly Deno.Signal[] = Deno.build.os === "windows"
  ? STOP_SIGNALS
  : [...STOP_SIGNALS, "SIGHUP"];

/** The notifier of the service manager that `env` names; one that does nothing where it names none. */
export function openManager(
  log: Logger,
  env: (name: string) => string | undefined,
): SystemdNotifier {
  return findSystemd({
    env,
    onFault: (error) => log.warning("cannot tell the service manager", { why: faultText(error) }),
  });
}
