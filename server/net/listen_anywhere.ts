// Listens on all addresses of this machine, at the usual port or the next free one.

import { ConfigError } from "../../shared/base/errors.ts";
import { DEFAULT_PORT } from "../../shared/text/invite_link.ts";
import { listen } from "./listen.ts";
import { isPortTaken } from "./listen_error.ts";
import type { Listener } from "./listener.ts";

/** A listener, and whether it takes connections over IPv6 too. */
export interface OpenPort {
  readonly listener: Listener;
  readonly hasIpv6: boolean;
}

/** How a port is opened; without it, the real one. */
export type Listen = typeof listen;

// So many neighbors of the usual port are tried; then the system gives a free one.
const NEXT_PORTS = 20;
const BOTH_FAMILIES = "::";
const IPV4_ONLY = "0.0.0.0";

/** Listens at `wanted`; undefined: where the usual port, or one of the next ones, is free. Throws ConfigError. */
export async function listenAnywhere(
  wanted: number | undefined,
  open: Listen = listen,
): Promise<OpenPort> {
  if (wanted !== undefined) return await listenAt(wanted, open);
  for (let port = DEFAULT_PORT; port < DEFAULT_PORT + NEXT_PORTS; port++) {
    try {
      return await listenAt(port, open);
    } catch (error) {
      if (!(error instanceof ConfigError) || !isPortTaken(error.cause)) throw error;
    }
  }
  return await listenAt(0, open);
}

async function listenAt(port: number, open: Listen): Promise<OpenPort> {
  const both = await listenBoth(port, open);
  if (both !== undefined) return { listener: both, hasIpv6: true };
  const listener = await open({ host: IPV4_ONLY, port, tls: undefined });
  return { listener, hasIpv6: false };
}

/** One socket for both families; undefined where the system has none such. */
async function listenBoth(port: number, open: Listen): Promise<Listener | undefined> {
  let listener: Listener;
  try {
    listener = await open({ host: BOTH_FAMILIES, port, tls: undefined });
  } catch (error) {
    // A machine without IPv6; what is wrong with the port is told by the attempt that follows.
    if (error instanceof ConfigError && !isPortTaken(error.cause)) return undefined;
    throw error;
  }
  // Windows, and Linux with net.ipv6.bindv6only, take IPv6 alone there.
  if (await takesIpv4(listener.address.port)) return listener;
  listener.close();
  return undefined;
}

async function takesIpv4(port: number): Promise<boolean> {
  try {
    using _conn = await Deno.connect({ hostname: "127.0.0.1", port });
    return true;
  } catch {
    return false;
  }
}
