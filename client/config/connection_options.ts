// Options that every command which talks to a server has in common.

import { canonicalHost } from "../../shared/text/host_and_port.ts";
import { isLink } from "../../shared/text/invite_link.ts";
import type { OptionTable } from "../../shared/cli/command_line.ts";
import { UsageError } from "../../shared/base/errors.ts";
import { parseFingerprint } from "../../shared/crypto/fingerprint.ts";
import { parseName, parseTypedRoom } from "../../shared/text/names.ts";
import { integer, oneOf, toggle, word } from "../../shared/cli/option_values.ts";
import { parseProxy } from "./proxy_url.ts";

/** Options of a command that needs no settings. */
export const HELP_OPTIONS = {
  help: { short: "h", parse: toggle, help: "print this help" },
  version: { short: "V", parse: toggle, help: "print the version" },
} as const satisfies OptionTable;

/** Options of every other command. */
export const COMMON_OPTIONS = {
  config: {
    value: "FILE",
    env: "CMDCHAT_CONFIG",
    parse: word,
    help: "settings file [default ~/.config/cmdchat/config.toml]",
  },
  profile: {
    value: "NAME",
    env: "CMDCHAT_PROFILE",
    parse: word,
    help: "use [server.NAME] of the settings file, as @NAME in front does",
  },
  ...HELP_OPTIONS,
} as const satisfies OptionTable;

/** What can carry the stream to the server. */
export const TRANSPORTS = ["auto", "raw", "wss"] as const;

/** Options about where the server is, who we are there, and whom to trust. */
export const CONNECTION_OPTIONS = {
  host: {
    value: "HOST",
    env: "CMDCHAT_HOST",
    fallback: "127.0.0.1",
    parse: (text) => canonicalHost(noLink(word(text))),
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
    parse: parseName,
    help: "your name",
  },
  room: {
    value: "ROOM",
    env: "CMDCHAT_ROOM",
    fallback: "lobby",
    parse: parseTypedRoom,
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
  tls: { env: "CMDCHAT_TLS", parse: toggle, help: "use TLS" },
  transport: {
    value: "KIND",
    env: "CMDCHAT_TRANSPORT",
    fallback: "auto",
    choices: TRANSPORTS,
    parse: oneOf(TRANSPORTS),
    help:
      "how to connect: raw (TCP or TLS), wss (WebSocket in TLS, which web proxies pass), or auto (as the link says, else raw)",
  },
  proxy: {
    value: "URL",
    env: "CMDCHAT_PROXY",
    parse: parseProxy,
    secret: true,
    help: "proxy to the server: socks5://HOST:PORT, http://HOST:PORT or none [default ALL_PROXY]",
  },
  "proxy-auth-file": {
    value: "FILE",
    env: "CMDCHAT_PROXY_AUTH_FILE",
    parse: word,
    help: "file whose first line is USER:PASSWORD for --proxy",
  },
  "ca-file": {
    value: "FILE",
    env: "CMDCHAT_CA_FILE",
    parse: word,
    help: "certificates (PEM) to trust in addition to the public authorities; implies --tls",
  },
  "tls-insecure": {
    parse: toggle,
    help:
      "use TLS without checking the certificate: anybody in between can read and change everything",
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
    help: "fingerprint of the server to expect, as it prints it at start; others are refused",
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
} as const satisfies OptionTable;

/** The user's device key, and the people they know by theirs. */
export const PEOPLE_OPTIONS = {
  "device-key": {
    value: "FILE",
    env: "CMDCHAT_DEVICE_KEY",
    parse: word,
    help: "show this key to the members of your rooms, who then recognize you: see keygen",
  },
  "device-key-passphrase-file": {
    value: "FILE",
    env: "CMDCHAT_DEVICE_KEY_PASSPHRASE_FILE",
    parse: word,
    help: "file whose first line is the passphrase of the device key",
  },
  "known-people": {
    value: "FILE",
    env: "CMDCHAT_KNOWN_PEOPLE",
    parse: word,
    help: "the people you recognize by their device keys [default with a device key: known_people]",
  },
} as const satisfies OptionTable;

/** What programs that talk in sealed rooms do at an alarm. */
export const ALARM_OPTIONS = {
  "allow-changed-keys": {
    env: "CMDCHAT_ALLOW_CHANGED_KEYS",
    parse: toggle,
    help: "do not stop if somebody comes back with another key",
  },
} as const satisfies OptionTable;

function noLink(text: string): string {
  if (isLink(text)) throw new UsageError("it is a link", { hint: "--link LINK goes there" });
  return text;
}
