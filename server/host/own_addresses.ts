// The addresses of this machine at which others may reach it, the likeliest first.

import { ConfigError } from "../../shared/base/errors.ts";

/** An address of a network interface, as the system lists it. */
export type InterfaceAddress = Pick<Deno.NetworkInterfaceInfo, "name" | "family" | "address">;

/** What is known of this machine's addresses. */
export interface OwnAddresses {
  /** For links, the likeliest first; empty where only this machine itself can connect. */
  readonly reachable: readonly string[];
  /** Whether they are good for machines on the same cable only; those of IPv6 name an interface behind "%". */
  readonly areLinkLocal: boolean;
}

// Bridges and pairs that hold containers and virtual machines of this machine: nobody else is behind them.
const INNER =
  /^(?:docker|br-|veth|virbr|vnet|lxc|lxd|cni|flannel|cali|podman|vmnet|vboxnet|vEthernet)/i;
/** More than that is a list that nobody reads. */
const ADDRESSES_MAX = 8;

/** The addresses that the system lists; the permission to ask is given up. Throws ConfigError. */
export function readInterfaces(): readonly InterfaceAddress[] {
  try {
    return Deno.networkInterfaces();
  } catch (cause) {
    throw new ConfigError("Cannot list the addresses of this machine: the system refuses", {
      cause,
      hint: "cmdchat-server --host 0.0.0.0 serves without listing them",
    });
  } finally {
    giveUpInterfaces();
  }
}

/** Gives up the permission to list the addresses of this machine. */
export function giveUpInterfaces(): void {
  Deno.permissions.revokeSync({ name: "sys", kind: "networkInterfaces" });
}

/** Those of `all` that are good for links; of one interface at most one address of each family. */
export function ownAddresses(
  all: readonly InterfaceAddress[],
  { hasIpv6 }: { readonly hasIpv6: boolean },
): OwnAddresses {
  const found = all.filter(({ name, family }) =>
    !INNER.test(name) && (hasIpv6 || family === "IPv4")
  ).map((entry) => ({ ...entry, reach: reachOf(entry) }));
  const wide = found.filter(({ reach }) => reach > LINK_LOCAL).sort(byReach);
  const areLinkLocal = wide.length === 0;
  const chosen = areLinkLocal ? found.filter(({ reach }) => reach === LINK_LOCAL) : wide;
  const seen = new Set<string>();
  const one = chosen.filter(({ name, family }) => {
    const key = `${family} ${name}`;
    return seen.size < seen.add(key).size;
  });
  return { reachable: one.slice(0, ADDRESSES_MAX).map(asHost), areLinkLocal };
}

const NOWHERE = 0;
const LINK_LOCAL = 1;
const UNIQUE_LOCAL = 2;
const GLOBAL_IPV6 = 3;
const IPV4 = 4;

/** How likely a friend reaches it. IPv4 first: it is short, and every local network has it. */
function reachOf({ family, address }: InterfaceAddress): number {
  if (family === "IPv4") {
    if (/^(?:127|0)\./.test(address)) return NOWHERE;
    return address.startsWith("169.254.") ? LINK_LOCAL : IPV4;
  }
  if (/^fe[89ab]/i.test(address)) return LINK_LOCAL;
  if (/^f[cd]/i.test(address)) return UNIQUE_LOCAL;
  return /^[23]/.test(address) ? GLOBAL_IPV6 : NOWHERE;
}

function byReach(one: { readonly reach: number }, other: { readonly reach: number }): number {
  return other.reach - one.reach;
}

function asHost({ name, family, address }: InterfaceAddress): string {
  const bare = address.replace(/%.*$/, "");
  return family === "IPv6" && /^fe[89ab]/i.test(bare) ? `${bare}%${name}` : bare;
}
