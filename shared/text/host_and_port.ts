// Hosts and ports as people write them, and the one spelling in which programs pass them on.

/** `host:port`, with brackets around an IPv6 address (RFC 3986 §3.2.2) that has none yet. */
export function hostAndPort(host: string, port: number): string {
  return host.includes(":") && !host.startsWith("[") ? `[${host}]:${port}` : `${host}:${port}`;
}

/** Whether a host is a name of Tor, which is a key. */
export function isOnion(host: string): boolean {
  return /\.onion\.?$/i.test(host);
}

/** Whether a host in its canonical form is for Tor or for one machine alone: clients follow no list of servers there. */
export function isUnlisted(host: string): boolean {
  return /(^|\.)(onion|localhost)\.?$/.test(host);
}

/** The zone of an address of this machine's own networks (RFC 4007 §11): the name or number of an interface. */
const ZONE = /^([0-9a-f:.]+)%([A-Za-z0-9._~-]{1,32})$/i;

/**
 * A host in one spelling: a name in ASCII and lower case (`bücher.example`), an IPv4 address with four parts (`127.1`),
 * or an IPv6 address without brackets, with its zone where it has one (`fe80::1%eth0`). What is no host stays as it is:
 * whoever uses it says so.
 */
export function canonicalHost(text: string): string {
  const bare = text.replace(/^\[(.*)\]$/, "$1");
  const [, address = bare, zone] = ZONE.exec(bare) ?? [];
  if (address.includes(":")) {
    const host = hostOf(`[${address}]`)?.slice(1, -1);
    return host === undefined ? text : zone === undefined ? host : `${host}%${zone}`;
  }
  // URL would read more than a host, and undo what is percent-encoded.
  return /[\s/?#@\\%[\]]/.test(text) ? text : hostOf(text) ?? text;
}

/** The name by which TLS knows a host: no certificate has a zone, or a dot at the end (RFC 6066 §3). */
export function tlsName(host: string): string {
  return host.replace(/%.*$/, "").replace(/(?<=[^.])\.$/, "");
}

/** The host of a URL with this authority; undefined where it is none. */
export function hostOf(authority: string): string | undefined {
  return URL.parse(`http://${authority}/`)?.hostname || undefined;
}
