// The client's options: one table from which parsing, help and the list in docs/CLIENT.md derive.

import {
  type CommandLineInput,
  type OptionTable,
  type OptionValues,
  parseCommandLine,
  type Source,
  SOURCES,
} from "../../shared/cli/command_line.ts";
import { ConfigError, UsageError } from "../../shared/base/errors.ts";
import { type InviteLink, isLink, parseLink } from "../../shared/text/invite_link.ts";
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
  /** Whether the link says that the server has a page for browsers. */
  readonly hasPage: boolean;
  /** Where each option's value came from. */
  readonly sources: ReadonlyMap<string, Source>;
}

/** What the client was told to do; a link is already taken apart. */
export interface ClientConfig extends OptionValues<typeof CLIENT_OPTIONS>, LinkParts {}

/** Where a link may come from besides the command line. */
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
  const wrong = positionals.find((word) => !isLink(word));
  if (wrong !== undefined) {
    throw new UsageError(`Cannot use ${quote(wrong)}: expected options, a link or a command`, {
      hint: "--help lists all commands and options",
    });
  }
  const sources = new Map(from);
  if (positional !== undefined) {
    if (surplus !== undefined || sources.get("link") === "typed") throw twoLinks();
    sources.set("link", "typed");
  }
  const values = { ...given, link: positional ?? given.link };
  const settled = settleContradiction({ values, sources }, "accept-files", "no-downloads");
  return withLink(settled, input.readLine);
}

/** The error for a second link; it repeats neither. */
export function twoLinks(): UsageError {
  return new UsageError("Cannot use two links: expected one, or --link");
}

/** Reads the options of a command that talks to a server; `positionals` are for it to judge. */
export function readConnection<R extends typeof CONNECTION_OPTIONS & OptionTable>(
  table: R,
  input: LinkInput,
): { readonly values: OptionValues<R> & LinkParts; readonly positionals: readonly string[] } {
  const { values, positionals, sources } = parseCommandLine(table, input);
  return { values: withLink({ values, sources }, input.readLine), positionals };
}

/** The configuration of a chat of which only these options were asked for; all others have their fallbacks. */
export function asClientConfig(values: ConnectionValues & LinkParts): ClientConfig {
  const { values: fallbacks } = parseCommandLine(CLIENT_OPTIONS, {
    args: [],
    env: () => undefined,
  });
  return { ...fallbacks, ...values };
}

/** Options that a link states. */
const LINK_OPTIONS = ["host", "port", "fingerprint", "legacy", "room"] as const;

/** Values of options, and where each came from. */
interface Settled<V extends object = ConnectionValues> {
  readonly values: V;
  readonly sources: ReadonlyMap<string, Source>;
}

/** Settles contradictions between options, then takes the link apart where there is one. */
function withLink<V extends ConnectionValues>(
  given: Settled<V>,
  readLine: () => string,
): V & LinkParts {
  const settled = keepTokenAtHome(settleContradictions(preferTypedServer(given)));
  const text: string | undefined = settled.values.link;
  if (text === undefined) {
    const none = { linkToken: undefined, linkSecret: undefined, linkShows: false, hasPage: false };
    const carrier = carrierOf(settled.values);
    return { ...settled.values, ...carrier, ...none, sources: settled.sources };
  }
  checkLinkOptions(settled.sources);
  const link = parseLink(text === "-" ? readLine() : text);
  const parts = resolveLink(settled.values, settled.sources, link);
  return { ...settled.values, ...parts, sources: settled.sources };
}

/** What a link makes of the options. Throws UsageError where both say different things. */
function resolveLink(
  values: ConnectionValues,
  sources: ReadonlyMap<string, Source>,
  link: InviteLink,
) {
  const { token: linkToken, secret: linkSecret } = link;
  const server = serverOf(link, values);
  const isOtherRoom = isStored(sources.get("link")) && isStronger(sources, "room", "link");
  if (linkSecret !== undefined && isOtherRoom) {
    throw new UsageError("Cannot use --room with this link: its secret is of one room");
  }
  const isSecret = linkToken !== undefined || linkSecret !== undefined;
  return {
    ...server,
    room: isOtherRoom ? values.room : parseRoom(link.room),
    linkToken,
    linkSecret,
    hasPage: link.hasPage ?? false,
    linkShows: sources.get("link") === "typed" && values.link !== "-" && isSecret,
  };
}

function serverOf(
  link: InviteLink,
  values: ConnectionValues,
): Pick<ConnectionValues, "host" | "port" | "fingerprint" | "tls" | "transport"> {
  if (values.legacy && link.secret !== undefined) {
    throw new UsageError(
      "Cannot use --legacy with this link: the old protocol has no sealed rooms",
    );
  }
  const { host, port, fingerprint = values.fingerprint } = link;
  if (values.legacy && link.fingerprint !== undefined) {
    throw new UsageError("Cannot use --legacy with this link: it names the server to expect");
  }
  const transport = values.transport === "auto" && link.wss ? "wss" : values.transport;
  const carrier = carrierOf({ tls: values.tls || link.tls, transport, legacy: values.legacy });
  return { host, port, fingerprint, ...carrier };
}

/** WebSocket is always inside TLS, and never carries the old protocol. Throws ConfigError. */
function carrierOf(
  { tls, transport, legacy }: Pick<ConnectionValues, "tls" | "transport" | "legacy">,
): Pick<ConnectionValues, "tls" | "transport"> {
  if (transport === "wss" && legacy) {
    throw new ConfigError(
      "Cannot use --legacy over WebSocket: it carries only the new protocol",
    );
  }
  return { tls: tls || transport === "wss", transport };
}

/** A link in the settings file or a profile names the server for every day; the room may still be chosen. */
function isStored(source: Source | undefined): boolean {
  return source === "settings" || source === "profile";
}

/** A link of the settings file gives way to another server that was asked for. */
function preferTypedServer<V extends ConnectionValues>(settled: Settled<V>): Settled<V> {
  const { sources } = settled;
  const isOther = sources.get("link") === "settings" &&
    LINK_OPTIONS.some((option) => option !== "room" && isStronger(sources, option, "link"));
  return isOther ? without(settled, "link") : settled;
}

/** A link names the server: an option that names it as well contradicts it. */
function checkLinkOptions(sources: ReadonlyMap<string, Source>): void {
  for (const option of LINK_OPTIONS) {
    const mayDiffer = option === "room" && isStored(sources.get("link"));
    if (sources.get(option) === "typed" && !mayDiffer) {
      throw new UsageError(`Cannot use --${option} with a link: the link says that already`);
    }
  }
}

/** Reads options and environment of `history FILE`; `args` without the word itself. Throws UsageError. */
export function readHistoryConfig(input: CommandLineInput): HistoryConfig {
  const { values, positionals, sources } = parseCommandLine(HISTORY_OPTIONS, input);
  const [first, ...rest] = positionals;
  const action: HistoryAction = first === "export" ? "export" : "show";
  const [path, surplus] = first === "show" || first === "export" ? rest : positionals;
  if (path === undefined && !values.help && !values.version) {
    throw new UsageError("Cannot show a history: expected history FILE");
  }
  if (surplus !== undefined) {
    throw new UsageError(`Cannot use ${quote(surplus)}: history takes one FILE`);
  }
  if (values.output !== undefined && action !== "export") {
    throw new UsageError("Cannot use --output to show a history: expected `history export FILE`");
  }
  return { ...values, action, path, sources };
}

function isStronger(sources: ReadonlyMap<string, Source>, one: string, other: string): boolean {
  const rank = (name: string) => {
    const source = sources.get(name);
    return source === undefined ? SOURCES.length : SOURCES.indexOf(source);
  };
  return rank(one) < rank(other);
}

/** The same without one option. */
function without<V extends object>({ values, sources }: Settled<V>, option: string): Settled<V> {
  const isSwitch = typeof (values as Record<string, unknown>)[option] === "boolean";
  return {
    values: { ...values, [option]: isSwitch ? false : undefined },
    sources: new Map([...sources].filter(([name]) => name !== option)),
  };
}

function settleContradictions<V extends ConnectionValues>(settled: Settled<V>): Settled<V> {
  const pairs = [
    ["ca-file", "tls-insecure"],
    ["legacy", "fingerprint"],
    ["legacy", "known-servers"],
  ] as const;
  return pairs.reduce((so, [one, other]) => settleContradiction(so, one, other), settled);
}

/** Of two options that contradict each other the stronger one counts; equally strong ones are refused. */
function settleContradiction<V extends object>(
  settled: Settled<V>,
  one: string,
  other: string,
): Settled<V> {
  const { sources } = settled;
  const values = settled.values as Record<string, unknown>;
  if (!values[one] || !values[other]) return settled;
  if (isStronger(sources, one, other)) return without(settled, other);
  if (isStronger(sources, other, one)) return without(settled, one);
  throw new ConfigError(`Cannot use --${one} with --${other}: they contradict each other`);
}

/** A token of the settings file goes to the server that the file names beside it, and to no other. */
function keepTokenAtHome<V extends ConnectionValues>(settled: Settled<V>): Settled<V> {
  const { sources } = settled;
  const isAway = (option: string) =>
    isStored(sources.get(option)) &&
    ["host", "port", "link"].some((name) => isStronger(sources, name, option));
  return ["token", "token-file"].filter(isAway).reduce(
    (so, option) => without(so, option),
    settled,
  );
}
