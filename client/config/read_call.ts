// What a command line asks for: where to go, and which command to run there. Options may stand before the command.

import { UsageError } from "../../shared/base/errors.ts";
import { type CommandSpec, findCommand } from "../../shared/cli/program.ts";
import { isLink } from "../../shared/text/invite_link.ts";
import { CLIENT_OPTIONS } from "./client_options.ts";
import { CLIENT_COMMANDS, type ClientCommand } from "./program.ts";
import { twoLinks } from "./read_options.ts";

/** What is to be run: a command, or the chat. */
export interface Call {
  readonly command: CommandSpec<ClientCommand> | undefined;
  /** The options and words for it, with the place as options before them. */
  readonly args: readonly string[];
  /** The words of `help [COMMAND]`, or of a command with its own; otherwise those of the chat. */
  readonly words: readonly string[];
}

const HELP = "help";
/** In place of a link: it is read from standard input, where no list of processes shows it. */
const LINK_FROM_INPUT = "-";

/** Options that take a value, in the chat or in any command. One name means the same in all. */
const VALUED: ReadonlyMap<string, boolean> = new Map(
  [CLIENT_OPTIONS, ...CLIENT_COMMANDS.map(({ options }) => options)].flatMap((table) =>
    Object.entries(table).map(([name, row]) => [`--${name}`, "value" in row] as const)
  ),
);

/** Reads the words of a command line. Throws UsageError for an unknown command. */
export function readCall(words: readonly string[]): Call {
  const before: string[] = [];
  let place: readonly string[] | undefined;
  for (let at = 0; at < words.length; at++) {
    const word = words[at] as string;
    if (word === LINK_FROM_INPUT && place === undefined) {
      place = ["--link", word];
    } else if (word.startsWith("-")) {
      const isValued = VALUED.get(word) ?? false;
      // The parser reports an unknown option, which may have had a value.
      if (word === "--" || word === "-" || !isKnown(word)) {
        return chat([...place ?? [], ...before, ...words.slice(at)]);
      }
      before.push(word, ...isValued ? words.slice(at + 1, at + 2) : []);
      if (isValued) at++;
    } else {
      const found = place === undefined ? placeOf(word) : undefined;
      if (found === undefined) return command({ place, before, words: words.slice(at) });
      place = found;
    }
  }
  return chat([...place ?? [], ...before]);
}

interface CommandWords {
  readonly place: readonly string[] | undefined;
  readonly before: readonly string[];
  /** From the command's name on. */
  readonly words: readonly string[];
}

function command({ place = [], before, words: [word = "", ...rest] }: CommandWords): Call {
  if (isLink(word)) throw twoLinks();
  const args = [...place, ...before, ...rest];
  const command = word === HELP
    ? undefined
    : findCommand(CLIENT_COMMANDS, word, { other: "--host NAME goes to a server" });
  refuseLinks(word, rest);
  if (command === undefined) return chat([word, ...rest]);
  return { command, args, words: [word, ...args] };
}

/**
 * A link may hold a token or a room's secret: as a text it would be sent, and as a word that nobody expects it would be
 * repeated in an error. Throws UsageError.
 */
function refuseLinks(command: string, words: readonly string[]): void {
  // What others come by is a text like any other, unless it is a link of this program's own.
  const isText = command === "send";
  const isMisplaced = isText ? isOwnLink : isLink;
  let hasOptions = true;
  for (let at = 0; at < words.length; at++) {
    const word = words[at] as string;
    if (word === "--" && isText) return;
    if (word === "--") hasOptions = false;
    else if (hasOptions && VALUED.get(word) === true) at++;
    else if (isMisplaced(word)) {
      throw new UsageError(`Cannot take a link after "${command}": it stands before the command`, {
        hint: `cmdchat-client LINK ${command} …${
          isText ? "; put -- before a text that is a link" : ""
        }`,
      });
    }
  }
}

function isOwnLink(word: string): boolean {
  return /^cmdchat:/i.test(word);
}

function chat(args: readonly string[]): Call {
  return { command: undefined, args, words: args };
}

function isKnown(word: string): boolean {
  const [name = ""] = word.split("=", 1);
  return VALUED.has(name) || /^-[a-zA-Z]$/.test(word);
}

/** A profile, a link, or a host with a dot or a port, as options; undefined for any other word. */
function placeOf(word: string): readonly string[] | undefined {
  if (/^@./.test(word)) return ["--profile", word.slice(1)];
  if (isLink(word)) return ["--link", word];
  if (/^[\da-f]*:[\da-f]*:[\da-f:.]*$/i.test(word)) return ["--host", word];
  const [, bracketed, name, port] =
    /^(?:\[([\da-f:.]+)\]|([^\s/:@[\]]+))(?::(\d+))?$/i.exec(word) ??
      [];
  const host = bracketed ?? name;
  const isHost = bracketed !== undefined || port !== undefined || name === "localhost" ||
    name?.includes(".") === true;
  if (host === undefined || !isHost) return undefined;
  return ["--host", host, ...port === undefined ? [] : ["--port", port]];
}
