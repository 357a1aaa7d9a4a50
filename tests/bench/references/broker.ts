// What the fan-out and latency rows need of a chat server or broker from Debian: to start it, join, send and read.

import { programPath, type SystemProgram } from "../../helpers/repo/system_needs.ts";
import { concatBytes } from "../../../shared/base/bytes.ts";
import type { Load } from "../load/load.ts";
import { type Costs, costsOf, kill } from "../processes.ts";

const decoder = new TextDecoder();

/** PEM files of a TLS server. */
export interface TlsPaths {
  readonly certfile: string;
  readonly keyfile: string;
}

/** Where a client reaches a broker on 127.0.0.1: over TLS where a certificate is given. */
export interface BrokerAddress {
  readonly port: number;
  /** PEM of the certificate to trust. */
  readonly cert?: string | undefined;
}

/** One kind of server, and as much of its protocol as the load needs. */
export interface BrokerKind {
  readonly program: SystemProgram;
  /** Words for the row. */
  readonly says: string;
  /** Whether a sender gets its own messages. */
  readonly hearsItself: boolean;
  /** Whether all members get all messages in one order; else only each sender's are in order. */
  readonly oneOrder: boolean;
  /** Its configuration, for TLS or plain TCP, with its own limits off. */
  configure(port: number, tls: TlsPaths | undefined): string;
  /** Arguments that name the file of the configuration. */
  args(file: string): readonly string[];
  /** Connects as member number `index` and joins the room; returns when that is acknowledged. */
  join(address: BrokerAddress, index: number): Promise<Deno.Conn>;
  /** Waits until all that is not a message has arrived at a member: call it when the last one has joined. */
  settle(conn: Deno.Conn): Promise<void>;
  /** One message of the load, ready to be written. */
  packet(load: Load, sender: number, index: number): Uint8Array;
  /** Bytes that a member reads for one message of member number `sender`. */
  deliveredBytes(load: Load, sender: number, index: number): number;
  /** The texts in all that a member read. */
  texts(chunks: readonly Uint8Array[]): string[];
}

/** A running server. */
export interface Broker extends Costs, AsyncDisposable {
  readonly port: number;
}

/** Starts a server on a free port, over TLS where there is a certificate. Throws where it is not installed. */
export async function startBroker(kind: BrokerKind, tls?: TlsPaths): Promise<Broker> {
  const path = programPath(kind.program);
  if (path === undefined) throw new Error(`${kind.program} is not installed`);
  const port = freePort();
  const config = await Deno.makeTempFile({ suffix: ".conf" });
  await Deno.writeTextFile(config, kind.configure(port, tls));
  // ngircd refuses a file that it cannot read when it gives up its rights.
  await Deno.chmod(config, 0o644);
  const child = new Deno.Command(path, {
    args: [...kind.args(config)],
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
  await untilListening(port, kind.program);
  return {
    port,
    ...costsOf(child.pid),
    async [Symbol.asyncDispose]() {
      kill(child);
      await child.status;
      await Deno.remove(config);
    },
  };
}

/** Reads until a line begins as wanted. */
export async function readUntil(conn: Deno.Conn, start: RegExp): Promise<void> {
  const buffer = new Uint8Array(4_096);
  for (let text = ""; !start.test(text);) {
    const count = await conn.read(buffer);
    if (count === null) throw new Error(`the connection ended before ${start}: ${text}`);
    text += decoder.decode(buffer.subarray(0, count));
  }
}

/** What a member read, as text. */
export function textRead(chunks: readonly Uint8Array[]): string {
  return decoder.decode(concatBytes(chunks));
}

function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

async function untilListening(port: number, program: string): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt++) {
    try {
      (await Deno.connect({ hostname: "127.0.0.1", port })).close();
      return;
    } catch (error) {
      if (!(error instanceof Deno.errors.ConnectionRefused)) throw error;
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
  }
  throw new Error(`${program} does not listen`);
}
