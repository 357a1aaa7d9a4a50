// The client's options: one table from which parsing, help and the README's list derive.

import {
  type CommandLineInput,
  type OptionTable,
  type OptionValues,
  parseCommandLine,
} from "../shared/command_line.ts";
import { ConfigError, UsageError } from "../shared/errors.ts";
import { parseFingerprint } from "../shared/fingerprint.ts";
import { BUFFER_SIZE } from "../shared/limits.ts";
import { type Link, parseLink } from "../shared/link.ts";
import { parseName, parseRoom } from "../shared/names.ts";
import { quote } from "../shared/sanitize.ts";
import { integer, oneOf, toggle, word } from "../shared/option_values.ts";

/** Renderers by name. */
export const RENDERERS = ["rich", "minimal", "json"] as const;

const passphrase = {
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

const common = {
  help: { short: "h", parse: toggle, help: "print this help" },
  version: { short: "V", parse: toggle, help: "print the version" },
} as const satisfies OptionTable;

/** Every option of the client. */
export const CLIENT_OPTIONS = {
  host: {
    value: "HOST",
    env: "CMDCHAT_HOST",
    fallback: "127.0.0.1",
    parse: word,
    help: "server's name or address",
  },
  port: {
    value: "PORT",
    env: "CMDCHAT_PORT",
    fallback: "5050",
    parse: integer(1, 65_535),
    help: "server's port",
  },
  name: {
    value: "NAME",
    env: "CMDCHAT_NAME",
    fallback: "anonymous",
    parse: withoutHead(parseName, "name"),
    help: "your name",
  },
  room: {
    value: "ROOM",
    env: "CMDCHAT_ROOM",
    fallback: "lobby",
    parse: withoutHead(parseRoom, "room name"),
    help: "room to join",
  },
  token: {
    value: "TOKEN",
    parse: (text: string) => text,
    secret: true,
    help: "token of the server; better in CMDCHAT_TOKEN or a file",
  },
  "token-file": {
    value: "FILE",
    env: "CMDCHAT_TOKEN_FILE",
    parse: word,
    help: "file whose first line is the token",
  },
  tls: { env: "CMDCHAT_TLS", parse: toggle, help: "speak TLS" },
  "ca-file": {
    value: "FILE",
    env: "CMDCHAT_CA_FILE",
    parse: word,
    help: "certificates (PEM) to trust beside the public authorities; implies --tls",
  },
  "tls-insecure": {
    parse: toggle,
    help: "speak TLS with whoever answers: anybody in between can read and change all",
  },
  link: {
    value: "LINK",
    help: "invite link, or - to read it from standard input; better in CMDCHAT_LINK",
    env: "CMDCHAT_LINK",
    parse: word,
    secret: true,
  },
  fingerprint: {
    value: "SHA256:…",
    env: "CMDCHAT_FINGERPRINT",
    parse: parseFingerprint,
    help: "the server to expect, as it prints it at start; any other is refused",
  },
  "known-servers": {
    value: "FILE",
    env: "CMDCHAT_KNOWN_SERVERS",
    parse: word,
    help: "remember each server in this file, and refuse one that has changed",
  },
  legacy: {
    env: "CMDCHAT_LEGACY",
    parse: toggle,
    help: "speak the old protocol: no forward secrecy, no proof of who the server is",
  },
  renderer: {
    value: "NAME",
    env: "CMDCHAT_RENDERER",
    fallback: "rich",
    parse: oneOf(RENDERERS),
    help: `how messages are shown: ${RENDERERS.join(", ")}`,
  },
  "buffer-size": {
    value: "N",
    env: "CMDCHAT_BUFFER_SIZE",
    fallback: String(BUFFER_SIZE.default),
    parse: integer(BUFFER_SIZE.min, BUFFER_SIZE.max),
    help: `lines kept in memory for /last, ${BUFFER_SIZE.min} to ${BUFFER_SIZE.max}`,
  },
  "quiet-reconnect": {
    env: "CMDCHAT_QUIET_RECONNECT",
    parse: toggle,
    help: "no lines about lost and new connections",
  },
  "history-file": {
    value: "FILE",
    env: "CMDCHAT_HISTORY_FILE",
    parse: word,
    help: "keep what is shown in this file, encrypted under a passphrase",
  },
  ...passphrase,
  "accept-files": {
    env: "CMDCHAT_ACCEPT_FILES",
    parse: toggle,
    help: "take every offered file without asking",
  },
  "no-downloads": {
    env: "CMDCHAT_NO_DOWNLOADS",
    parse: toggle,
    help: "take no files; without --history-file the right to write is given up at start",
  },
  "download-dir": {
    value: "FOLDER",
    env: "CMDCHAT_DOWNLOAD_DIR",
    parse: word,
    help: "folder for received files [default ~/Downloads/cmdchat]",
  },
  ...common,
} as const satisfies OptionTable;

/** Every option of `cmdchat-client history FILE`. */
export const HISTORY_OPTIONS = {
  search: { value: "TEXT", short: "s", parse: word, help: "only entries with this text" },
  json: { parse: toggle, help: "one JSON object a line" },
  ...passphrase,
  ...common,
} as const satisfies OptionTable;

/** What the client was told to do; a link is already taken apart. */
export interface ClientConfig extends OptionValues<typeof CLIENT_OPTIONS> {
  /** The token of a link. */
  readonly linkToken: string | undefined;
  /** Whether a link with something secret in it stood on the command line. */
  readonly linkShows: boolean;
}

/** Where a link may come from beside the command line. */
export interface LinkInput extends CommandLineInput {
  /** The first line of standard input, for `--link -`. */
  readonly readLine: () => string;
}

/** What `history FILE` was told to do. */
export interface HistoryConfig extends OptionValues<typeof HISTORY_OPTIONS> {
  /** undefined only beside `help`. */
  readonly path: string | undefined;
}

/** Reads options and environment of a chat. Throws UsageError, LimitError or ConfigError. */
export function readConfig(input: LinkInput): ClientConfig {
  const { values, positionals, typed } = parseCommandLine(CLIENT_OPTIONS, input);
  const [positional, surplus] = positionals;
  if (surplus !== undefined || (positional !== undefined && !/^cmdchat:/i.test(positional))) {
    throw new UsageError(
      `Cannot use ${
        quote(surplus ?? positional ?? "")
      }: options, a link or \`history FILE\` are wanted`,
      { hint: "--help lists all options" },
    );
  }
  if (positional !== undefined && typed.has("link")) {
    throw new UsageError("Cannot use two links: one, or --link, is wanted");
  }
  refuseTogether(values, "ca-file", "tls-insecure");
  refuseTogether(values, "accept-files", "no-downloads");
  refuseTogether(values, "legacy", "fingerprint");
  refuseTogether(values, "legacy", "known-servers");
  const text = positional ?? values.link;
  if (text === undefined) return { ...values, linkToken: undefined, linkShows: false };
  const link = parseLink(text === "-" ? input.readLine() : text);
  const shown = positional !== undefined || (typed.has("link") && text !== "-");
  return withLink(values, link, { typed, shown });
}

/** A link says where to go and who answers there: an option that says it as well contradicts it. */
function withLink(
  values: OptionValues<typeof CLIENT_OPTIONS>,
  link: Link,
  { typed, shown }: { readonly typed: ReadonlySet<string>; readonly shown: boolean },
): ClientConfig {
  for (const option of ["host", "port", "room", "fingerprint", "legacy"]) {
    if (typed.has(option)) {
      throw new UsageError(`Cannot use --${option} with a link: it says that itself`);
    }
  }
  if (link.secret !== undefined) {
    throw new UsageError(
      "Cannot join the room of this link: it is sealed, and this version has no sealed rooms",
      { hint: "a newer version is needed; nothing was sent" },
    );
  }
  const { host, port, fingerprint = values.fingerprint, token } = link;
  if (values.legacy && link.fingerprint !== undefined) {
    throw new UsageError("Cannot use --legacy with this link: it names the server to expect");
  }
  return {
    ...values,
    ...{ host, port, fingerprint, room: parseRoom(link.room), tls: values.tls || link.tls },
    linkToken: token,
    linkShows: shown && token !== undefined,
  };
}

/** Reads options and environment of `history FILE`; `args` without the word itself. Throws UsageError. */
export function readHistoryConfig(input: CommandLineInput): HistoryConfig {
  const { values, positionals } = parseCommandLine(HISTORY_OPTIONS, input);
  const [path, surplus] = positionals;
  if (path === undefined && !values.help && !values.version) {
    throw new UsageError("Cannot show a history: history FILE is wanted");
  }
  if (surplus !== undefined) {
    throw new UsageError(`Cannot use ${JSON.stringify(surplus)}: history takes one FILE`);
  }
  return { ...values, path };
}

/** A parser whose errors do not begin with what was tried: parseCommandLine() says that. */
function withoutHead(parse: (text: string) => string, what: string): (text: string) => string {
  return (text) => {
    try {
      return parse(text);
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
      const head = `Cannot use the ${what} ${quote(text)}: `;
      throw error.message.startsWith(head)
        ? new UsageError(error.message.slice(head.length), { cause: error })
        : error;
    }
  };
}

function refuseTogether(
  values: OptionValues<typeof CLIENT_OPTIONS>,
  one: keyof typeof CLIENT_OPTIONS,
  other: keyof typeof CLIENT_OPTIONS,
): void {
  if (!values[one] || !values[other]) return;
  throw new ConfigError(`Cannot use --${one} with --${other}: they contradict each other`);
}
