// Options of the commands for scripts.

import { UsageError } from "../../shared/base/errors.ts";
import { FILE_NAME_WIRE_MAX_BYTES } from "../../shared/base/limits.ts";
import type { OptionTable } from "../../shared/cli/command_line.ts";
import { integer, seconds, toggle, word } from "../../shared/cli/option_values.ts";
import {
  ALARM_OPTIONS,
  COMMON_OPTIONS,
  CONNECTION_OPTIONS,
  PEOPLE_OPTIONS,
} from "./connection_options.ts";

const encoder = new TextEncoder();

const TIMEOUT_MAX_S = 2_000_000;
const COUNT_MAX = 1_000_000_000;

const JSON_OPTION = {
  json: { parse: toggle, help: "one JSON object per line on standard output: docs/JSON.md" },
} as const satisfies OptionTable;

const FROM_OPTION = {
  from: { value: "NAME", parse: word, help: "only what the member of this name sends" },
} as const satisfies OptionTable;

function timeout<const H extends string>(help: H) {
  return {
    timeout: { value: "SECONDS", short: "t", parse: seconds(0, TIMEOUT_MAX_S), help },
  } as const satisfies OptionTable;
}

function count<const H extends string>(help: H) {
  return {
    count: { value: "N", short: "n", parse: integer(1, COUNT_MAX), help },
  } as const satisfies OptionTable;
}

/** Every option of `send`. */
export const SEND_OPTIONS = {
  lines: {
    parse: toggle,
    short: "l",
    help: "send each line of standard input as a message, as it comes",
  },
  ...timeout(
    "how long to wait for the server; 0 = forever [default 60, with --lines: forever]",
  ),
  ...JSON_OPTION,
  ...PEOPLE_OPTIONS,
  ...ALARM_OPTIONS,
  ...CONNECTION_OPTIONS,
  ...COMMON_OPTIONS,
} as const satisfies OptionTable;

/** Every option of `recv`. */
export const RECV_OPTIONS = {
  ...count("leave after N messages [default: never]"),
  ...timeout("leave after this many seconds; 0 = never [default: never]"),
  ...FROM_OPTION,
  names: { parse: toggle, help: "put the sender's name in front of every row" },
  backlog: {
    parse: toggle,
    help: "first print the earlier lines that the room shows to newcomers (/backlog)",
  },
  ...JSON_OPTION,
  ...PEOPLE_OPTIONS,
  ...ALARM_OPTIONS,
  ...CONNECTION_OPTIONS,
  ...COMMON_OPTIONS,
} as const satisfies OptionTable;

/** What a file is called on its way. Throws UsageError where that is too long for the protocol. */
function fileName(text: string): string {
  const bytes = encoder.encode(word(text)).length;
  if (bytes <= FILE_NAME_WIRE_MAX_BYTES) return text;
  throw new UsageError(`it has ${bytes} bytes, at most ${FILE_NAME_WIRE_MAX_BYTES} are allowed`);
}

/** Every option of `send-file`. */
export const SEND_FILE_OPTIONS = {
  as: {
    value: "NAME",
    parse: fileName,
    help:
      "what the file from standard input (-) is called [default: stdin]; without -: send all paths together, as one folder of this name",
  },
  to: {
    value: "NAME",
    parse: word,
    help: "offer it only to the member of this name; in a plain room the server can read it",
  },
  ...timeout("how long to wait for somebody who accepts; 0 = forever [default: forever]"),
  ...JSON_OPTION,
  ...PEOPLE_OPTIONS,
  ...ALARM_OPTIONS,
  ...CONNECTION_OPTIONS,
  ...COMMON_OPTIONS,
} as const satisfies OptionTable;

/** Every option of `recv-file`. */
export const RECV_FILE_OPTIONS = {
  "download-dir": {
    value: "FOLDER",
    env: "CMDCHAT_DOWNLOAD_DIR",
    parse: word,
    help: "folder for the files [default: the current folder]",
  },
  ...count("leave after N files [default 1]"),
  ...timeout("leave after this many seconds; 0 = never [default: never]"),
  ...FROM_OPTION,
  ...JSON_OPTION,
  ...PEOPLE_OPTIONS,
  ...ALARM_OPTIONS,
  ...CONNECTION_OPTIONS,
  ...COMMON_OPTIONS,
} as const satisfies OptionTable;
