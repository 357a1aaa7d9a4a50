// How to reach NATS: addresses, credentials and TLS, checked before anything is sent.

import {
  type Authenticator,
  nkeyAuthenticator,
  type NodeConnectionOptions,
} from "@nats-io/transport-node";
import { ConfigError } from "../../shared/base/errors.ts";
import { quote } from "../../shared/base/sanitize.ts";

/** Certificates for TLS to NATS, as PEM. */
export interface NatsTls {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
}

/** How to reach NATS. */
export interface NatsOptions {
  /** One or more addresses, separated by commas: `host:port`, `nats://host:port` or `tls://host:port`. */
  readonly servers: string;
  readonly user: string | undefined;
  readonly password: string | undefined;
  readonly token: string | undefined;
  /** Seed of an nkey, which begins with SU. */
  readonly nkey: string | undefined;
  /** Undefined = TLS only where an address says `tls://`, or NATS offers it. */
  readonly tls: NatsTls | undefined;
  /** Copies of each log in a NATS cluster, 1 to 5. */
  readonly replicas: number;
  /** Bytes of all logs together. */
  readonly streamBytes: number;
}

/** Where NATS is. */
export interface NatsServers {
  /** `host:port` or `host`, without scheme. */
  readonly addresses: readonly string[];
  /** Whether a server without TLS must not be spoken to. */
  readonly requiresTls: boolean;
}

const DEFAULT_NATS_PORT = 4_222;
const PAUSE_MS = 250;
const PING_MS = 2_000;
const PINGS_UNANSWERED = 2;
/** How long one attempt to connect may take, ms. */
export const CONNECT_MS = 5_000;

/** Reads `--nats`. Throws ConfigError, which repeats no credentials. */
export function parseNatsServers(text: string): NatsServers {
  const parsed = text.split(",").map((one) => parseServer(one.trim()));
  const schemes = new Set(parsed.map(({ isTls }) => isTls));
  if (schemes.size > 1) {
    throw wrong("it mixes tls:// and addresses without TLS", "use tls:// for all of them");
  }
  return { addresses: parsed.map(({ address }) => address), requiresTls: schemes.has(true) };
}

function parseServer(text: string): { readonly address: string; readonly isTls: boolean } {
  if (text === "") throw wrong("an address is empty", "separate addresses by one comma");
  const [, scheme, address = ""] = /^(?:([a-z][a-z0-9+.-]*):\/\/)?(.*)$/is.exec(text) ?? [];
  const kind = scheme?.toLowerCase();
  if (kind !== undefined && kind !== "nats" && kind !== "tls") {
    throw wrong(`it cannot use the scheme ${quote(`${kind}://`)}`, "use nats:// or tls://");
  }
  if (address.includes("@")) {
    throw wrong(
      "an address has credentials in it",
      "set CMDCHAT_NATS_USER and CMDCHAT_NATS_PASSWORD, or CMDCHAT_NATS_TOKEN",
    );
  }
  if (!isHostAndPort(address)) {
    throw wrong(`${quote(address)} is not an address`, "such as 192.0.2.1:4222 or nats.example");
  }
  return { address: address.replace(/\/$/, ""), isTls: kind === "tls" };
}

function isHostAndPort(address: string): boolean {
  const [, port] = /^(?:\[[0-9a-f:.]+\]|[^\s:/?#[\]]+)(?::(\d{1,5}))?\/?$/i.exec(address) ?? [, ""];
  return port === undefined || Number(port) >= 1 && Number(port) <= 65_535;
}

function wrong(why: string, hint: string): ConfigError {
  return new ConfigError(`Cannot use --nats: ${why}`, { hint });
}

/** The library's options; address `avoided`, as the library spells it, is tried after all others. Throws ConfigError. */
export function connectionOptions(options: NatsOptions, avoided?: string): NodeConnectionOptions {
  const { servers, user, password: pass, token, nkey, tls } = options;
  const { addresses, requiresTls } = parseNatsServers(servers);
  if (pass !== undefined && user === undefined) {
    throw new ConfigError("Cannot use CMDCHAT_NATS_PASSWORD: CMDCHAT_NATS_USER is not set");
  }
  return {
    ...serversOf(addresses, avoided),
    name: "cmdchat-server",
    maxReconnectAttempts: -1,
    // Without it the library gives up forever at the second refused login.
    ignoreAuthErrorAbort: true,
    reconnectTimeWait: PAUSE_MS,
    pingInterval: PING_MS,
    maxPingOut: PINGS_UNANSWERED,
    timeout: CONNECT_MS,
    ...(user === undefined ? {} : { user }),
    ...(pass === undefined ? {} : { pass }),
    ...(token === undefined ? {} : { token }),
    ...(nkey === undefined ? {} : { authenticator: nkeyOf(nkey) }),
    // Given, the library sends nothing to a server without TLS, credentials least of all.
    ...(tls !== undefined || requiresTls ? { tls: { ...tls } } : {}),
  };
}

/** The addresses in any order, or the avoided one last where it is one of several. */
function serversOf(
  addresses: readonly string[],
  avoided: string | undefined,
): Pick<NodeConnectionOptions, "servers" | "noRandomize"> {
  const last = addresses.filter((address) => withPort(address) === avoided);
  const others = addresses.filter((address) => !last.includes(address));
  const servers = [...others, ...last];
  return last.length === 0 || others.length === 0 ? { servers } : { servers, noRandomize: true };
}

function withPort(address: string): string {
  return (/:\d+$/.test(address) ? address : `${address}:${DEFAULT_NATS_PORT}`).toLowerCase();
}

function nkeyOf(seed: string): Authenticator {
  const authenticator = nkeyAuthenticator(new TextEncoder().encode(seed.trim()));
  try {
    // The library finds a wrong seed only as it connects, and closes forever then.
    authenticator("nonce");
  } catch (cause) {
    throw new ConfigError("Cannot use CMDCHAT_NATS_NKEY: it is not the seed of a user (SU…)", {
      cause,
    });
  }
  return authenticator;
}
