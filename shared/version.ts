/** The version of both programs, as `--version` prints it. */
export const VERSION = "0.1.0";
