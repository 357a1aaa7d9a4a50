// The other servers of a cluster, as one of them tells its client: where to go when that one is gone. A server that
// lies can name any host; so who answers there must prove the same identity before it is told anything, and nobody is
// led from the open network into a private one.

import ipaddr from "ipaddr.js";
import { isIP } from "node:net";
import type { Fingerprint } from "../../shared/crypto/fingerprint.ts";
import { canonicalHost, isUnlisted } from "../../shared/text/host_and_port.ts";
import type { Endpoint } from "./endpoint.ts";
import type { Resolve } from "./host_addresses.ts";

type Place = Pick<Endpoint, "host" | "port">;

/** How far an address reaches: this machine, its own networks, or everywhere. */
export type Reach = 0 | 1 | 2;

// Kinds that are not listed are the address of nobody, of everybody, or of another kind in disguise (mapped,
// translated, tunneled).
const REACHES: Readonly<Partial<Record<string, Reach>>> = {
  loopback: 0,
  private: 1,
  carrierGradeNat: 1,
  linkLocal: 1,
  uniqueLocal: 1,
  unicast: 2,
  reserved: 2,
};

/** How far an IP address reaches; undefined for one that no server has. */
export function reachOf(address: string): Reach | undefined {
  const bare = address.replace(/%.*$/, "");
  return isIP(bare) === 0 ? undefined : REACHES[ipaddr.parse(bare).range()];
}

/** The server that named the others. */
export interface Teller {
  readonly fingerprint: Fingerprint;
  /** At which address it was reached; undefined = not known, which counts as the open network. */
  readonly address: string | undefined;
  /** Its port, which the user named. */
  readonly port: number;
}

// A port below is a service of the system's, which no cmdchat server needs.
const PORT_MIN = 1_024;
const PORT_HTTPS = 443;

/** The list of one session. */
export class OtherServers {
  #places: readonly Place[] = [];
  #teller: Teller | undefined;

  /** Takes the list that `teller` gave, in place of the one before. */
  take(list: readonly (readonly [host: string, port: number])[], teller: Teller): void {
    this.#teller = teller;
    this.#places = list.map(([host, port]) => ({ host, port })).filter(({ host, port }) =>
      host === canonicalHost(host) && !host.includes("%") &&
      !isUnlisted(host) &&
      (port >= PORT_MIN || port === PORT_HTTPS || port === teller.port)
    );
  }

  /** Forgets all: another session has begun. */
  clear(): void {
    this.#places = [];
  }

  /** Those that may be tried. */
  get places(): readonly Place[] {
    return this.#places;
  }

  /** The only server that may answer there. */
  get expected(): Fingerprint | undefined {
    return this.#teller?.fingerprint;
  }

  /** The addresses of a place, without those that the teller has no business to name. */
  async addresses({ host }: Place, resolve: Resolve): Promise<readonly string[]> {
    const least = reachOf(this.#teller?.address ?? "") ?? 2;
    const found = isIP(host) === 0 ? await resolve(host) : [host];
    return found.filter((address) => (reachOf(address) ?? -1) >= least);
  }
}
