// The client as data: its commands with their options. Help, man page, completions and tables derive from it.

import { completionsCommand } from "../../shared/cli/completions_command.ts";
import type { CommandSpec, ProgramSpec } from "../../shared/cli/program.ts";
import { CLIENT_OPTIONS, HISTORY_OPTIONS, KEYGEN_OPTIONS } from "./client_options.ts";
import { HELP_OPTIONS } from "./connection_options.ts";
import { DOCTOR_OPTIONS } from "./doctor_options.ts";
import { EXIT_CODES } from "../base/exit.ts";
import {
  RECV_FILE_OPTIONS,
  RECV_OPTIONS,
  SEND_FILE_OPTIONS,
  SEND_OPTIONS,
} from "./headless_options.ts";

/** Every command of the client. */
export const CLIENT_COMMANDS = [
  {
    name: "send",
    argument: "[TEXT…]",
    summary: "send TEXT or standard input, and leave once the server has it",
    about: [
      "Without TEXT, or with - in its place, all of standard input is one message; with --lines " +
      "each line is one, sent as it comes, over as many lost connections as it takes. A text that " +
      "begins with a slash is sent as it is. Put -- before a TEXT that begins with a dash.",
      "The exit code is 0 only when the server has acknowledged every message.",
    ],
    options: SEND_OPTIONS,
  },
  {
    name: "recv",
    summary: "print what others say",
    about: [
      "Prints the text of each message, direct ones too, without characters that act on a terminal. A text may have " +
      "several lines, so the output does not show who wrote which line, or where a message ends: --names puts the " +
      "sender before every row, and --json keeps everything apart.",
      "With --count the exit code is 8 if fewer messages came before --timeout; without it the exit code is 0.",
    ],
    options: RECV_OPTIONS,
  },
  {
    name: "send-file",
    argument: "PATH…",
    summary: "send files to the members of the room, and print their SHA-256",
    about: [
      "A PATH that is a folder is sent as a tar archive, which the receiver's client unpacks into a new folder. " +
      "Links in it are not followed and not sent. Each PATH is offered by itself, one after the other; --as NAME " +
      "sends all of them together, as one folder.",
      "A PATH of - is standard input, which is read into memory as a whole, up to the largest file " +
      "that the server takes; --as says what it is called.",
      "It waits until somebody else is in the room. The relay keeps no files: people who join later " +
      "do not get them. Exit code 0 means that somebody, whom the output names, saved it; if all " +
      "receivers use the old protocol, it means that the server passed all of it on.",
    ],
    options: SEND_FILE_OPTIONS,
    completes: "file",
  },
  {
    name: "recv-file",
    summary: "accept the next file that is offered, and print its path",
    about: [
      "Files and folders are saved under a safe form of their names, never over another one. Anybody in " +
      "the room can offer one; --from accepts only those of one member.",
    ],
    options: RECV_FILE_OPTIONS,
  },
  {
    name: "history",
    argument: "[show|export] FILE",
    summary: "show, search or export what --history-file has kept",
    about: [
      "Times are in the zone of this machine, with --json in UTC. export writes the same to a new " +
      "file that is not encrypted. An existing file is never overwritten.",
    ],
    options: HISTORY_OPTIONS,
    completes: "file",
  },
  {
    name: "keygen",
    argument: "[FILE]",
    summary: "make a device key, by which others recognize you tomorrow",
    about: [
      "Writes FILE, or device_key next to the settings file. Only you can read it, and no other file is overwritten. " +
      "Prints what others compare. On a terminal it asks for a passphrase; Enter alone makes a key without one.",
      "The key is used only if --device-key, CMDCHAT_DEVICE_KEY or device-key in the settings names it. Then every " +
      "member of your rooms recognizes you, in each of them; in a plain room the server does too.",
    ],
    options: KEYGEN_OPTIONS,
    completes: "file",
  },
  {
    name: "doctor",
    argument: "[LINK]",
    summary: "check terminal, settings, clock and the connection to the server, and say what to do",
    about: [
      "Each line begins with ok, warn, fail or skip. The exit code is that of the first thing " +
      "that failed, or 0 if nothing did. It joins an otherwise empty room for a moment, so that only " +
      "the server sees it.",
    ],
    options: DOCTOR_OPTIONS,
  },
  completionsCommand("cmdchat-client", HELP_OPTIONS),
] as const satisfies readonly CommandSpec[];

/** A command's name. */
export type ClientCommand = typeof CLIENT_COMMANDS[number]["name"];

/** The client. */
export const CLIENT_PROGRAM: ProgramSpec = {
  name: "cmdchat-client",
  summary: "an encrypted console chat",
  usage: [
    ["[OPTIONS]", "join a room and talk"],
    ["HOST[:PORT] [OPTIONS]", "join a room of that server"],
    [
      "LINK [OPTIONS]",
      "join by an invite link; - asks for it, so that no process list shows it",
    ],
    ["@PROFILE [OPTIONS]", "join the server of this name in the settings file"],
    ["[HOST|LINK|@PROFILE] COMMAND …", "run one of the commands below there"],
  ],
  options: CLIENT_OPTIONS,
  commands: CLIENT_COMMANDS,
  variables: {
    CMDCHAT_TOKEN: "token of the server",
    CMDCHAT_HISTORY_PASSPHRASE: "passphrase of the history",
    CMDCHAT_DEVICE_KEY_PASSPHRASE: "passphrase of the device key",
    NO_COLOR: "no colors; bold and reverse stay",
  },
  exitCodes: EXIT_CODES,
  profilesIn: "cmdchat/config.toml",
};
