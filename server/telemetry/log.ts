// The server's log: one line an event on standard error, without content, names or secrets.

import { configureSync, getLogger, type Logger, type LogRecord } from "@logtape/logtape";
import { sanitizeLine } from "../../shared/base/sanitize.ts";
import type { LogLevel } from "../config/server_options.ts";

const LEVELS = {
  DEBUG: "debug",
  INFO: "info",
  WARNING: "warning",
  ERROR: "error",
  CRITICAL: "fatal",
} as const satisfies Record<LogLevel, string>;

// No call passes such a field; this is the second line.
const SECRET_FIELD = /token|pass|secret|key/i;

const encoder = new TextEncoder();

/** Sets the log up and returns it. */
export function openLog(level: LogLevel): Logger {
  configureSync({
    reset: true,
    sinks: {
      stderr: (record) => Deno.stderr.writeSync(encoder.encode(formatRecord(record))),
    },
    loggers: [
      { category: ["cmdchat"], sinks: ["stderr"], lowestLevel: LEVELS[level] },
      { category: ["logtape", "meta"], sinks: [], lowestLevel: "fatal" },
    ],
  });
  return getLogger(["cmdchat", "server"]);
}

/**
 * `2026-01-01T00:00:00.000Z INFO text field=value`: exactly one line, whatever the values hold. Fields that
 * sound like secrets are masked, whoever logs them.
 */
export function formatRecord(record: LogRecord): string {
  const fields = Object.entries(record.properties).map(([name, value]) =>
    `${name}=${shown(SECRET_FIELD.test(name) ? "***" : value)}`
  );
  const level = record.level === "fatal" ? "CRITICAL" : record.level.toUpperCase();
  const line = [new Date(record.timestamp).toISOString(), level, ...record.message, ...fields];
  return `${sanitizeLine(line.join(" "))}\n`;
}

function shown(value: unknown): string {
  return typeof value === "string" ? JSON.stringify(value) : String(value);
}

/** A fault of ours as one text: its stack, and its causes. */
export function faultText(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const own = error.stack ?? `${error.name}: ${error.message}`;
  return error.cause === undefined ? own : `${own}\ncaused by ${faultText(error.cause)}`;
}
