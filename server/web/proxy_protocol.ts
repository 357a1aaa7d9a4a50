// The PROXY protocol, versions 1 and 2 (HAProxy, doc/proxy-protocol.txt): a proxy first names the client behind it.

import { ProtocolError } from "../../shared/base/errors.ts";
import { parseAddress } from "../limits/ip_network.ts";
import type { FirstBytes } from "./first_bytes.ts";

const V1_START = new TextEncoder().encode("PROXY");
const V2_START = Uint8Array.of(13, 10, 13, 10, 0, 13, 10, 81, 85, 73, 84, 10);
const V1_MAX_BYTES = 107;
const V2_HEADER_BYTES = 16;
/** Most bytes of the addresses and of what proxies add to them, such as the names in a client's certificate. */
const V2_MAX_BYTES = 4_096;
const COMMAND_LOCAL = 0x20;
const COMMAND_PROXY = 0x21;
const [UNSPECIFIED, TCP_4, TCP_6] = [0x00, 0x11, 0x21] as const;
const V2_ADDRESSES: Readonly<Record<number, number>> = {
  [UNSPECIFIED]: 0,
  [TCP_4]: 12,
  [TCP_6]: 36,
};
const decoder = new TextDecoder("latin1");

/** A header that was read. */
export interface ProxyHeader {
  /** Undefined where the proxy speaks for itself, or does not know. */
  readonly address: string | undefined;
}

/**
 * Takes the header that a trusted proxy sends; undefined where there is none. Throws ProtocolError for a malformed
 * one.
 */
export async function takeProxyHeader(first: FirstBytes): Promise<ProxyHeader | undefined> {
  if (await startsWith(first, V2_START)) return await takeV2(first);
  if (await startsWith(first, V1_START)) return await takeV1(first);
  return undefined;
}

/** Reads no more bytes than it needs to decide: the peer may itself be waiting for an answer. */
async function startsWith(first: FirstBytes, start: Uint8Array): Promise<boolean> {
  for (let at = 0; at < start.length; at++) {
    if (!await first.has(at + 1) || first.bytes[at] !== start[at]) return false;
  }
  return true;
}

async function takeV1(first: FirstBytes): Promise<ProxyHeader> {
  let end = first.bytes.indexOf(0x0a);
  while (end < 0 && first.bytes.length < V1_MAX_BYTES) {
    if (!await first.has(first.bytes.length + 1)) break;
    end = first.bytes.indexOf(0x0a);
  }
  if (end < 0 || end >= V1_MAX_BYTES) throw broken("its line does not end");
  const line = decoder.decode(first.take(end + 1));
  if (/^PROXY UNKNOWN(?: [\x20-\x7e]*)?\r\n$/.test(line)) return { address: undefined };
  const [, family, source = "", target = "", ports = ""] =
    /^PROXY TCP([46]) ([0-9A-Fa-f:.]+) ([0-9A-Fa-f:.]+) (\d{1,5} \d{1,5})\r\n$/.exec(line) ?? [];
  const isV6 = family === "6";
  const fits = [source, target].every((text) =>
    text.includes(":") === isV6 && parseAddress(text) !== undefined
  );
  if (family === undefined || !fits || ports.split(" ").some((port) => Number(port) > 65_535)) {
    throw broken("its line is not one of TCP4, TCP6 or UNKNOWN");
  }
  return { address: canonical(source) };
}

async function takeV2(first: FirstBytes): Promise<ProxyHeader> {
  if (!await first.has(V2_HEADER_BYTES)) throw broken("it ends too early");
  const header = first.bytes.subarray(0, V2_HEADER_BYTES);
  const [command = 0, family = 0, high = 0, low = 0] = header.subarray(V2_START.length);
  const length = high * 256 + low;
  if (command !== COMMAND_LOCAL && command !== COMMAND_PROXY) {
    throw broken("its command is unknown");
  }
  if (length > V2_MAX_BYTES) {
    throw broken(`it has ${length} bytes, at most ${V2_MAX_BYTES} are allowed`);
  }
  if (!await first.has(V2_HEADER_BYTES + length)) throw broken("it ends too early");
  const body = first.take(V2_HEADER_BYTES + length).subarray(V2_HEADER_BYTES);
  // A proxy's own connections, such as health checks, carry no client address.
  if (command === COMMAND_LOCAL) return { address: undefined };
  const needed = V2_ADDRESSES[family];
  if (needed === undefined) throw broken("it is not about TCP");
  if (length < needed) throw broken("its addresses are cut");
  return { address: family === UNSPECIFIED ? undefined : canonical(addressText(body, family)) };
}

function canonical(text: string): string | undefined {
  return parseAddress(text)?.toString();
}

function addressText(body: Uint8Array, family: number): string {
  if (family === TCP_4) return body.subarray(0, 4).join(".");
  const view = new DataView(body.buffer, body.byteOffset, 16);
  return Array.from({ length: 8 }, (_, group) => view.getUint16(2 * group).toString(16)).join(":");
}

function broken(why: string): ProtocolError {
  return new ProtocolError(`Cannot read the PROXY header: ${why}`);
}
