// Proxies as they are typed: socks5://HOST:PORT, http://HOST:PORT, or none. No error repeats any of it: it may hold a
// password.

import { UsageError } from "../../shared/base/errors.ts";

/** A proxy through which the server is reached. */
export interface Proxy {
  /** `socks5`: RFC 1928, names are looked up by the proxy; `http`: CONNECT (RFC 9110 §9.3.6). */
  readonly kind: "socks5" | "http";
  readonly host: string;
  readonly port: number;
  readonly auth: ProxyAuth | undefined;
}

/** Who the user is to the proxy. */
export interface ProxyAuth {
  readonly user: string;
  readonly password: string;
}

const KINDS: Readonly<Record<string, Proxy["kind"]>> = {
  "socks5:": "socks5",
  // What curl calls a SOCKS5 proxy that looks names up itself; nothing else is done here.
  "socks5h:": "socks5",
  "http:": "http",
};
// As in curl.
const DEFAULT_PORT = 1080;
// RFC 1929 counts them in one byte.
const AUTH_MAX_BYTES = 255;
const encoder = new TextEncoder();

/** Parses a proxy's URL; without a scheme it is an HTTP proxy, as in curl. Undefined = none. Throws UsageError. */
export function parseProxy(text: string): Proxy | undefined {
  if (text.toLowerCase() === "none") return undefined;
  const [, scheme, rest = ""] = /^(?:([a-z0-9+.-]+:)\/\/)?(.*)$/is.exec(text) ?? [];
  const kind = KINDS[(scheme ?? "http:").toLowerCase()];
  // A scheme that URL knows nothing of keeps ports as they are typed.
  const url = kind === undefined ? null : URL.parse(`proxy://${rest}`);
  const isPlain = url !== null && /^\/?$/.test(url.pathname) && url.search === "" &&
    url.hash === "";
  if (kind === undefined || !isPlain || url.hostname === "" || url.port === "0") {
    throw new UsageError("it must be socks5://HOST:PORT, http://HOST:PORT or none");
  }
  return {
    kind,
    host: url.hostname.replace(/^\[(.*)\]$/, "$1"),
    port: url.port === "" ? DEFAULT_PORT : Number(url.port),
    auth: url.username === "" ? undefined : authOf(url.username, url.password),
  };
}

/** Parses `USER:PASSWORD`. Throws UsageError. */
export function parseProxyAuth(text: string): ProxyAuth {
  const colon = text.indexOf(":");
  if (colon < 1) throw new UsageError("it must be USER:PASSWORD");
  return checkAuth({ user: text.slice(0, colon), password: text.slice(colon + 1) });
}

/** `socks5://HOST:PORT`, without user and password. */
export function proxyText({ kind, host, port }: Proxy): string {
  return `${kind}://${host.includes(":") ? `[${host}]` : host}:${port}`;
}

function authOf(user: string, password: string): ProxyAuth {
  try {
    return checkAuth({
      user: decodeURIComponent(user),
      password: decodeURIComponent(password),
    });
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw new UsageError("user and password must be percent-encoded");
  }
}

function checkAuth(auth: ProxyAuth): ProxyAuth {
  const isLong = [auth.user, auth.password].some((text) =>
    encoder.encode(text).length > AUTH_MAX_BYTES
  );
  if (isLong) {
    throw new UsageError(`user and password may have ${AUTH_MAX_BYTES} bytes each`);
  }
  // deno-lint-ignore no-control-regex -- control characters are what is refused
  if (/[\0-\x1f\x7f]/.test(auth.user + auth.password) || auth.user.includes(":")) {
    throw new UsageError("user and password may hold no control characters, and the user no colon");
  }
  return auth;
}
