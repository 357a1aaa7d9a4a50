// Options of `cmdchat-client doctor`.

import type { OptionTable } from "../../shared/cli/command_line.ts";
import { seconds, toggle, word } from "../../shared/cli/option_values.ts";
import { COMMON_OPTIONS, CONNECTION_OPTIONS, PEOPLE_OPTIONS } from "./connection_options.ts";

/** Seconds for each answer of the server, unless told. */
export const STEP_S = 5;

/** Every option of `doctor`. */
export const DOCTOR_OPTIONS = {
  json: { parse: toggle, help: "one JSON object per line on standard output: docs/JSON.md" },
  timeout: {
    value: "SECONDS",
    short: "t",
    parse: seconds(1, 600),
    help: `how long to wait for each answer of the server [default ${STEP_S}]`,
  },
  "download-dir": {
    value: "FOLDER",
    env: "CMDCHAT_DOWNLOAD_DIR",
    parse: word,
    help: "folder for received files [default ~/Downloads/cmdchat]",
  },
  ...PEOPLE_OPTIONS,
  ...CONNECTION_OPTIONS,
  ...COMMON_OPTIONS,
} as const satisfies OptionTable;
