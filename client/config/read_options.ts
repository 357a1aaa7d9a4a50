// The client's options: one table from which parsing, help and the README's list derive.

import {
  type CommandLineInput,
  type OptionTable,
  type OptionValues,
  parseCommandLine,
  type Source,
  SOURCES,
} from "../../shared/cli/command_line.ts";
import { ConfigError, UsageError } from "../../shared/base/errors.ts";
import { type InviteLink, parseLink } from "../../shared/text/invite_link.ts";
import { parseRoom } from "../../shared/text/names.ts";
import { quote } from "../../shared/base/sanitize.ts";
import { CONNECTION_OPTIONS } from "./connection_options.ts";
import { CLIENT_OPTIONS, HISTORY_OPTIONS } from "./client_options.ts";

/** Values of the options of a connection. */
export type ConnectionValues = OptionValues<typeof CONNECTION_OPTIONS>;

/** What a link adds to the options. */
export interface LinkParts {
  /** The token of a link. */
  readonly linkToken: string | undefined;
  /** The secret of a link to a sealed room. */
  readonly linkSecret: Uint8Array | undefined;
  /** Whether a link with something secret in it stood on the command line. */
  readonly linkShows: boolean;
  /** Where each option's value came from. */
  readonly sources: ReadonlyMap<string, Source>;
}

/** What the client was told to do; a link is already taken apart. */
export interface ClientConfig extends OptionValues<typeof CLIENT_OPTIONS>, LinkParts {}

/** Where a link may come from beside the command line. */
export interface LinkInput extends CommandLineInput {
  /** The first line of standard input, for `--link -`. */
  readonly readLine: () => string;
}

/** What `history` does: show in the terminal, or hand on. */
export type HistoryAction = "show" | "export";

/** What `history FILE` was told to do. */
export interface HistoryConfig extends OptionValues<typeof HISTORY_OPTIONS> {
  readonly action: HistoryAction;
  /** undefined only beside `help`. */
  readonly path: string | undefined;
  /** Where each option's value came from. */
  readonly sources: ReadonlyMap<string, Source>;
}

/** Reads options and environment of a chat. Throws UsageError, LimitError or ConfigError. */
export function readConfig(input: LinkInput): ClientConfig {
  const { values: given, positionals, sources: from } = parseCommandLine(CLIENT_OPTIONS, input);
  const [positional, surplus] = positionals;
  const isLink = positional !== undefined && /^cmdchat:/i.test(positional);
  if (surplus !== undefined || (positional !== undefined && !isLink)) {
    throw new UsageError(
      `Cannot use ${
        quote((isLink ? surplus : positional) ?? "")
      }: options, a link or a command are wanted`,
      { hint: "a command comes first; --help lists all commands and options" },
    );
  }
  const sources = new Map(from);
  if (positional !== undefined) {
    if (sources.get("link") === "typed") {
      throw new UsageError("Cannot use two links: one, or --link, is wanted");
    }
    sources.set("link", "typed");
  }
  const values = { ...given, link: positional ?? given.link };
  settleContradiction({ values, sources }, "accept-files", "no-downloads");
  return withLink(values, sources, input.readLine);
}

/** Reads the options of a command that talks to a server; `positionals` are for it to judge. */
export function readConnection<R extends typeof CONNECTION_OPTIONS & OptionTable>(
  table: R,
  input: LinkInput,
): { readonly values: OptionValues<R> & LinkParts; readonly positionals: readonly string[] } {
  const { values, positionals, sources } = parseCommandLine(table, input);
  return { values: withLink({ ...values }, new Map(sources), input.readLine), positionals };
}

/** The configuration of a chat of which only these options were asked for; all others have their fallbacks. */
export function asClientConfig(values: ConnectionValues & LinkParts): ClientConfig {
  const { values: fallbacks } = parseCommandLine(CLIENT_OPTIONS, {
    args: [],
    env: () => undefined,
  });
  return { ...fallbacks, ...values };
}

/** What a link says itself. */
const SAID_BY_LINKS = ["host", "port", "fingerprint", "legacy", "room"] as const;

/**
 * A link says where to go and who answers there: an option that says it as well contradicts it. Changes `values` and
 * `sources`.
 */
function withLink<V extends ConnectionValues>(
  values: V,
  sources: Map<string, Source>,
  readLine: () => string,
): V & LinkParts {
  const settled = { values, sources };
  const from = sources.get("link");
  // One that is written down for every day names the server; somebody may ask for another room there, or another server.
  const isWritten = from === "settings" || from === "profile";
  const otherRoom = isWritten && isStronger(sources, "room", "link") ? values.room : undefined;
  for (const option of SAID_BY_LINKS) {
    if (from === "settings" && option !== "room" && isStronger(sources, option, "link")) {
      drop(settled, "link");
    }
  }
  settleContradiction(settled, "ca-file", "tls-insecure");
  settleContradiction(settled, "legacy", "fingerprint");
  settleContradiction(settled, "legacy", "known-servers");
  keepTokenAtHome(settled);
  const text: string | undefined = values.link;
  if (text === undefined) {
    const none = { linkToken: undefined, linkSecret: undefined, linkShows: false };
    return { ...values, ...none, sources };
  }
  for (const option of SAID_BY_LINKS) {
    if (sources.get(option) === "typed" && !(option === "room" && isWritten)) {
      throw new UsageError(`Cannot use --${option} with a link: it says that itself`);
    }
  }
  const link = parseLink(text === "-" ? readLine() : text);
  const { token: linkToken, secret: linkSecret } = link;
  if (linkSecret !== undefined && otherRoom !== undefined) {
    throw new UsageError("Cannot use --room with this link: its secret is of one room");
  }
  const isSecret = linkToken !== undefined || linkSecret !== undefined;
  const linkShows = from === "typed" && text !== "-" && isSecret;
  const place = placeOf(link, values);
  return {
    ...{ ...values, ...place, room: otherRoom ?? place.room },
    ...{ linkToken, linkSecret, linkShows, sources },
  };
}

function placeOf(
  link: InviteLink,
  values: ConnectionValues,
): Pick<ConnectionValues, "host" | "port" | "room" | "fingerprint" | "tls"> {
  if (values.legacy && link.secret !== undefined) {
    throw new UsageError(
      "Cannot use --legacy with this link: the old protocol has no sealed rooms",
    );
  }
  const { host, port, fingerprint = values.fingerprint } = link;
  if (values.legacy && link.fingerprint !== undefined) {
    throw new UsageError("Cannot use --legacy with this link: it names the server to expect");
  }
  return { host, port, fingerprint, room: parseRoom(link.room), tls: values.tls || link.tls };
}

/** Reads options and environment of `history FILE`; `args` without the word itself. Throws UsageError. */
export function readHistoryConfig(input: CommandLineInput): HistoryConfig {
  const { values, positionals, sources } = parseCommandLine(HISTORY_OPTIONS, input);
  const [first, ...rest] = positionals;
  const action: HistoryAction = first === "export" ? "export" : "show";
  const [path, surplus] = first === "show" || first === "export" ? rest : positionals;
  if (path === undefined && !values.help && !values.version) {
    throw new UsageError("Cannot show a history: history FILE is wanted");
  }
  if (surplus !== undefined) {
    throw new UsageError(`Cannot use ${JSON.stringify(surplus)}: history takes one FILE`);
  }
  if (values.output !== undefined && action !== "export") {
    throw new UsageError("Cannot use --output to show a history: `history export FILE` is wanted");
  }
  return { ...values, action, path, sources };
}

interface Settled {
  readonly values: Readonly<Record<string, unknown>>;
  readonly sources: Map<string, Source>;
}

function isStronger(sources: ReadonlyMap<string, Source>, one: string, other: string): boolean {
  const rank = (name: string) => {
    const source = sources.get(name);
    return source === undefined ? SOURCES.length : SOURCES.indexOf(source);
  };
  return rank(one) < rank(other);
}

function drop({ values, sources }: Settled, option: string): void {
  const isSwitch = typeof values[option] === "boolean";
  (values as Record<string, unknown>)[option] = isSwitch ? false : undefined;
  sources.delete(option);
}

/** Of two options that contradict each other the stronger one counts; equally strong ones are refused. */
function settleContradiction(settled: Settled, one: string, other: string): void {
  const { values, sources } = settled;
  if (!values[one] || !values[other]) return;
  if (isStronger(sources, one, other)) return drop(settled, other);
  if (isStronger(sources, other, one)) return drop(settled, one);
  throw new ConfigError(`Cannot use --${one} with --${other}: they contradict each other`);
}

/** A token of the settings file goes to the server that stands beside it, and to no other that was asked for. */
function keepTokenAtHome(settled: Settled): void {
  const { sources } = settled;
  for (const option of ["token", "token-file"]) {
    const source = sources.get(option);
    if (source !== "settings" && source !== "profile") continue;
    const isAway = ["host", "port", "link"].some((name) => isStronger(sources, name, option));
    if (isAway) drop(settled, option);
  }
}
