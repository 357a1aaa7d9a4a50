// Where to connect, and one connection as bytes in and bytes out.

import { isIP } from "node:net";
import { ConnectionError } from "../../shared/base/errors.ts";
import { HOST_MAX_CHARACTERS } from "../../shared/base/limits.ts";
import { hostAndPort } from "../../shared/text/host_and_port.ts";
import type { Proxy } from "../config/proxy_url.ts";
import { quote } from "../../shared/base/sanitize.ts";

/** Where a server is and how to reach it. */
export interface Endpoint {
  readonly host: string;
  readonly port: number;
  /** undefined = plain TCP. */
  readonly tls: TlsSettings | undefined;
  /** Addresses of the host in the order in which to try them; undefined = the system chooses. */
  readonly addresses?: readonly string[];
  /** Whether the stream is carried by WebSocket. */
  readonly webSocket?: boolean;
  /** Through which proxy it is reached; undefined = none. */
  readonly proxy?: Proxy | undefined;
  /**
   * Whether the session inside proves who answers before anything is said, so that TLS may have a certificate that is
   * not known here.
   */
  readonly isProvenInside?: boolean;
  /** Called when the network has reached it: from then on the program there is waited for. */
  readonly reached?: () => void;
}

/** Whom TLS trusts. */
export interface TlsSettings {
  /** PEM of certificates that are trusted besides the public authorities. */
  readonly caCerts: readonly string[];
  /** True: any certificate is taken. For tests of one's own; the client warns in red. */
  readonly insecure: boolean;
}

/** A byte stream to the server. */
export interface Connection {
  /** The next bytes, valid until the next call; undefined at the end. Throws ConnectionError when the connection breaks. */
  read(): Promise<Uint8Array | undefined>;
  /** Writes in the order of the calls; resolves when the system took the bytes. Throws ConnectionError. */
  write(bytes: Uint8Array): Promise<void>;
  /** Whether it is TLS with a certificate that nobody verified. */
  readonly isUnverified?: boolean;
  /** Ends this side's direction behind what was written; the other side can still be read. Throws ConnectionError. */
  finishWriting(): Promise<void>;
  /** Ends both directions; idempotent. */
  close(): void;
}

/** `host:port`, quoted, with brackets around an IPv6 address. */
export function addressOf({ host, port }: Pick<Endpoint, "host" | "port">): string {
  return quote(hostAndPort(host, port), 80);
}

/**
 * The host as others are told it: a name in ASCII, or an address without brackets; never more than one word, whatever
 * was typed. Throws ConnectionError.
 */
export function asciiHost(endpoint: Pick<Endpoint, "host" | "port">): string {
  const host = endpoint.host.replace(/^\[(.*)\]$/, "$1");
  if (isIP(host) !== 0) return host;
  const name = /^[\x21-\x7e]+$/.test(host) ? host : URL.parse(`http://${host}`)?.hostname ?? "";
  if (/^[A-Za-z0-9._-]+$/.test(name) && name.length <= HOST_MAX_CHARACTERS) return name;
  throw new ConnectionError(
    `Cannot connect to ${addressOf(endpoint)}: this is not the name of a host`,
  );
}
