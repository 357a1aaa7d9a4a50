// The option tables of the client.

import { BUFFER_SIZE } from "../base/limits.ts";
import type { OptionTable } from "../../shared/cli/command_line.ts";
import { integer, oneOf, toggle, word } from "../../shared/cli/option_values.ts";
import { settingChoices } from "./chat_settings.ts";
import {
  ALARM_OPTIONS,
  COMMON_OPTIONS,
  CONNECTION_OPTIONS,
  PEOPLE_OPTIONS,
} from "./connection_options.ts";
import { parseMoment } from "./time_span.ts";

/** Renderers by name. */
export const RENDERERS = ["rich", "minimal", "json"] as const;

const PASSPHRASE_OPTIONS = {
  "history-passphrase": {
    value: "TEXT",
    parse: (text: string) => text,
    secret: true,
    help: "passphrase of the history; better in CMDCHAT_HISTORY_PASSPHRASE, a file, or asked for",
  },
  "history-passphrase-file": {
    value: "FILE",
    env: "CMDCHAT_HISTORY_PASSPHRASE_FILE",
    parse: word,
    help: "file whose first line is the passphrase of the history",
  },
} as const satisfies OptionTable;

/** Every option of the client. */
export const CLIENT_OPTIONS = {
  ...CONNECTION_OPTIONS,
  renderer: {
    value: "NAME",
    env: "CMDCHAT_RENDERER",
    fallback: "rich",
    choices: RENDERERS,
    parse: oneOf(RENDERERS),
    help: `how messages are shown: ${RENDERERS.join(", ")}`,
  },
  plain: {
    env: "CMDCHAT_PLAIN",
    parse: toggle,
    help: "line after line, for screen readers: no colors, and the cursor is never moved",
  },
  set: {
    value: "NAME=VALUE;…",
    env: "CMDCHAT_SET",
    parse: word,
    help: "settings of the chat, as /set lists them, such as theme=light;bell=off",
    choices: settingChoices(),
  },
  "buffer-size": {
    value: "N",
    env: "CMDCHAT_BUFFER_SIZE",
    fallback: String(BUFFER_SIZE.default),
    parse: integer(BUFFER_SIZE.min, BUFFER_SIZE.max),
    help: `lines kept in memory for /last, ${BUFFER_SIZE.min} to ${BUFFER_SIZE.max}`,
  },
  json: {
    parse: toggle,
    help: "for programs: JSON requests in, JSON lines out, as docs/JSON.md describes",
  },
  ...PEOPLE_OPTIONS,
  ...ALARM_OPTIONS,
  "quiet-reconnect": {
    env: "CMDCHAT_QUIET_RECONNECT",
    parse: toggle,
    help: "print no lines about lost and new connections",
  },
  "history-file": {
    value: "FILE",
    env: "CMDCHAT_HISTORY_FILE",
    parse: word,
    help: "keep what is shown in this file, encrypted with a passphrase",
  },
  ...PASSPHRASE_OPTIONS,
  "accept-files": {
    env: "CMDCHAT_ACCEPT_FILES",
    parse: toggle,
    help: "accept every offered file without asking",
  },
  "no-downloads": {
    env: "CMDCHAT_NO_DOWNLOADS",
    parse: toggle,
    help:
      "accept no files; without --history-file the client also gives up its right to write at start",
  },
  "download-dir": {
    value: "FOLDER",
    env: "CMDCHAT_DOWNLOAD_DIR",
    parse: word,
    help: "folder for received files [default ~/Downloads/cmdchat]",
  },
  ...COMMON_OPTIONS,
} as const satisfies OptionTable;

/** Every option of `cmdchat-client history FILE`. */
export const HISTORY_OPTIONS = {
  search: { value: "TEXT", short: "s", parse: word, help: "only entries that contain this text" },
  since: {
    value: "TIME",
    parse: parseMoment,
    help: "only entries since then: 2h, today, yesterday, 2026-11-25, 2026-11-25T14:30",
  },
  until: {
    value: "TIME",
    parse: parseMoment,
    help: "only entries until then; a day counts as a whole",
  },
  json: { parse: toggle, help: "one JSON object per line" },
  output: {
    value: "FILE",
    short: "o",
    parse: word,
    help: "export: a new file that only you can read, instead of standard output",
  },
  ...PASSPHRASE_OPTIONS,
  ...COMMON_OPTIONS,
} as const satisfies OptionTable;

/** Every option of `cmdchat-client keygen [FILE]`. */
export const KEYGEN_OPTIONS = {
  "device-key-passphrase-file": PEOPLE_OPTIONS["device-key-passphrase-file"],
  ...COMMON_OPTIONS,
} as const satisfies OptionTable;
