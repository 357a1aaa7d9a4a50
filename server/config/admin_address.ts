// The address of the admin pages: one that only this machine reaches, unless a token guards them.

import { hostAndPort } from "../../shared/text/host_and_port.ts";
import { UsageError } from "../../shared/base/errors.ts";

/** An address and a port. */
export interface AdminAddress {
  readonly hostname: string;
  readonly port: number;
}

/** Parses `5051`, `127.0.0.1:5051` or `[::1]:5051`. Throws UsageError. */
export function adminAddress(text: string): AdminAddress {
  const match = /^(?:(?:\[([0-9a-f:.]+)\]|([a-z0-9.-]+)):)?(\d{1,5})$/i.exec(text);
  const port = Number(match?.[3]);
  if (match === null || port > 65_535) {
    throw new UsageError("it must be a port or ADDRESS:PORT, such as 127.0.0.1:5051");
  }
  return { hostname: match[1] ?? match[2] ?? "127.0.0.1", port };
}

/** Whether only this machine can reach the address. */
export function isLoopback(hostname: string): boolean {
  return /^127(?:\.\d{1,3}){3}$/.test(hostname) || hostname === "::1" || hostname === "localhost";
}

/** `127.0.0.1:5051` or `[::1]:5051`. */
export function addressText({ hostname, port }: AdminAddress): string {
  return hostAndPort(hostname, port);
}
