// What the runtime reports when a connection cannot be made -> what the user can do about it.

import { ConnectionError } from "../../shared/base/errors.ts";
import { quote } from "../../shared/base/sanitize.ts";
import { type Proxy, proxyText } from "../config/proxy_url.ts";
import { addressOf, type Endpoint } from "./endpoint.ts";

interface Fault {
  /** What the runtime's text, class name and code look like, joined by spaces. */
  readonly pattern: RegExp;
  readonly why: string;
  readonly hint: string;
}

const OWN_CERTIFICATE =
  "if it is your own server, use an invite link, --fingerprint or --ca-file; if not, somebody may be listening in";

// Texts of rustls and webpki as Deno passes them on, and codes of the system and of node:tls.
const FAULTS: readonly Fault[] = [
  {
    pattern: /ConnectionRefused|ECONNREFUSED/,
    why: "nothing listens there",
    hint: "check host and port, and that cmdchat-server is running there",
  },
  {
    pattern: /failed to lookup|ENOTFOUND|EAI_AGAIN|No address associated/i,
    why: "there is no host with this name",
    hint: "check the name; an address such as 192.0.2.7 works as well",
  },
  {
    pattern: /URIError|invalid host|empty host/,
    why: "this is not the name of a host",
    hint: "use a name such as chat.example.org or an address; the port goes to --port",
  },
  {
    pattern: /InvalidContentType|WRONG_VERSION_NUMBER|packet length too long|InvalidMessage/,
    why: "the server does not speak TLS on this port",
    hint: "leave --tls out, or ask for the port with TLS",
  },
  {
    pattern: /expired/i,
    why: "its certificate has expired",
    hint: "the server's admin must renew it; also check this machine's date",
  },
  {
    pattern: /not valid yet|NotValidYet/i,
    why: "its certificate is not valid yet",
    hint: "check this machine's date",
  },
  {
    pattern: /not valid for name|NotValidForName/,
    why: "its certificate is for another name",
    hint: "use a name from the certificate as --host, or add this one to the certificate",
  },
  {
    pattern: /CaUsedAsEndEntity/,
    why: "its certificate is that of an authority, not of a server",
    hint:
      "make it with the openssl line of docs/OPERATIONS.md (basicConstraints=critical,CA:FALSE)",
  },
  {
    pattern: /BadEncoding/,
    why: "a certificate cannot be read",
    hint: "check the file of --ca-file; it may have been cut off",
  },
  {
    pattern: /invalid peer certificate/,
    why: "its certificate is not known here",
    hint: OWN_CERTIFICATE,
  },
  {
    pattern: /unreachable|ENETUNREACH|EHOSTUNREACH/i,
    why: "the network does not reach it",
    hint: "check this machine's network",
  },
  {
    pattern: /TimedOut|ETIMEDOUT/,
    why: "it does not answer",
    hint: "check host and port; a firewall may be in between",
  },
  {
    pattern: /ConnectionReset|ECONNRESET|UnexpectedEof|close_notify|BrokenPipe|EPIPE|ECONNABORTED/,
    why: "it closed the connection at once",
    hint: "it may be full or stopping; try again in a moment",
  },
];

/** The error that says where we could not connect and why. */
export function connectionFault(endpoint: Endpoint, cause: unknown): ConnectionError {
  const fault = FAULTS.find(({ pattern }) => pattern.test(textOf(cause)));
  return new ConnectionError(
    `Cannot connect to ${addressOf(endpoint)}: ${fault?.why ?? "the system refused"}`,
    { cause, ...(fault === undefined ? {} : { hint: fault.hint }) },
  );
}

/** The error that says why the proxy itself was not reached; no password is in it. */
export function proxyUnreachable(proxy: Proxy, cause: unknown): ConnectionError {
  const fault = FAULTS.find(({ pattern }) => pattern.test(textOf(cause)));
  return new ConnectionError(
    `Cannot connect to the proxy ${quote(proxyText(proxy), 80)}: ${
      fault?.why ?? "the system refused"
    }`,
    { cause, hint: "check --proxy, or ALL_PROXY and HTTPS_PROXY; --proxy none goes without" },
  );
}

/** What to do about a server that takes the connection and says nothing: programs wait so for a protocol of their own. */
export function silenceHint({ tls }: Pick<Endpoint, "tls">): string {
  return tls === undefined
    ? "check host and port; it may speak TLS there (--tls), or be another program than cmdchat-server"
    : "check host and port; it may not speak TLS there (leave --tls out), or be another program";
}

/** Whether TLS did not trust the server. */
export function isCertificateFault(cause: unknown): boolean {
  return /invalid peer certificate/.test(textOf(cause));
}

/** Whether no certificate that is trusted issued the server's. */
export function isUnknownIssuer(cause: unknown): boolean {
  return /UnknownIssuer/.test(textOf(cause));
}

function textOf(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause);
  const code = "code" in cause ? String(cause.code) : "";
  return `${cause.name} ${code} ${cause.message}`;
}
