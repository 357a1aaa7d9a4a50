// The server as data: help, man page, completions and tables derive from it.

import { completionsCommand } from "../../shared/cli/completions_command.ts";
import type { CommandSpec, ProgramSpec } from "../../shared/cli/program.ts";
import { ADMIN_OPTIONS } from "./admin_client.ts";
import { ADMIN_COMMANDS, ADMIN_TABLE } from "../admin/admin_commands.ts";
import { ADMIN_COMMAND_OPTIONS } from "./admin.ts";
import { ENVIRONMENT_ONLY, SERVER_OPTIONS } from "../config/server_options.ts";

const HELP_OPTIONS = { help: SERVER_OPTIONS.help };

/** Every command of the server. */
export const SERVER_COMMANDS = [
  {
    name: "keygen",
    summary: "print a new identity for --identity-file",
    about: ["It writes no file: umask 077; cmdchat-server keygen > identity.pem"],
    options: {},
  },
  {
    name: "health",
    summary: "ask a server's --admin-listen whether it takes clients",
    about: ["The exit code is 0 when it does, and 1 when not."],
    options: ADMIN_OPTIONS,
  },
  {
    name: "keep",
    summary: "hold what a server knows while it is started anew",
    about: [
      "The server ends, and the next one gets it with --take-over from the same address.",
      "CMDCHAT_ADMIN_TOKEN must be the same for all three; after a minute it is gone.",
    ],
    options: ADMIN_OPTIONS,
  },
  { name: "top", summary: "show its metrics, drawn anew every second", options: ADMIN_OPTIONS },
  {
    name: "admin",
    argument: "COMMAND",
    summary:
      "act on a running server: sessions, rooms, kick, ban, unban, bans, notice, close, drain",
    about: ADMIN_COMMANDS.map((name) => {
      const { argument, summary } = ADMIN_TABLE[name];
      return `${`${name} ${argument}`.trimEnd()}: ${summary}.`;
    }),
    options: ADMIN_COMMAND_OPTIONS,
    completes: ADMIN_COMMANDS,
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
    [0, "stopped in order, or what was asked for"],
    [
      1,
      "an error of the program itself; health: the server takes no clients; admin: it cannot do that",
    ],
    [2, "a wrong option or command"],
    [3, "a certificate, key, address or setting that cannot be used"],
    [4, "the server that was asked does not answer, or not with this token"],
  ],
};
