// The first bytes of a connection to a proxy, and what can go wrong with them.

import { ConnectionError } from "../../shared/base/errors.ts";
import { quote } from "../../shared/base/sanitize.ts";
import { type Proxy, proxyText } from "../config/proxy_url.ts";
import { addressOf, type Endpoint } from "./endpoint.ts";

/** A connection on which a proxy is spoken to. */
export interface ProxyStream {
  /** The next bytes, at most `max`; undefined at the end. */
  read(max: number): Promise<Uint8Array | undefined>;
  /** Writes all of `bytes`. */
  write(bytes: Uint8Array): Promise<void>;
}

/** A server, and the proxy before it. */
export interface ProxiedServer {
  readonly endpoint: Endpoint;
  readonly proxy: Proxy;
  /** The host in the form in which a proxy takes it: a name in ASCII, or an address. */
  readonly host: string;
}

/** Why the proxy does not lead to the server; nothing that the proxy said is in it. */
export function proxyFault(
  { endpoint, proxy }: Pick<ProxiedServer, "endpoint" | "proxy">,
  why: string,
  hint?: string,
): ConnectionError {
  return new ConnectionError(
    `Cannot connect to ${addressOf(endpoint)} through the proxy ${
      quote(proxyText(proxy), 80)
    }: ${why}`,
    hint === undefined ? {} : { hint },
  );
}

/** The same for a proxy that wants to know who the user is. */
export function authFault(server: Pick<ProxiedServer, "endpoint" | "proxy">): ConnectionError {
  return server.proxy.auth === undefined
    ? proxyFault(
      server,
      "it requires a user and a password",
      "CMDCHAT_PROXY_AUTH or --proxy-auth-file FILE",
    )
    : proxyFault(server, "it does not take this user and password");
}

/** Exactly `count` bytes. Throws ConnectionError where the proxy ends before. */
export async function readExactly(
  stream: ProxyStream,
  count: number,
  server: ProxiedServer,
): Promise<Uint8Array> {
  const bytes = new Uint8Array(count);
  for (let at = 0; at < count;) {
    const chunk = await stream.read(count - at);
    if (chunk === undefined) throw proxyFault(server, "it closed the connection");
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}
