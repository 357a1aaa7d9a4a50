// Commands for the screen and the program.

import { withoutLooks } from "../terminal/style.ts";
import { UsageError } from "../../shared/base/errors.ts";
import { quote } from "../../shared/base/sanitize.ts";
import { parseFingerprint } from "../../shared/crypto/fingerprint.ts";
import { hostAndPort, isOnion } from "../../shared/text/host_and_port.ts";
import type { Chat } from "../chat/chat.ts";
import type { ChatAddress } from "../chat/chat_options.ts";
import { closestCommand, type CommandGroup, type CommandRow, slashUsage } from "./command.ts";

const LAST_DEFAULT = 20;

const SLASH = ["//TEXT", "send a line that starts with a slash"] as const;

const KEYS: readonly (readonly [string, string])[] = [
  ["Enter", "send"],
  ["Alt-Enter", "start a new line in the message; pasted lines stay one message"],
  ["Alt-1 … Alt-9", "go to another of your rooms; Alt-A: one with unread messages"],
  ["Alt-Up, Alt-Down", "go to the room before this one, and to the one after it"],
  ["Tab", "complete commands, names, rooms, paths and :emoji; again: the next candidate"],
  ["Up, Down", "earlier lines; Ctrl-R searches them"],
  ["PgUp", "look back; there, / searches, n and N go to other hits, q returns"],
  ["Ctrl-A, Ctrl-E", "start and end of the line; Alt-B, Alt-F by words"],
  ["Ctrl-U, Ctrl-K, Ctrl-W", "cut to the start, to the end, a word; Ctrl-Y pastes it"],
  ["Ctrl-X Ctrl-E", "write the message in $VISUAL or $EDITOR"],
  ["Ctrl-_", "undo"],
  ["Esc", "with /set keys vi: vi's commands, and i or a to continue typing"],
  ["Ctrl-L", "clear the screen"],
  ["Ctrl-C", "clear the line; on an empty line, twice: quit"],
  ["Ctrl-D", "quit, on an empty line"],
  ["Ctrl-Z", "suspend the program; fg continues it"],
];

/** Rows of the commands for the screen and the program. */
export const SCREEN_COMMANDS: readonly CommandRow[] = [
  {
    name: "last",
    argument: "[N]",
    needs: "nothing",
    help: `show the last N lines again (default ${LAST_DEFAULT})`,
    run({ chat }, argument) {
      const count = argument === "" ? LAST_DEFAULT : Number(argument);
      if (!/^\d{0,6}$/.test(argument) || count === 0) {
        throw new UsageError(
          `Cannot show the last ${quote(argument)}: the argument is a number from 1`,
        );
      }
      if (chat.output.showLast(count, chat.rooms.current?.title)) return;
      chat.output.answer("No lines are kept: nothing was said since the start, or since /clear.");
    },
  },
  {
    name: "search",
    argument: "[WORD]",
    needs: "nothing",
    help: "search what was shown, and the history file, for WORD; alone: look back, as PgUp does",
    run: ({ chat }, argument) => searchFor(chat, argument),
  },
  {
    name: "status",
    needs: "nothing",
    help: "show your room, who can read it, the connection, and who the server is",
    run: ({ chat }) =>
      chat.output.answer([statusText(chat), ...serverLines(chat)].join("\n"), { isCopyable: true }),
  },
  {
    name: "trust",
    argument: "[FINGERPRINT]",
    needs: "nothing",
    help: "continue with a server whose key has changed, or confirm a key that you compared",
    run: ({ chat }, argument) =>
      chat.connection.trust(argument === "" ? undefined : parseFingerprint(argument)),
  },
  {
    name: "remember",
    needs: "new protocol",
    help: "remember this server's key; next time you are asked if it has changed",
    async run({ chat }) {
      const { server, path } = await chat.connection.remember();
      const { host, port } = chat.address;
      chat.output.answer(
        `${hostAndPort(host, port)} is remembered; if its key changes, you are asked.\n` +
          `${server} in ${quote(path, 200)}`,
      );
    },
  },
  {
    name: "reconnect",
    needs: "nothing",
    help: "connect again now: the next attempt at once, or a fresh connection for this session",
    run({ chat }) {
      if (chat.connected) {
        chat.connection.renew();
        chat.requireSession().close();
      }
      chat.backoff.wake();
    },
  },
  {
    name: "clear",
    needs: "nothing",
    help: "clear the screen and the lines kept for /last",
    run({ chat }) {
      chat.output.forget();
      chat.console.clear();
    },
  },
  {
    name: "help",
    aliases: ["?"],
    argument: "[COMMAND|keys|all]",
    needs: "nothing",
    help: "list commands; COMMAND: help for one; keys: the keys; all: help for all",
    completes: "command",
    run: ({ chat, groups }, argument) =>
      chat.output.answer(helpText(groups, argument, chat.console.keys)),
  },
  {
    name: "quit",
    aliases: ["exit", "q"],
    needs: "nothing",
    help: "leave; waits for files in transfer, a second /quit does not",
    run: ({ quit }) => quit(),
  },
];

/** Opens the view of what was shown; where nothing is painted twice, prints the lines that have the word. */
function searchFor(chat: Chat, word: string): void {
  if (chat.console.lookBack !== undefined) {
    return chat.console.lookBack(word === "" ? undefined : word);
  }
  if (word === "") throw new UsageError("Cannot search: the form is /search WORD");
  if (chat.output.showFound(word, chat.rooms.current?.title) > 0) return;
  chat.output.note("info", `No line in memory has ${quote(word)}.`);
}

/** Prints the status line, for a console without one. */
export function tellStatus(chat: Chat): void {
  chat.output.answer(statusText(chat));
}

function statusText({ console }: Chat): string {
  return withoutLooks(console.status);
}

/** Who the server is, and what protects the way to it. */
function serverLines({ address, fingerprint, connected, isV1, connection }: Chat): string[] {
  const { host, port, tls, webSocket = false } = address;
  const certificate = connection.isUnverified ? " (certificate not known here)" : "";
  const carrier = `${webSocket ? "WebSocket in TLS" : tls ? "TLS" : "no TLS"}${certificate}`;
  const where = `server: ${hostAndPort(host, port)}, ${carrier}`;
  if (!connected) return [`${where}, no connection now`];
  if (isV1) {
    return [
      `${where}, old protocol: no forward secrecy`,
      "fingerprint: none; the old protocol does not say who the server is",
    ];
  }
  return [
    `${where}, protocol 2: encrypted to the server, with forward secrecy`,
    `fingerprint: ${fingerprint} (${comparison(connection, address)})`,
  ];
}

/** What was compared with the server's fingerprint, and what proves the server where nothing was. */
function comparison(connection: Chat["connection"], { host, tls }: ChatAddress) {
  const { isProven, isCompared, isUnverified } = connection;
  if (isProven && isCompared) return "as expected";
  if (!isProven) return "not compared";
  const proof = tls && !isUnverified
    ? "the certificate is valid"
    : isOnion(host)
    ? "the onion address proves it"
    : "there is no network in between";
  return `not compared; ${proof}`;
}

/** The answer of `/help` to its argument; `keys` are those of a terminal unless told. Throws UsageError for an unknown command. */
export function helpText(groups: readonly CommandGroup[], argument: string, keys = KEYS): string {
  const rows = groups.flatMap((group) => group.rows);
  switch (argument) {
    case "":
      return overview(groups);
    case "keys":
      return `keys:\n${aligned(keys)}`;
    case "all":
      return `commands:\n${slashHelp(rows)}\n${aligned([SLASH])}`;
    default:
      return helpOf(rows, argument);
  }
}

/** Only the names: the help of all commands is longer than a screen. */
function overview(groups: readonly CommandGroup[]): string {
  const lines = groups.map(({ theme, rows }) =>
    [theme, rows.map(({ name }) => `/${name}`).join(" ")] as const
  );
  return `/help COMMAND, /help keys or /help all explains them\n${aligned(lines)}`;
}

/** All commands, one per line, aligned. */
export function slashHelp(rows: readonly CommandRow[]): string {
  return aligned(slashRows(rows));
}

/** How each command is called, and what it does. */
export function slashRows(rows: readonly CommandRow[]): (readonly [string, string])[] {
  return rows.map((row) => [slashUsage(row), row.help]);
}

function helpOf(rows: readonly CommandRow[], argument: string): string {
  const name = argument.replace(/^\//, "");
  const row = rows.find((row) => row.name === name || row.aliases?.includes(name));
  if (row === undefined) {
    const meant = closestCommand(name, rows);
    throw new UsageError(`Cannot help with ${quote(argument)}: there is no such command`, {
      hint: meant === undefined ? "/help lists all commands" : `did you mean /help ${meant}?`,
    });
  }
  const aliases = row.aliases === undefined ? "" : ` (also /${row.aliases.join(", /")})`;
  return `${slashUsage(row)}  ${row.help}${aliases}`;
}

function aligned(rows: readonly (readonly [string, string])[]): string {
  const width = Math.max(...rows.map(([left]) => left.length)) + 2;
  return rows.map(([left, right]) => left.padEnd(width) + right).join("\n");
}
