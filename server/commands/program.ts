// The server's commands as data: help, man page, completions and tables derive from it.

import type { OptionTable } from "../../shared/cli/command_line.ts";
import { completionsCommand } from "../../shared/cli/completions_command.ts";
import type { CommandSpec, ProgramSpec } from "../../shared/cli/program.ts";
import { toggle } from "../../shared/cli/option_values.ts";
import { ADMIN_OPTIONS, TOP_OPTIONS } from "./admin_client.ts";
import { ADMIN_COMMANDS, ADMIN_TABLE } from "../admin/admin_commands.ts";
import { ADMIN_COMMAND_OPTIONS } from "./admin.ts";
import { HOST_OPTIONS } from "../config/host_options.ts";
import { ENVIRONMENT_ONLY, SERVER_OPTIONS } from "../config/server_options.ts";

const HELP_OPTIONS = { help: SERVER_OPTIONS.help };

/** Options of `page`. */
export const PAGE_OPTIONS = {
  hash: { parse: toggle, help: "print its SHA-256 instead, which a release publishes" },
  ...HELP_OPTIONS,
} as const satisfies OptionTable;
const TOKEN_NOTE = "CMDCHAT_ADMIN_TOKEN holds the server's admin token, if it has one.";

/** Every command of the server. */
export const SERVER_COMMANDS = [
  {
    name: "host",
    summary: "serve for friends: print links, which are all they need, and who is in",
    about: [
      "It listens on all addresses of this machine, with an identity and a token that end with it.",
      "A link says which server to expect and lets its reader in: send it over a channel that you trust.",
      "It reads no variables and no files. Ctrl-C tells everybody and ends it.",
    ],
    options: HOST_OPTIONS,
  },
  {
    name: "keygen",
    summary: "print a new identity for --identity-file",
    about: ["It writes no file: umask 077; cmdchat-server keygen > identity.pem"],
    options: HELP_OPTIONS,
  },
  {
    name: "check",
    summary: "check the configuration without starting a server",
    about: [
      "It takes the options and variables of the server, and reads the files that they name.",
      "The exit code is 0 if the server could start with them.",
    ],
    options: SERVER_OPTIONS,
  },
  {
    name: "health",
    summary: "check whether a running server accepts clients",
    about: ["The exit code is 0 if it does, and 1 if not.", TOKEN_NOTE],
    options: ADMIN_OPTIONS,
  },
  {
    name: "keep",
    summary: "keep a server's state while it restarts",
    about: [
      "The server stops, and the next one takes the state with --take-over from the same address.",
      "CMDCHAT_ADMIN_TOKEN must be the same for all three. The state is dropped after a minute.",
    ],
    options: ADMIN_OPTIONS,
  },
  {
    name: "top",
    summary: "show a running server's metrics, updated every second",
    about: [TOKEN_NOTE],
    options: TOP_OPTIONS,
  },
  {
    name: "admin",
    argument: "COMMAND",
    summary:
      "control a running server: sessions, rooms, kick, ban, unban, bans, notice, close, drain, cluster",
    about: [
      ...ADMIN_COMMANDS.map((name) => {
        const { argument, summary } = ADMIN_TABLE[name];
        return `${`${name} ${argument}`.trimEnd()}: ${summary}.`;
      }),
      "CMDCHAT_ADMIN_TOKEN holds the server's admin token.",
    ],
    options: ADMIN_COMMAND_OPTIONS,
    completes: ADMIN_COMMANDS,
  },
  {
    name: "page",
    summary: "print the page for browsers, to keep it as a file or to compare it",
    about: [
      "A page that you keep cannot be changed by a server: cmdchat-server page > page.html",
      "It is the same for every build of one version.",
    ],
    options: PAGE_OPTIONS,
  },
  completionsCommand("cmdchat-server", HELP_OPTIONS),
] as const satisfies readonly CommandSpec[];

/** Name of a command. */
export type ServerCommand = typeof SERVER_COMMANDS[number]["name"];

/** The server. */
export const SERVER_PROGRAM: ProgramSpec = {
  name: "cmdchat-server",
  summary: "an encrypted chat relay that keeps everything in memory",
  usage: [["[OPTIONS]", "serve until a signal comes"]],
  options: SERVER_OPTIONS,
  commands: SERVER_COMMANDS,
  variables: ENVIRONMENT_ONLY,
  exitCodes: [
    [0, "stopped in order, or the command succeeded"],
    [
      1,
      "an internal error; health: the server accepts no clients; admin: the server refused the command",
    ],
    [2, "a wrong option or command"],
    [3, "an unusable certificate, key, address or setting"],
    [4, "the running server does not answer, or refuses the token"],
  ],
};
