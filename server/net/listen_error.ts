// Why a server cannot listen, in words that its admin can act on.

import { ConfigError } from "../../shared/base/errors.ts";
import type { TlsFiles } from "../config/tls_files.ts";

/** Where a server tried to listen. */
export interface ListenAttempt {
  readonly host: string;
  readonly port: number;
  readonly tls: TlsFiles | undefined;
}

/** Whether this machine does not have the address; at boot it may have it a moment later. */
export function isAddressMissing(cause: unknown): boolean {
  const code = cause instanceof Error && "code" in cause ? cause.code : undefined;
  // node:net reports EINVAL where the system reports EADDRNOTAVAIL.
  return cause instanceof Deno.errors.AddrNotAvailable || code === "EADDRNOTAVAIL" ||
    code === "EINVAL";
}

/** Whether another process listens there; one that hands over may not have released the port yet. */
export function isPortTaken(cause: unknown): boolean {
  const code = cause instanceof Error && "code" in cause ? cause.code : undefined;
  return cause instanceof Deno.errors.AddrInUse || code === "EADDRINUSE";
}

/** The error for what the system reported. Deno and node:net report the same fault in different ways. */
export function listenError({ host, port, tls }: ListenAttempt, cause: unknown): ConfigError {
  const what = `Cannot listen on ${JSON.stringify(host)} port ${port}`;
  const code = cause instanceof Error && "code" in cause ? cause.code : undefined;
  if (isPortTaken(cause)) {
    return new ConfigError(`${what}: another program already uses this port`, {
      cause,
      hint: "stop that program, or choose another port with --port",
    });
  }
  if (isAddressMissing(cause)) {
    return new ConfigError(`${what}: this machine has no such address`, {
      cause,
      hint: "--host 127.0.0.1 serves this machine only, --host 0.0.0.0 all its networks",
    });
  }
  if (cause instanceof Deno.errors.PermissionDenied || code === "EACCES") {
    return new ConfigError(`${what}: the system does not allow it`, {
      cause,
      hint: "ports below 1024 need a privilege; choose a higher one with --port",
    });
  }
  if (tls !== undefined && cause instanceof Deno.errors.InvalidData) {
    return new ConfigError(`Cannot use --certfile with --keyfile: the TLS library rejects them`, {
      cause,
      hint: "the key must belong to the first certificate of the file",
    });
  }
  return new ConfigError(`${what}: this is not an address of this machine`, {
    cause,
  });
}
