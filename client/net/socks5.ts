// A connection through a SOCKS5 proxy (RFC 1928, RFC 1929). Names go to the proxy as they are: nothing is looked up here.

import { isIP } from "node:net";
import { concatBytes } from "../../shared/base/bytes.ts";
import type { ProxyAuth } from "../config/proxy_url.ts";
import {
  authFault,
  type ProxiedServer,
  proxyFault,
  type ProxyStream,
  readExactly,
} from "./proxy_stream.ts";

const VERSION = 5;
const METHOD_NONE = 0;
const METHOD_PASSWORD = 2;
const METHOD_REFUSED = 0xff;
const PASSWORD_VERSION = 1;
const COMMAND_CONNECT = 1;
const [TYPE_IPV4, TYPE_NAME, TYPE_IPV6] = [1, 3, 4] as const;
const PORT_BYTES = 2;
const ISOLATION_BYTES = 16;
const encoder = new TextEncoder();

/** What the answers of RFC 1928 §6 mean. */
const ANSWERS: Readonly<Record<number, string>> = {
  1: "it cannot reach it",
  2: "it does not allow it",
  3: "the network does not reach it",
  4: "it cannot reach the host, or there is no host with this name",
  5: "nothing listens there",
  6: "it does not answer",
  7: "it does not allow such connections",
  8: "it does not take such an address",
};

/** Asks for a connection to the server; the stream is one to it afterwards. Throws ConnectionError. */
export async function askSocks5(stream: ProxyStream, server: ProxiedServer): Promise<void> {
  // Both are always offered: Tor keeps those apart who show different names.
  await stream.write(Uint8Array.of(VERSION, 2, METHOD_NONE, METHOD_PASSWORD));
  const [version, method] = await readExactly(stream, 2, server);
  if (version !== VERSION) throw proxyFault(server, "it is not a SOCKS5 proxy");
  if (method === METHOD_PASSWORD) await showPassword(stream, server);
  else if (method === METHOD_REFUSED) throw authFault(server);
  else if (method !== METHOD_NONE) throw proxyFault(server, "it asks for what was not offered");
  await stream.write(connectRequest(server));
  await readAnswer(stream, server);
}

async function showPassword(stream: ProxyStream, server: ProxiedServer): Promise<void> {
  const { user, password } = server.proxy.auth ?? isolationOf(server);
  const [name, secret] = [encoder.encode(user), encoder.encode(password)];
  await stream.write(concatBytes([
    Uint8Array.of(PASSWORD_VERSION, name.length),
    name,
    Uint8Array.of(secret.length),
    secret,
  ]));
  const [, status] = await readExactly(stream, 2, server);
  if (status !== 0) throw authFault(server);
}

const isolations = new Map<string, ProxyAuth>();

/** Random names for each server and run, so that nobody can tell from them what else this user does. */
function isolationOf({ host, endpoint: { port } }: ProxiedServer): ProxyAuth {
  const key = `${host}:${port}`;
  const known = isolations.get(key) ?? { user: randomText(), password: randomText() };
  isolations.set(key, known);
  return known;
}

function randomText(): string {
  return crypto.getRandomValues(new Uint8Array(ISOLATION_BYTES)).toHex();
}

function connectRequest({ host, endpoint: { port } }: ProxiedServer): Uint8Array {
  return concatBytes([
    Uint8Array.of(VERSION, COMMAND_CONNECT, 0),
    addressBytes(host),
    Uint8Array.of(port >> 8, port & 0xff),
  ]);
}

function addressBytes(host: string): Uint8Array {
  const family = isIP(host);
  if (family === 4) return Uint8Array.of(TYPE_IPV4, ...host.split(".").map(Number));
  if (family === 6) return Uint8Array.of(TYPE_IPV6, ...ipv6Bytes(host));
  const name = encoder.encode(host);
  return concatBytes([Uint8Array.of(TYPE_NAME, name.length), name]);
}

/** The bytes of an address as URL writes it. */
function ipv6Bytes(host: string): number[] {
  const [left = "", right = ""] = new URL(`http://[${host}]`).hostname.slice(1, -1).split("::");
  const groups = (part: string) =>
    part === "" ? [] : part.split(":").map((text) => parseInt(text, 16));
  const [head, tail] = [groups(left), groups(right)];
  const zeros = Array<number>(8 - head.length - tail.length).fill(0);
  return [...head, ...zeros, ...tail].flatMap((group) => [group >> 8, group & 0xff]);
}

async function readAnswer(stream: ProxyStream, server: ProxiedServer): Promise<void> {
  const [version, answer = 1, , type] = await readExactly(stream, 4, server);
  if (version !== VERSION) throw proxyFault(server, "it is not a SOCKS5 proxy");
  if (answer !== 0) throw proxyFault(server, ANSWERS[answer] ?? "it cannot reach it");
  const length = type === TYPE_IPV4
    ? 4
    : type === TYPE_IPV6
    ? 16
    : type === TYPE_NAME
    ? (await readExactly(stream, 1, server))[0]
    : undefined;
  if (length === undefined) throw proxyFault(server, "it is not a SOCKS5 proxy");
  // From where it connects is its own affair.
  await readExactly(stream, length + PORT_BYTES, server);
}
