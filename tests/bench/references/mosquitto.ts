// Reference: Debian's mosquitto over TLS with QoS 0, and as much of MQTT 3.1.1 as the load needs.

import { programPath } from "../../helpers/repo/system_needs.ts";
import { type Load, readExactly, textOf, writeAll } from "../load/load.ts";
import { type Costs, costsOf, kill } from "../processes.ts";

const encoder = new TextEncoder();
const TOPIC = "room";
const PACKET = { connect: 0x10, publish: 0x30, subscribe: 0x82 } as const;

/** A running broker. */
export interface Broker extends Costs, AsyncDisposable {
  readonly port: number;
}

/** PEM files of a TLS server. */
export interface TlsPaths {
  readonly certfile: string;
  readonly keyfile: string;
}

/** Starts mosquitto on a free port with queues that drop nothing. Undefined where it is not installed. */
export async function startMosquitto({ certfile, keyfile }: TlsPaths): Promise<Broker | undefined> {
  const port = freePort();
  const config = await Deno.makeTempFile({ suffix: ".conf" });
  await Deno.writeTextFile(
    config,
    [
      `listener ${port} 127.0.0.1`,
      `certfile ${certfile}`,
      `keyfile ${keyfile}`,
      "allow_anonymous true",
      "set_tcp_nodelay true",
      "max_queued_messages 0",
      "max_inflight_messages 0",
      "user root",
    ].join("\n"),
  );
  const child = spawn(config);
  if (child === undefined) return undefined;
  await untilListening(port);
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

function spawn(config: string): Deno.ChildProcess | undefined {
  const path = programPath("mosquitto");
  if (path === undefined) return undefined;
  return new Deno.Command(path, {
    args: ["-c", config],
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
}

function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return (listener.addr as Deno.NetAddr).port;
}

async function untilListening(port: number): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt++) {
    try {
      (await Deno.connect({ port })).close();
      return;
    } catch (error) {
      if (!(error instanceof Deno.errors.ConnectionRefused)) throw error;
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
  }
  throw new Error("mosquitto does not listen");
}

/** CONNECT and SUBSCRIBE; returns when both are acknowledged. */
export async function subscribe(conn: Deno.Conn, clientId: string): Promise<void> {
  const connect = [...string("MQTT"), 4, 2, 0, 0, ...string(clientId)];
  await writeAll(conn, packet(PACKET.connect, connect));
  await readExactly(conn, 4);
  await writeAll(conn, packet(PACKET.subscribe, [0, 1, ...string(TOPIC), 0]));
  await readExactly(conn, 5);
}

/** The PUBLISH packet of one message of the load. */
export function publishPacket(load: Load, sender: number, index: number): Uint8Array {
  return packet(PACKET.publish, [...string(TOPIC), ...encoder.encode(textOf(load, sender, index))]);
}

/** The texts in the PUBLISH packets of a stream of bytes. */
export function textsInMqtt(chunks: readonly Uint8Array[]): string[] {
  const bytes = new Uint8Array(chunks.reduce((sum, chunk) => sum + chunk.length, 0));
  let filled = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, filled);
    filled += chunk.length;
  }
  const texts: string[] = [];
  const decoder = new TextDecoder();
  for (let at = 0; at < bytes.length;) {
    let length = 0;
    let shift = 0;
    for (at++;; shift += 7) {
      const byte = bytes[at++] as number;
      length |= (byte & 0x7f) << shift;
      if (byte < 0x80) break;
    }
    texts.push(decoder.decode(bytes.subarray(at + 2 + TOPIC.length, at + length)));
    at += length;
  }
  return texts;
}

function string(text: string): number[] {
  const bytes = encoder.encode(text);
  return [bytes.length >> 8, bytes.length & 0xff, ...bytes];
}

function packet(type: number, body: readonly number[]): Uint8Array {
  const length: number[] = [];
  let left = body.length;
  do {
    length.push(left % 128 + (left > 127 ? 128 : 0));
    left = Math.floor(left / 128);
  } while (left > 0);
  return Uint8Array.from([type, ...length, ...body]);
}
