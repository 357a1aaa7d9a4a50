// The server's options: one table from which parsing, help and the list in docs/OPERATIONS.md derive.

import { canonicalHost, isUnlisted } from "../../shared/text/host_and_port.ts";
import { closest } from "../../shared/text/closest.ts";
import {
  type CommandLineInput,
  type OptionTable,
  type OptionValues,
  parseCommandLine,
} from "../../shared/cli/command_line.ts";
import { ConfigError, UsageError } from "../../shared/base/errors.ts";
import { CONNECTION_RATE, CONNECTIONS_PER_ADDRESS_MAX, ROOMS_MAX } from "./limits.ts";
import { formatBytes } from "../../shared/text/byte_size.ts";
import {
  BACKLOG_MAX_LINES,
  CONNECTIONS_MAX,
  FILE_MAX_BYTES,
  FILE_MAX_BYTES_CEILING,
  HOLD_S,
  HOST_MAX_CHARACTERS,
  MESSAGE_MAX_BYTES,
  MESSAGE_MAX_BYTES_CEILING,
  RATE_LIMIT_MESSAGES,
  RATE_LIMIT_SECONDS,
} from "../../shared/base/limits.ts";
import {
  bytes,
  commaList,
  integer,
  oneOf,
  orOff,
  rate,
  toggle,
  word,
} from "../../shared/cli/option_values.ts";
import { hasPageToken } from "./admin_token.ts";
import { addressText, type AdminAddress, adminAddress, isLoopback } from "./admin_address.ts";
import { type AccessToken, tokensFromVariable } from "./access_tokens.ts";

/** Parses `chat1.example.org:5050` or `[2001:db8::1]:5050`: one server, as its clients reach it. Throws UsageError. */
function clientAddress(text: string): { readonly host: string; readonly port: number } {
  const [, typed = "", digits] = /^(\[[^\]]*\]|[^:]*):(\d{1,5})$/.exec(text) ?? [];
  const [host, port] = [canonicalHost(typed), Number(digits)];
  const isHost = /^[0-9a-z._:-]+$/.test(host) && host.length <= HOST_MAX_CHARACTERS;
  if (!isHost || !(port >= 1 && port <= 65_535) || isNobody(host)) {
    throw new UsageError("it must be HOST:PORT, such as chat1.example.org:5050");
  }
  if (isUnlisted(host)) {
    throw new UsageError("it must be a name or an address that clients reach from elsewhere");
  }
  return { host, port };
}

/** Whether a host is an address to listen on, which nobody can connect to. */
function isNobody(host: string): boolean {
  return host === "0.0.0.0" || host === "::";
}

const LOG_LEVELS = ["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"] as const;
/** Levels of the log, least urgent first. */
export type LogLevel = typeof LOG_LEVELS[number];

/** The value of an option that is a size. */
function typedSize(bytes: number): string {
  return formatBytes(bytes).replace(" ", "");
}

const LOG_FORMATS = ["text", "json", "journal"] as const;
/** Formats of the log; `journal` is text with a priority prefix. */
export type LogFormat = typeof LOG_FORMATS[number];

/** Every option of the server. */
export const SERVER_OPTIONS = {
  host: {
    value: "ADDRESS",
    env: "CMDCHAT_HOST",
    fallback: "127.0.0.1",
    parse: (text: string) => canonicalHost(word(text)),
    help: "address to listen on",
  },
  port: {
    value: "PORT",
    env: "CMDCHAT_PORT",
    fallback: "5050",
    parse: integer(0, 65_535),
    help: "port to listen on; 0 takes a free one",
  },
  certfile: {
    value: "FILE",
    env: "CMDCHAT_CERTFILE",
    parse: word,
    help: "certificate chain (PEM) for TLS, with --keyfile",
  },
  keyfile: {
    value: "FILE",
    env: "CMDCHAT_KEYFILE",
    parse: word,
    help: "private key (PEM) for TLS, with --certfile",
  },
  web: {
    value: "ORIGIN,…",
    env: "CMDCHAT_WEB",
    parse: commaList,
    help:
      "serve the page for browsers on the same port, and speak WebSocket; browsers reach it at these addresses",
  },
  "web-only-socket": {
    env: "CMDCHAT_WEB_ONLY_SOCKET",
    parse: toggle,
    help: "speak WebSocket on the same port too, for terminal clients; no page is served",
  },
  "trusted-proxy": {
    value: "NETWORK,…",
    env: "CMDCHAT_TRUSTED_PROXY",
    parse: commaList,
    help: "trust these proxies to give a client's address: X-Forwarded-For, or PROXY v1 or v2",
  },
  "tokens-file": {
    value: "FILE",
    env: "CMDCHAT_TOKENS_FILE",
    parse: word,
    help: "tokens, one per line, one of which a client must have; read again on SIGHUP",
  },
  invites: {
    env: "CMDCHAT_INVITES",
    parse: toggle,
    help: "let members who have a token make invites that end (/invite 2h once)",
  },
  "bans-file": {
    value: "FILE",
    env: "CMDCHAT_BANS_FILE",
    parse: word,
    help: "addresses and networks to refuse, one per line; read again on SIGHUP",
  },
  "settings-file": {
    value: "FILE",
    env: "CMDCHAT_SETTINGS_FILE",
    parse: word,
    help:
      "file of variables, one NAME=value per line, which override the environment; limits and log level are read again on SIGHUP",
  },
  "metrics-interval": {
    value: "SECONDS",
    env: "CMDCHAT_METRICS_INTERVAL",
    fallback: "60",
    parse: integer(0, 86_400),
    help: "seconds between metrics lines in the log; 0 = none",
  },
  "rate-limit": {
    value: "N/SECONDS",
    env: "CMDCHAT_RATE_LIMIT",
    fallback: `${RATE_LIMIT_MESSAGES}/${RATE_LIMIT_SECONDS}`,
    parse: orOff(rate),
    help: "N messages that a client may send in SECONDS, or off",
  },
  "max-connections": {
    value: "N",
    env: "CMDCHAT_MAX_CONNECTIONS",
    fallback: String(CONNECTIONS_MAX),
    parse: integer(1, 1_000_000),
    help: "connections in total",
  },
  "max-per-address": {
    value: "N",
    env: "CMDCHAT_MAX_PER_ADDRESS",
    fallback: String(CONNECTIONS_PER_ADDRESS_MAX),
    parse: orOff(integer(1, 1_000_000)),
    help: "connections from one address, or off",
  },
  "connection-rate": {
    value: "N/SECONDS",
    env: "CMDCHAT_CONNECTION_RATE",
    fallback: `${CONNECTION_RATE.messages}/${CONNECTION_RATE.seconds}`,
    parse: orOff(rate),
    help:
      "N new connections from one address in SECONDS, or off; --max-per-address off turns this off too",
  },
  "max-message": {
    value: "SIZE",
    env: "CMDCHAT_MAX_MESSAGE",
    fallback: typedSize(MESSAGE_MAX_BYTES),
    parse: bytes(1, MESSAGE_MAX_BYTES_CEILING),
    help: "largest message",
  },
  "max-file": {
    value: "SIZE",
    env: "CMDCHAT_MAX_FILE",
    fallback: typedSize(FILE_MAX_BYTES),
    parse: bytes(0, FILE_MAX_BYTES_CEILING),
    help: "largest file; 0 = no files",
  },
  "max-rooms": {
    value: "N",
    env: "CMDCHAT_MAX_ROOMS",
    fallback: String(ROOMS_MAX),
    parse: integer(1, 1_000_000),
    help: "rooms at the same time",
  },
  backlog: {
    value: "N",
    env: "CMDCHAT_BACKLOG",
    fallback: "0",
    parse: integer(0, BACKLOG_MAX_LINES),
    help: "last lines that each room shows to newcomers, unless its maker changes that; 0 = none",
  },
  nats: {
    value: "URL",
    env: "CMDCHAT_NATS",
    parse: word,
    help: "NATS servers that join several cmdchat servers into one, separated by commas",
  },
  "nats-replicas": {
    value: "N",
    env: "CMDCHAT_NATS_REPLICAS",
    fallback: "1",
    parse: integer(1, 5),
    help: "NATS servers that keep a copy of each room; 3 survive the loss of one",
  },
  "nats-ca": {
    value: "FILE",
    env: "CMDCHAT_NATS_CA",
    parse: word,
    help: "certificates (PEM) to trust for NATS",
  },
  "nats-certfile": {
    value: "FILE",
    env: "CMDCHAT_NATS_CERTFILE",
    parse: word,
    help: "certificate (PEM) to show to NATS, with --nats-keyfile",
  },
  "nats-keyfile": {
    value: "FILE",
    env: "CMDCHAT_NATS_KEYFILE",
    parse: word,
    help: "private key (PEM) of --nats-certfile",
  },
  advertise: {
    value: "HOST:PORT",
    env: "CMDCHAT_ADVERTISE",
    parse: clientAddress,
    help:
      "address at which clients reach this server and no other of --nats; clients are told of it, and spread over all such servers",
  },
  hold: {
    value: "SECONDS",
    env: "CMDCHAT_HOLD",
    fallback: String(HOLD_S),
    parse: integer(0, 3_600),
    help: "seconds for which a client keeps its place after it lost its connection; 0 = none",
  },
  "admin-listen": {
    value: "ADDRESS:PORT",
    env: "CMDCHAT_ADMIN_LISTEN",
    parse: adminAddress,
    help: "address for /health, /ready and /metrics over HTTP; any but loopback needs a token",
  },
  "admin-token-file": {
    value: "FILE",
    env: "CMDCHAT_ADMIN_TOKEN_FILE",
    parse: word,
    help: "token of --admin-listen, in place of CMDCHAT_ADMIN_TOKEN",
  },
  "metrics-token-file": {
    value: "FILE",
    env: "CMDCHAT_METRICS_TOKEN_FILE",
    parse: word,
    help: "token that opens /metrics and nothing else, in place of CMDCHAT_METRICS_TOKEN",
  },
  "take-over": {
    value: "ADDRESS:PORT",
    env: "CMDCHAT_TAKE_OVER",
    parse: adminAddress,
    help:
      "take over from the server with this --admin-listen, if it runs; both need the same admin token",
  },
  "identity-file": {
    value: "FILE",
    env: "CMDCHAT_IDENTITY_FILE",
    parse: word,
    help: "this server's identity, as keygen printed it; without it, a new one at each start",
  },
  "log-level": {
    value: "LEVEL",
    env: "CMDCHAT_LOG_LEVEL",
    fallback: "INFO",
    choices: LOG_LEVELS,
    parse: oneOf(LOG_LEVELS),
    help: `least urgent level that is logged: ${LOG_LEVELS.join(", ")}`,
  },
  "log-format": {
    value: "FORMAT",
    env: "CMDCHAT_LOG_FORMAT",
    fallback: "text",
    choices: LOG_FORMATS,
    parse: oneOf(LOG_FORMATS),
    help:
      "how lines of the log look: text, json (one object per line), or journal (text with a priority for systemd)",
  },
  help: { short: "h", parse: toggle, help: "print this help" },
  version: { short: "V", parse: toggle, help: "print the version" },
} as const satisfies OptionTable;

/** Secrets that have a variable and no option, since process lists show command lines. */
export const ENVIRONMENT_ONLY = {
  CMDCHAT_TOKENS:
    "comma-separated tokens, one of which a client must have; none = open to everyone",
  CMDCHAT_ADMIN_TOKEN:
    "admin token, which --take-over, admin and /metrics of --admin-listen require",
  CMDCHAT_METRICS_TOKEN:
    "token that opens /metrics of --admin-listen and nothing else, for Prometheus",
  CMDCHAT_CLUSTER_KEY: "32 bytes in base64url, the same on all servers of --nats",
  CMDCHAT_NATS_USER: "user for NATS, with CMDCHAT_NATS_PASSWORD",
  CMDCHAT_NATS_PASSWORD: "password for NATS",
  CMDCHAT_NATS_TOKEN: "token for NATS",
  CMDCHAT_NATS_NKEY: "nkey seed for NATS (SU…)",
  CMDCHAT_METRICS: "0 switches the metrics line off [default 1]",
} as const;

/** The server's configuration. Tokens are kept only as SHA-256 digests. */
export interface ServerConfig extends OptionValues<typeof SERVER_OPTIONS> {
  /** Tokens of CMDCHAT_TOKENS; --tokens-file adds to them. */
  readonly tokens: readonly AccessToken[];
}

/** Reads options and environment; `commands` may have been meant. Throws UsageError or ConfigError. */
export function readConfig(
  input: CommandLineInput,
  commands: readonly string[] = [],
): ServerConfig {
  const { values, positionals } = parseCommandLine(SERVER_OPTIONS, input);
  if (positionals.length > 0) {
    const [word = ""] = positionals;
    const meant = closest(word, commands);
    throw new UsageError(`Cannot use ${JSON.stringify(word)}: there is no such command`, {
      hint: meant === undefined
        ? "--help lists all commands and options; the server starts without a command"
        : `did you mean ${meant}?`,
    });
  }
  if ((values.certfile === undefined) !== (values.keyfile === undefined)) {
    const [given, missing] = values.certfile === undefined
      ? ["--keyfile", "--certfile"]
      : ["--certfile", "--keyfile"];
    throw new ConfigError(`Cannot use ${given} alone: TLS needs ${missing} as well`);
  }
  if (values.advertise !== undefined && values.nats === undefined) {
    throw new ConfigError("Cannot use --advertise alone: other servers are told over --nats");
  }
  const sources = { env: input.env, files: values };
  // Both are read: two sources for one token are an error.
  const hasTokens = (["admin", "metrics"] as const).map((which) => hasPageToken(which, sources));
  if (!hasTokens.includes(true)) refuseOpen(values["admin-listen"]);
  const metricsOn = readToggle(input, "CMDCHAT_METRICS", true);
  return {
    ...values,
    "metrics-interval": metricsOn ? values["metrics-interval"] : 0,
    tokens: tokensFromVariable(input.env("CMDCHAT_TOKENS") ?? ""),
  };
}

function refuseOpen(address: AdminAddress | undefined): void {
  if (address === undefined || isLoopback(address.hostname)) return;
  throw new ConfigError(
    `Cannot use --admin-listen ${JSON.stringify(addressText(address))}: other machines ` +
      "could reach it, and it has no token",
    { hint: "set CMDCHAT_ADMIN_TOKEN or CMDCHAT_METRICS_TOKEN, or listen on 127.0.0.1" },
  );
}

function readToggle(input: CommandLineInput, name: string, fallback: boolean): boolean {
  const text = input.env(name);
  if (!text) return fallback;
  try {
    return toggle(text);
  } catch (cause) {
    throw new UsageError(
      `Cannot use ${name} ${JSON.stringify(text.slice(0, 80))}: it must be 1 or 0`,
      {
        cause,
      },
    );
  }
}
