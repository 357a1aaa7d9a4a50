// Addresses as people write them.

/** `host:port`, with brackets around an IPv6 address (RFC 3986 §3.2.2) that has none yet. */
export function hostAndPort(host: string, port: number): string {
  return host.includes(":") && !host.startsWith("[") ? `[${host}]:${port}` : `${host}:${port}`;
}
