// Where a connection comes from, as what is counted and banned: one customer's part of the network.

import { UsageError } from "../../shared/base/errors.ts";
import { quote } from "../../shared/base/sanitize.ts";

const IPV4_BITS = 32;
const IPV6_BITS = 128;
// What one customer of IPv6 has at least (RFC 6177); within it, every connection may have an address of its own.
const IPV6_SOURCE_BITS = 64;
const MAPPED = 0xffffn << 32n;

/** A part of the network: all addresses whose first `prefix` bits, of 128, are those of `bits`. */
export interface IpNetwork {
  readonly bits: bigint;
  readonly prefix: number;
}

/** One text for all addresses of a source: an IPv4 address, or the /64 of an IPv6 one. */
export function sourceOf(address: string): string {
  // Most are IPv4 and need no arithmetic.
  if (!address.includes(":")) return address;
  const network = networkOf(address);
  return network === undefined ? address : networkText(network);
}

/** The source that `address` belongs to; undefined where it is no address. */
export function networkOf(address: string): IpNetwork | undefined {
  const bits = addressBits(address);
  if (bits === undefined) return undefined;
  const prefix = isMapped(bits) ? IPV6_BITS : IPV6_SOURCE_BITS;
  return { bits: firstBits(bits, prefix), prefix };
}

/** Parses `192.0.2.1`, `192.0.2.0/24`, `2001:db8::1` (which means its /64) or `2001:db8::/48`. Throws UsageError. */
export function parseNetwork(text: string): IpNetwork {
  const [, address = "", length] = /^([0-9a-f:.]+)(?:\/(\d{1,3}))?$/i.exec(text) ?? [];
  const whole = networkOf(address);
  const bits = addressBits(address);
  if (whole === undefined || bits === undefined) throw notANetwork(text);
  if (length === undefined) return whole;
  const most = isMapped(bits) ? IPV4_BITS : IPV6_BITS;
  // A ban of everybody is a mistake, or a reason to stop the server.
  if (Number(length) < 1 || Number(length) > most) throw notANetwork(text);
  const prefix = Number(length) + IPV6_BITS - most;
  const network = { bits: firstBits(bits, prefix), prefix };
  // All of IPv4 lies in a corner of IPv6, and must not be taken along.
  if (!isMapped(bits) && isWithin(MAPPED, network)) throw notANetwork(text);
  return network;
}

/** Whether `address`, as bits, is in `network`. */
export function isWithin(bits: bigint, { bits: first, prefix }: IpNetwork): boolean {
  return firstBits(bits, prefix) === first;
}

/** `192.0.2.1`, `192.0.2.0/24` or `2001:db8::/64`. */
export function networkText({ bits, prefix }: IpNetwork): string {
  if (isMapped(bits) && prefix >= IPV6_BITS - IPV4_BITS) {
    const octets = [24n, 16n, 8n, 0n].map((shift) => bits >> shift & 0xffn);
    const length = prefix - (IPV6_BITS - IPV4_BITS);
    return `${octets.join(".")}${length === IPV4_BITS ? "" : `/${length}`}`;
  }
  const groups = Array.from(
    { length: 8 },
    (_, n) => (bits >> BigInt(112 - 16 * n) & 0xffffn).toString(16),
  );
  const { hostname } = new URL(`http://[${groups.join(":")}]`);
  return `${hostname.slice(1, -1)}/${prefix}`;
}

/** An address as 128 bits, IPv4 in its mapped form; undefined where it is none. */
export function addressBits(address: string): bigint | undefined {
  const plain = address.replace(/%.*$/, "");
  if (/^\d{1,3}(?:\.\d{1,3}){3}$/.test(plain)) return ipv4Bits(plain);
  if (!plain.includes(":")) return undefined;
  const url = URL.parse(`http://[${plain}]`);
  return url === null ? undefined : ipv6Bits(url.hostname.slice(1, -1));
}

function ipv4Bits(text: string): bigint | undefined {
  let bits = 0n;
  for (const octet of text.split(".")) {
    if (Number(octet) > 255) return undefined;
    bits = bits << 8n | BigInt(Number(octet));
  }
  return MAPPED | bits;
}

// What URL made of it: lower case, groups of hexadecimal digits, at most one "::".
function ipv6Bits(text: string): bigint {
  const [left = "", right = ""] = text.split("::");
  const groups = (part: string) => part === "" ? [] : part.split(":");
  const [head, tail] = [groups(left), groups(right)];
  const zeros = Array<string>(8 - head.length - tail.length).fill("0");
  return [...head, ...zeros, ...tail].reduce(
    (bits, group) => bits << 16n | BigInt(`0x${group}`),
    0n,
  );
}

function isMapped(bits: bigint): boolean {
  return bits >> 32n === MAPPED >> 32n;
}

function firstBits(bits: bigint, prefix: number): bigint {
  const rest = BigInt(IPV6_BITS - prefix);
  return bits >> rest << rest;
}

function notANetwork(text: string): UsageError {
  return new UsageError(
    `Cannot use ${quote(text)} as an address: one such as 192.0.2.1, 192.0.2.0/24, ` +
      "2001:db8::1 or 2001:db8::/48 is wanted",
  );
}
