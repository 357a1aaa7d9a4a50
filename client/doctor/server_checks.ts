// What doctor looks at between here and the server, in the order in which a connection needs it. The first thing that
// fails ends the walk: what comes behind it cannot be looked at.

import { hostAndPort } from "../../shared/text/host_and_port.ts";
import { lookup } from "node:dns/promises";
import { generateRsaKeyPair } from "../../shared/crypto/rsa.ts";
import { ConfigError, ConnectionError } from "../../shared/base/errors.ts";
import { IdentityError } from "../../shared/channel/handshake_error.ts";
import type { Fingerprint } from "../../shared/crypto/fingerprint.ts";
import { formatBytes } from "../../shared/text/byte_size.ts";
import type { Clock } from "../base/clock.ts";
import { isUnknownIssuer } from "../net/connection_faults.ts";
import { connect } from "../net/connection.ts";
import type { Connection, Endpoint } from "../net/endpoint.ts";
import type { KnownServers } from "../net/known_servers.ts";
import type { Event } from "../../shared/messages/messages_v2.ts";
import type { Welcome } from "../session/session.ts";
import { UnauthorizedError } from "../session/refusal.ts";
import { ServerGate } from "../session/server_gate.ts";
import { SessionV2 } from "../session/session_v2.ts";
import { refuseOnion } from "../net/tunnel.ts";
import { proxyText } from "../config/proxy_url.ts";
import { quote } from "../../shared/base/sanitize.ts";
import { type CertificateFacts, readCertificate } from "../net/tls_probe.ts";
import { type Check, failed, ok, skip, warn } from "./check.ts";

/** Whom to look at, and with what. */
export interface ServerChecksOptions {
  readonly endpoint: Endpoint;
  readonly name: string;
  readonly token: string | undefined;
  /** The server that a link or --fingerprint expects. */
  readonly expected: Fingerprint | undefined;
  readonly known: KnownServers | undefined;
  readonly clock: Clock;
  /** Milliseconds for each step. */
  readonly patienceMs: number;
}

const DAY_MS = 86_400_000;
const EXPIRY_WARNING_DAYS = 14;
const SKEW_WARNING_MS = 5_000;
const NAMES = ["address", "port", "certificate", "protocol", "fingerprint", "token", "clock"];

/** Looks at everything; each check is given as soon as it is known. */
export async function* checkServer(options: ServerChecksOptions): AsyncGenerator<Check, void> {
  const done = new Set<string>();
  for await (const check of walk(options)) {
    done.add(check.check);
    yield check;
    if (check.state !== "fail") continue;
    for (const name of NAMES.filter((name) => !done.has(name))) {
      yield skip(name, `not checked: ${check.check} comes first`);
    }
    return;
  }
}

async function* walk(options: ServerChecksOptions): AsyncGenerator<Check, void> {
  const { endpoint: asked } = options;
  yield await checkAddress(asked);
  yield await checkPort(options);
  const isProvenInside = await knowsServer(options);
  const looked = { ...options, endpoint: { ...asked, isProvenInside } };
  yield* asked.tls === undefined ? [checkPlain(looked)] : checkCertificate(looked);
  yield* checkSession(looked);
}

/** As the chat finds out whether a certificate may be unknown; what cannot be read is told with the fingerprint. */
async function knowsServer({ endpoint, expected, known }: ServerChecksOptions): Promise<boolean> {
  if (expected !== undefined) return true;
  try {
    return await known?.find(hostAndPort(endpoint.host, endpoint.port)) !== undefined;
  } catch (error) {
    if (error instanceof ConfigError) return false;
    throw error;
  }
}

async function checkAddress(endpoint: Endpoint): Promise<Check> {
  const { host, proxy } = endpoint;
  // Looking the name up here would tell others of it, and may find nothing where the proxy does.
  if (proxy !== undefined) {
    return ok("address", `${quote(host)} is looked up by the proxy ${proxyText(proxy)}`);
  }
  try {
    refuseOnion(host, endpoint);
    const found = await lookup(host, { all: true });
    const addresses = [...new Set(found.map(({ address }) => address))].join(", ");
    return ok("address", addresses === host ? addresses : `${host} is ${addresses}`);
  } catch (cause) {
    if (cause instanceof ConnectionError) return failed("address", cause);
    return failed(
      "address",
      new ConnectionError(`there is no host ${JSON.stringify(host)}`, {
        cause,
        hint: "check the name; an address such as 192.0.2.7 works as well",
      }),
    );
  }
}

async function checkPort({ endpoint, clock, patienceMs }: ServerChecksOptions): Promise<Check> {
  const before = clock.now();
  try {
    const plain = { ...endpoint, tls: undefined, webSocket: false };
    const connection = await connect(plain, AbortSignal.timeout(patienceMs));
    connection.close();
    return ok("port", `${endpoint.port} answers after ${Math.round(clock.now() - before)} ms`);
  } catch (error) {
    return failed("port", asConnectionError(error, patienceMs));
  }
}

function checkPlain({ endpoint, expected, known }: ServerChecksOptions): Check {
  const isHere = /^(?:127\.|::1$|localhost$)/.test(endpoint.host);
  if (isHere) return ok("certificate", "no TLS, and none is needed on this machine");
  if (expected !== undefined || known !== undefined) {
    return ok("certificate", "no TLS; the server's fingerprint tells who answers");
  }
  return warn(
    "certificate",
    "no TLS, and nothing tells who answers",
    "use --tls, an invite link, --fingerprint or --known-servers",
  );
}

async function* checkCertificate(options: ServerChecksOptions): AsyncGenerator<Check, void> {
  const { endpoint, patienceMs } = options;
  let lacksIssuer = false;
  try {
    // The verdict is that of the chat's own connection.
    const stream = { ...endpoint, webSocket: false };
    if (endpoint.isProvenInside) {
      const { isUnverified } = await opened(stream, patienceMs);
      if (isUnverified) return yield UNKNOWN_CERTIFICATE;
    }
    const facts = await readCertificate(endpoint, AbortSignal.timeout(patienceMs));
    ({ lacksIssuer } = facts);
    yield* nameAndExpiry(options, facts);
    await opened(stream, patienceMs);
    yield endpoint.tls?.insecure
      ? warn(
        "certificate",
        "not checked: --tls-insecure",
        "anybody in between can read and change everything; --ca-file trusts a certificate of your own",
      )
      : ok("certificate", "its chain is trusted");
  } catch (error) {
    const fault = asConnectionError(error, patienceMs);
    yield failed("certificate", lacksIssuer ? issuerMissing(fault) : fault);
  }
}

const UNKNOWN_CERTIFICATE = ok(
  "certificate",
  "not known here, and need not be: the server's fingerprint tells who answers",
);

async function opened(endpoint: Endpoint, patienceMs: number): Promise<Connection> {
  const connection = await connect(endpoint, AbortSignal.timeout(patienceMs));
  connection.close();
  return connection;
}

function* nameAndExpiry(
  { endpoint, clock }: ServerChecksOptions,
  facts: CertificateFacts,
): Generator<Check> {
  const days = Math.floor((facts.validTo.getTime() - clock.date()) / DAY_MS);
  yield facts.fitsName ? ok("name", `the certificate is for ${facts.names}`) : warn(
    "name",
    `the certificate is for ${facts.names}, not for ${endpoint.host}`,
    "use a name from it as --host",
  );
  yield days >= EXPIRY_WARNING_DAYS
    ? ok("expiry", `the certificate is good for ${days} days`)
    : warn(
      "expiry",
      days < 0 ? "the certificate has expired" : `the certificate is good for ${days} days only`,
      "the server's admin must renew it; also check this machine's date",
    );
}

/** Public certificates are trusted by way of their issuer's, which the server has to send (RFC 8446 §4.4.2). */
function issuerMissing(cause: unknown): unknown {
  if (!(cause instanceof ConnectionError) || !isUnknownIssuer(cause.cause)) return cause;
  return new ConnectionError(
    "the server sends its own certificate alone, and not that of its issuer",
    { cause, hint: "the server's admin must serve the whole chain: --certfile fullchain.pem" },
  );
}

async function* checkSession(options: ServerChecksOptions): AsyncGenerator<Check, void> {
  const { endpoint, clock, patienceMs, token } = options;
  const signal = AbortSignal.timeout(patienceMs);
  const seen: Seen = { fingerprint: undefined, isTold: false };
  let connection: Connection | undefined;
  let session: SessionV2 | undefined;
  const close = () => connection?.close();
  signal.addEventListener("abort", close);
  try {
    connection = await connect(endpoint, signal);
    const sentAt = clock.date();
    session = await openSession(connection, options, seen);
    seen.isTold = true;
    yield PROTOCOL;
    yield await checkFingerprint(options, session.welcome.fingerprint);
    yield ok("token", token === undefined ? "the server needs none" : "the server accepts it");
    yield await checkClock(session, { clock, sentAt, patienceMs });
    yield ok("limits", limitsText(session.welcome));
  } catch (error) {
    // A connection that was closed for being slow looks like one that the server closed.
    yield* checkFault(
      options,
      seen,
      signal.aborted ? tooLate(patienceMs, error) : error,
    );
  } finally {
    await session?.leave();
    signal.removeEventListener("abort", close);
    close();
  }
}

const PROTOCOL = ok("protocol", "session v2: forward secrecy, hybrid key exchange");

/** Who answered; undefined until it has shown that it owns its key. */
interface Seen {
  fingerprint: Fingerprint | undefined;
  /** Whether protocol and fingerprint have their lines. */
  isTold: boolean;
}

/** Name and token pass the gate of the chat: a server that is not the one that is known gets neither. */
async function openSession(
  connection: Connection,
  { endpoint, name, token, expected, known, clock }: ServerChecksOptions,
  seen: Seen,
): Promise<SessionV2> {
  const gate = new ServerGate({
    address: hostAndPort(endpoint.host, endpoint.port),
    token,
    pinned: expected,
    // Looking changes nothing.
    known: known && { find: (address) => known.find(address), remember: () => Promise.resolve() },
    isCertified: false,
    isDirect: false,
    tell: () => {},
  });
  // A room that nobody else is in, so that nobody sees it come and go.
  const rooms = [[`doctor-${crypto.randomUUID().slice(0, 8)}`, 0]] as const;
  return await SessionV2.open(connection, {
    clock,
    tls: endpoint.tls !== undefined,
    expected,
    keyPair: await generateRsaKeyPair(),
    introduce(server) {
      seen.fingerprint = server;
      return gate.introduce(server, { name, rooms, ticket: undefined }, connection);
    },
  });
}

async function* checkFault(
  options: ServerChecksOptions,
  { fingerprint, isTold }: Seen,
  error: unknown,
): AsyncGenerator<Check, void> {
  const hasSpoken = fingerprint !== undefined;
  if (hasSpoken && !isTold) yield PROTOCOL;
  // A server that is not the one that was expected is found out before it has shown more.
  if (error instanceof IdentityError || error instanceof ConfigError) {
    return yield failed("fingerprint", error);
  }
  if (hasSpoken && !isTold) yield await checkFingerprint(options, fingerprint);
  if (error instanceof UnauthorizedError) return yield failed("token", error);
  yield failed(
    hasSpoken ? "session" : "protocol",
    asConnectionError(error, options.patienceMs),
  );
}

/** As the gate let it pass, it is not another one than is known. */
async function checkFingerprint(
  { expected, known, endpoint }: ServerChecksOptions,
  seen: Fingerprint | undefined,
): Promise<Check> {
  const name = "fingerprint";
  if (expected !== undefined) return ok(name, `${seen}, as expected`);
  const before = await known?.find(hostAndPort(endpoint.host, endpoint.port));
  if (before !== undefined) return ok(name, `${seen}, as remembered`);
  return warn(
    name,
    `${seen}, and nothing says whether that is the right one`,
    "compare it with the line that the server printed; an invite link does that for you",
  );
}

interface ClockCheck {
  readonly clock: Clock;
  readonly sentAt: number;
  readonly patienceMs: number;
}

/** The server dates our joining, which happened between then and now. */
async function checkClock(session: SessionV2, { clock, sentAt }: ClockCheck): Promise<Check> {
  for await (const event of session.events()) {
    const time = timeOf(event);
    if (time === undefined) continue;
    const now = clock.date();
    const skew = time > now ? time - now : time < sentAt ? time - sentAt : 0;
    const size = `${(Math.abs(skew) / 1_000).toFixed(1)} s`;
    if (Math.abs(skew) < SKEW_WARNING_MS) {
      return ok("clock", skew === 0 ? "agrees with the server's" : `${size} off the server's`);
    }
    const side = skew > 0 ? "behind" : "ahead of";
    return warn("clock", `this machine is ${size} ${side} the server`, "set the clock, or use NTP");
  }
  throw new ConnectionError("the server closed the session");
}

function timeOf(event: Event): number | undefined {
  return event.kind === "joined" ? event.time : undefined;
}

function limitsText({ messageMax, fileMax, rate }: Welcome): string {
  const pace = rate === undefined ? "no limit" : `${rate.messages} messages in ${rate.seconds} s`;
  const files = fileMax === 0 ? "no files" : `files up to ${formatBytes(fileMax)}`;
  return `messages up to ${formatBytes(messageMax)}, ${files}, ${pace}`;
}

function asConnectionError(error: unknown, patienceMs: number): unknown {
  const isLate = error instanceof DOMException && error.name === "TimeoutError";
  return isLate ? tooLate(patienceMs, error) : error;
}

function tooLate(patienceMs: number, cause: unknown): ConnectionError {
  return new ConnectionError(`no answer within ${patienceMs / 1_000} s`, {
    cause,
    hint: "check host and port; a firewall may be in between",
  });
}
