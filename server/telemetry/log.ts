// The server's log: one line an event on standard error, without content, names or secrets.

import { configureSync, getLogger, type Logger, type LogRecord } from "@logtape/logtape";
import { sanitizeLine } from "../../shared/base/sanitize.ts";
import { retried } from "../../shared/cli/write_all.ts";
import type { LogFormat, LogLevel } from "../config/server_options.ts";
import { LogQueue } from "./log_queue.ts";

const LEVELS = {
  DEBUG: "debug",
  INFO: "info",
  WARNING: "warning",
  ERROR: "error",
  CRITICAL: "fatal",
} as const satisfies Record<LogLevel, string>;

// No call passes such a field; this is the second line of defense.
const SECRET_FIELD = /token|pass|secret|key/i;

const encoder = new TextEncoder();
const queue = new LogQueue((bytes) => retried(() => Deno.stderr.write(bytes)));

/** A line's priority for the system's journal (sd-daemon(3)): the number in the prefix `<4>`. */
const PRIORITIES: Readonly<Record<LogRecord["level"], number>> = {
  trace: 7,
  debug: 7,
  info: 6,
  warning: 4,
  error: 3,
  fatal: 2,
};

/** Sets the log up and returns it. */
export function openLog(level: LogLevel, format: LogFormat = "text"): Logger {
  const write = (record: LogRecord) => queue.push(encoder.encode(formatLine(record, format)));
  configureSync({
    reset: true,
    sinks: {
      stderr(record) {
        const dropped = queue.takeDropped();
        if (dropped > 0) write(droppedNote(record, dropped));
        write(record);
      },
    },
    loggers: [
      { category: ["cmdchat"], sinks: ["stderr"], lowestLevel: LEVELS[level] },
      { category: ["logtape", "meta"], sinks: [], lowestLevel: "fatal" },
    ],
  });
  return getLogger(["cmdchat", "server"]);
}

/** From now on writes lines of `level` and above. */
export function setLogLevel(level: LogLevel, format: LogFormat): void {
  openLog(level, format);
}

/** Waits until standard error has taken all lines, at most `ms`; called before the process ends. */
export function flushLog(ms = 1_000): Promise<void> {
  return queue.flush(ms);
}

function droppedNote(record: LogRecord, lines: number): LogRecord {
  const message = ["nobody read the log for a while, lines were dropped"];
  return { ...record, level: "warning", message, properties: { lines } };
}

/** A record as one line in the format that --log-format names. */
export function formatLine(record: LogRecord, format: LogFormat): string {
  switch (format) {
    case "text":
      return formatRecord(record);
    case "journal":
      return `<${PRIORITIES[record.level]}>${formatRecord(record)}`;
    case "json":
      return `${jsonText(jsonOf(record))}\n`;
  }
}

/** The same value for a program, in characters that do nothing to a terminal on which somebody reads it. */
function jsonText(value: unknown): string {
  return JSON.stringify(value, maskedSecret).replace(
    /[\p{C}\p{Zl}\p{Zp}]/gu,
    (character) => character.replace(/[^]/g, escapeUnit),
  );
}

function escapeUnit(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`;
}

function maskedSecret(name: string, value: unknown): unknown {
  return SECRET_FIELD.test(name) ? "***" : value;
}

function jsonOf(record: LogRecord): Record<string, unknown> {
  return {
    ...record.properties,
    time: new Date(record.timestamp).toISOString(),
    level: levelOf(record),
    message: sanitizeLine(record.message.join("")),
  };
}

function levelOf({ level }: LogRecord): string {
  return level === "fatal" ? "CRITICAL" : level.toUpperCase();
}

/**
 * `2026-01-01T00:00:00.000Z INFO text field=value`: exactly one line, whatever the values contain. Fields whose
 * names suggest a secret are masked.
 */
export function formatRecord(record: LogRecord): string {
  const fields = Object.entries(record.properties).map(([name, value]) =>
    `${name}=${shown(maskedSecret(name, value))}`
  );
  const line = [
    new Date(record.timestamp).toISOString(),
    levelOf(record),
    ...record.message,
    ...fields,
  ];
  return `${sanitizeLine(line.join(" "))}\n`;
}

function shown(value: unknown): string {
  return typeof value === "string" ? JSON.stringify(value) : String(value);
}

/** A bug of the server as one text: its stack, and its causes. */
export function faultText(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const own = error.stack ?? `${error.name}: ${error.message}`;
  return error.cause === undefined ? own : `${own}\ncaused by ${faultText(error.cause)}`;
}
