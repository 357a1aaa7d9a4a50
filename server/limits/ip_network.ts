// The source of a connection, as it is counted and banned: the part of the network that one customer has at least; and
// the site of a source: the part that one customer may have.

import ipaddr from "ipaddr.js";
import { UsageError } from "../../shared/base/errors.ts";
import { quote } from "../../shared/base/sanitize.ts";

// A customer of an IPv6 network has at least a /64 (RFC 6177), and may give every connection an address of its own.
const IPV6_SOURCE_BITS = 64;
// Many have a /48, and with it 65,536 sources; a mobile network gives a /48 to as many people.
const IPV6_SITE_BITS = 48;

/** How many times what one source may have a whole site may have. */
export const SITE_SHARE = 8;

// IPv4 as a part of IPv6 (RFC 4291, section 2.5.5.2).
const MAPPED = ipaddr.IPv6.parse("::ffff:0:0");

/** An IPv4 address, or an IPv6 one that is not a mapped IPv4 address. */
export type IpAddress = ipaddr.IPv4 | ipaddr.IPv6;

/** The addresses that share their first `prefix` bits with `address`, which is the first of them. */
export interface IpNetwork {
  readonly address: IpAddress;
  readonly prefix: number;
}

/** The name of a source: an IPv4 address, or an IPv6 /64. */
export function sourceOf(address: string): string {
  // Most are IPv4, and need no parsing.
  if (!address.includes(":")) return address;
  const network = networkOf(address);
  return network === undefined ? address : networkText(network);
}

/** What the source of an address is: `address`, or `IPv6 /64`. */
export function sourceKind(address: string): string {
  return sourceOf(address).includes("/") ? `IPv6 /${IPV6_SOURCE_BITS}` : "address";
}

/**
 * The name of the site of an address or a source: an IPv4 address, or an IPv6 /48. Bounds are charged by site, so that
 * a customer with many addresses counts as one.
 */
export function siteOf(address: string): string {
  if (!address.includes(":")) return address;
  const parsed = parseAddress(address.replace(/\/\d+$/, ""));
  if (parsed === undefined) return address;
  return parsed.kind() === "ipv4"
    ? parsed.toString()
    : networkText(networkAt(parsed, IPV6_SITE_BITS));
}

/** The source that `address` belongs to; undefined where it is no address. */
export function networkOf(address: string): IpNetwork | undefined {
  const parsed = parseAddress(address);
  return parsed === undefined ? undefined : sourceNetwork(parsed);
}

/** Parses `192.0.2.1`, `192.0.2.0/24`, `2001:db8::1` (which means its /64) or `2001:db8::/48`. Throws UsageError. */
export function parseNetwork(text: string): IpNetwork {
  const [, address = "", length] = /^([0-9a-f:.]+)(?:\/(\d{1,3}))?$/i.exec(text) ?? [];
  const parsed = parseAddress(address);
  if (parsed === undefined) throw notANetwork(text);
  if (length === undefined) return sourceNetwork(parsed);
  // A ban of everybody is a mistake; an operator who wants it stops the server.
  if (Number(length) < 1 || Number(length) > bitsOf(parsed)) throw notANetwork(text);
  const network = networkAt(parsed, Number(length));
  // All of IPv4 is mapped into a small part of IPv6: no ban of an IPv6 network may include it.
  if (isWithin(MAPPED, network)) throw notANetwork(text);
  return network;
}

/** Whether `address` is in `network`. */
export function isWithin(address: IpAddress, network: IpNetwork): boolean {
  return address.kind() === network.address.kind() &&
    address.match(network.address, network.prefix);
}

/** `192.0.2.1`, `192.0.2.0/24` or `2001:db8::/64`. */
export function networkText({ address, prefix }: IpNetwork): string {
  const isOneIpv4 = address.kind() === "ipv4" && prefix === bitsOf(address);
  return isOneIpv4 ? address.toString() : `${address}/${prefix}`;
}

/** Parses an address, with or without its zone; undefined where it is none. */
export function parseAddress(text: string): IpAddress | undefined {
  const plain = text.replace(/%.*$/, "");
  // To ask first whether an IPv6 address is an IPv4 one costs an exception inside, more than all the rest.
  if (plain.includes(":")) return ipaddr.IPv6.isValid(plain) ? ipaddr.process(plain) : undefined;
  return ipaddr.IPv4.isValidFourPartDecimal(plain) ? ipaddr.IPv4.parse(plain) : undefined;
}

function sourceNetwork(address: IpAddress): IpNetwork {
  return networkAt(address, address.kind() === "ipv4" ? bitsOf(address) : IPV6_SOURCE_BITS);
}

function networkAt(address: IpAddress, prefix: number): IpNetwork {
  const kind = address.kind() === "ipv4" ? ipaddr.IPv4 : ipaddr.IPv6;
  return { address: kind.networkAddressFromCIDR(`${address}/${prefix}`), prefix };
}

function bitsOf(address: IpAddress): number {
  return 8 * address.toByteArray().length;
}

function notANetwork(text: string): UsageError {
  return new UsageError(
    `Cannot use ${quote(text)} as an address: it must be one such as 192.0.2.1, 192.0.2.0/24, ` +
      "2001:db8::1 or 2001:db8::/48",
  );
}
