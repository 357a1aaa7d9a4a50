// `cmdchat-server host`: a server for friends, with one command. Identity and token are in memory and end with it.

import { type HostConfig, type PublicAddress, readHostConfig } from "../config/host_options.ts";
import { ConfigError } from "../../shared/base/errors.ts";
import { tokenDigest } from "../config/access_tokens.ts";
import { readConfig, type ServerConfig } from "../config/server_options.ts";
import { HangUps } from "../commands/command_io.ts";
import { serve } from "../commands/serve.ts";
import type { ServedRelay } from "../commands/served_relay.ts";
import { type InvitationParts, invitationText, linksOf, newToken } from "./invitation.ts";
import { listenAnywhere } from "../net/listen_anywhere.ts";
import { type OwnAddresses, ownAddresses, readInterfaces } from "./own_addresses.ts";
import { PeopleWatch, type Person } from "./people_watch.ts";

const LOOK_MS = 500;

/** What `host` runs in. */
export interface HostContext {
  readonly args: readonly string[];
  /** Prints one line on standard output. */
  readonly print: (text: string) => void;
  readonly build: string | undefined;
}

/** Hosts until a signal comes. Throws CmdchatError where it cannot start. */
export async function hostCommand(context: HostContext): Promise<number> {
  const { print, build } = context;
  const say = (text: string) => printIfOpen(print, text);
  const columns = Deno.stdout.isTerminal() ? Deno.consoleSize().columns : undefined;
  const hangUps = new HangUps();
  const wanted = readHostConfig({ args: context.args, env: () => undefined });
  const token = newToken();
  const config = serverConfig(wanted, token);
  const interfaces = readInterfaces();
  const { listener, hasIpv6 } = await listenAnywhere(wanted.port);
  const { port } = listener.address;
  const addresses = ownAddresses(interfaces, { hasIpv6 });
  await serve({ ...config, port, advertise: advertised(addresses, wanted.name, port) }, {
    env: () => undefined,
    configAgain: () => config,
    print,
    build,
    hangUps,
    attended: {
      listen: () => Promise.resolve(listener),
      async tell(served, signal) {
        const parts: InvitationParts = {
          port,
          room: wanted.room,
          fingerprint: served.fingerprint,
          token,
          addresses,
          publicAddress: wanted.name,
          client: clientCall(),
        };
        const code = wanted.qr ? await qrCode(linksOf(parts)[0], columns) : undefined;
        print(invitationText(parts, code));
        if (columns !== undefined) tellPeople(served, say, signal);
      },
      tellEnd: () => say("Stopping, and telling everybody."),
    },
  });
  return 0;
}

/** Once the terminal is closed nobody reads it any more, and the server has to end all the same. */
function printIfOpen(print: (text: string) => void, text: string): void {
  try {
    print(text);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
  }
}

/** A server of which only the asked-for options differ from the usual ones. */
function serverConfig({ "max-file": maxFile }: HostConfig, token: string): ServerConfig {
  const usual = readConfig({ args: [], env: () => undefined });
  return {
    ...usual,
    host: "::",
    "max-file": maxFile,
    // Below that, a log says nothing to somebody who chats.
    "log-level": "WARNING",
    "metrics-interval": 0,
    invites: true,
    tokens: [{ name: undefined, digest: tokenDigest(token), isRandom: true, place: "the links" }],
  };
}

/** Where the links lead that the host makes in the chat after coming in over a loopback address. */
function advertised(
  { reachable, areLinkLocal }: OwnAddresses,
  name: PublicAddress | undefined,
  port: number,
): ServerConfig["advertise"] {
  const [own] = areLinkLocal ? [] : reachable;
  const host = name?.host ?? own;
  // A zone means something on one machine only.
  return host === undefined || host.includes("%") ? undefined : { host, port: name?.port ?? port };
}

/** How somebody with the same program calls the client. */
function clientCall(): string {
  return Deno.build.standalone ? "cmdchat-client" : `npx -y deno@${Deno.version.deno} task client`;
}

async function qrCode(
  link: string | undefined,
  columns: number | undefined,
): Promise<string | undefined> {
  if (link === undefined) return undefined;
  const { renderUnicodeCompact } = await import("uqr");
  const code = renderUnicodeCompact(link, { border: 2 });
  const needed = code.indexOf("\n");
  return columns === undefined || needed <= columns
    ? code
    : `(The QR code needs ${needed} columns, and this terminal has ${columns}.)`;
}

function tellPeople(
  served: ServedRelay,
  print: (text: string) => void,
  signal: AbortSignal,
): void {
  const watch = new PeopleWatch();
  const timer = setInterval(() => {
    for (const line of watch.changes(peopleOf(served))) print(`${timeOfDay()}  ${line}`);
  }, LOOK_MS);
  signal.addEventListener("abort", () => clearInterval(timer), { once: true });
}

function peopleOf({ relay }: ServedRelay): Person[] {
  return relay.sessions.map(({ id, memberships, wantedName, writer }) => ({
    id,
    name: memberships[0]?.name ?? wantedName,
    isAway: writer === undefined,
  }));
}

function timeOfDay(): string {
  return new Date().toTimeString().slice(0, 5);
}
