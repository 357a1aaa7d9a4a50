// The addresses of a host name: each may be another server.

import { isOnion } from "../../shared/text/host_and_port.ts";
import { isLoopback } from "./no_proxy.ts";
import { lookup } from "node:dns/promises";

/** Whether nobody on a network can answer in a host's place: this machine, or an onion service, whose name is its key. */
export function needsNoProof(host: string): boolean {
  return isLoopback(host) || isOnion(host);
}

/** Finds the addresses of a name; empty if the system knows none. */
export type Resolve = (host: string) => Promise<readonly string[]>;

/** Asks the system's resolver. An address is its own only address. */
export async function lookUpAddresses(host: string): Promise<readonly string[]> {
  // A name below .onion must not be asked for outside of Tor.
  if (isOnion(host)) return [];
  try {
    return (await lookup(host, { all: true })).map(({ address }) => address);
  } catch {
    // Connecting by name fails as well, and says why.
    return [];
  }
}
