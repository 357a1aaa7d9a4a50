// Why a server cannot listen, in words that its operator can act on.

import { ConfigError } from "../../shared/base/errors.ts";
import type { TlsFiles } from "../config/tls_files.ts";

/** What was tried. */
export interface ListenAttempt {
  readonly host: string;
  readonly port: number;
  readonly tls: TlsFiles | undefined;
}

/** The error for what the system said. Deno and node:net say the same in different ways. */
export function listenError({ host, port, tls }: ListenAttempt, cause: unknown): ConfigError {
  const what = `Cannot listen on ${JSON.stringify(host)} port ${port}`;
  const code = cause instanceof Error && "code" in cause ? cause.code : undefined;
  if (cause instanceof Deno.errors.AddrInUse || code === "EADDRINUSE") {
    return new ConfigError(`${what}: another program already uses this port`, {
      cause,
      hint: "stop that program, or choose another port with --port",
    });
  }
  // node:net says EINVAL where the system says EADDRNOTAVAIL.
  if (
    cause instanceof Deno.errors.AddrNotAvailable || code === "EADDRNOTAVAIL" || code === "EINVAL"
  ) {
    return new ConfigError(`${what}: this machine has no such address`, {
      cause,
      hint: "--host 127.0.0.1 serves this machine only, --host 0.0.0.0 every network it is on",
    });
  }
  if (cause instanceof Deno.errors.PermissionDenied || code === "EACCES") {
    return new ConfigError(`${what}: the system does not allow it`, {
      cause,
      hint: "ports below 1024 need a privilege; choose a higher one with --port",
    });
  }
  if (tls !== undefined && cause instanceof Deno.errors.InvalidData) {
    return new ConfigError(`Cannot use --certfile with --keyfile: the TLS library refuses them`, {
      cause,
      hint: "the key must belong to the first certificate of the file",
    });
  }
  return new ConfigError(`${what}: the address is not one of this machine's, or not an address`, {
    cause,
  });
}
