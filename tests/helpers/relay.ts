// A relay without a process and links without sockets: what a test of one part of the server needs around it.

import { getLogger } from "@logtape/logtape";
import { readConfig, type ServerConfig } from "../../server/config.ts";
import type { Link } from "../../server/listener.ts";
import { Relay } from "../../server/relay.ts";
import { generateIdentity } from "../../shared/crypto/identity.ts";

/** The configuration of a server that is started with these options and variables. */
export function configOf(
  args: readonly string[] = [],
  env: Readonly<Record<string, string>> = {},
): ServerConfig {
  return readConfig({ args, env: (name) => env[name] });
}

/** A relay that logs nothing and listens nowhere. */
export async function makeRelay(
  args: readonly string[] = [],
  env: Readonly<Record<string, string>> = {},
): Promise<Relay> {
  const identity = await generateIdentity();
  return new Relay(configOf(args, env), { log: getLogger("test"), identity });
}

/** A link whose peer is the test: reads give `incoming` piece by piece, then the end. */
export class FakeLink implements Link {
  readonly address = "192.0.2.1";
  readonly since = performance.now();
  readonly written: Uint8Array[] = [];
  closed = false;
  #incoming: Uint8Array[];

  constructor(incoming: readonly Uint8Array[] = []) {
    this.#incoming = [...incoming];
  }

  read(buffer: Uint8Array): Promise<number | null> {
    const [next, ...later] = this.#incoming;
    if (next === undefined) return Promise.resolve(null);
    const taken = next.subarray(0, buffer.length);
    buffer.set(taken);
    this.#incoming = taken.length < next.length ? [next.subarray(taken.length), ...later] : later;
    return Promise.resolve(taken.length);
  }

  write(bytes: Uint8Array): Promise<void> {
    this.written.push(bytes);
    return Promise.resolve();
  }

  close(): void {
    this.closed = true;
  }
}
