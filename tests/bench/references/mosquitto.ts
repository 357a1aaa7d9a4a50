// Reference: Debian's mosquitto with QoS 0, and as much of MQTT 3.1.1 as the load needs.

import { concatBytes } from "../../../shared/base/bytes.ts";
import { connectTo, type Load, readExactly, textOf, writeAll } from "../load/load.ts";
import { type BrokerKind } from "./broker.ts";

const encoder = new TextEncoder();
const TOPIC = "room";
const PACKET = { connect: 0x10, publish: 0x30, subscribe: 0x82 } as const;

/** mosquitto with queues that drop nothing. */
export const MOSQUITTO: BrokerKind = {
  program: "mosquitto",
  says: "mosquitto, QoS 0",
  hearsItself: true,
  oneOrder: true,
  configure: (port, tls) =>
    [
      `listener ${port} 127.0.0.1`,
      ...(tls === undefined ? [] : [`certfile ${tls.certfile}`, `keyfile ${tls.keyfile}`]),
      "allow_anonymous true",
      "set_tcp_nodelay true",
      "max_queued_messages 0",
      "max_inflight_messages 0",
      "user root",
    ].join("\n"),
  args: (file) => ["-c", file],
  async join({ port, cert }, index) {
    const conn = await connectTo(port, cert);
    const connect = [...string("MQTT"), 4, 2, 0, 0, ...string(`member${index}`)];
    await writeAll(conn, packet(PACKET.connect, connect));
    await readExactly(conn, 4);
    await writeAll(conn, packet(PACKET.subscribe, [0, 1, ...string(TOPIC), 0]));
    await readExactly(conn, 5);
    return conn;
  },
  settle: () => Promise.resolve(),
  packet: publish,
  deliveredBytes: (...message) => publish(...message).length,
  texts,
};

function publish(load: Load, sender: number, index: number): Uint8Array {
  return packet(PACKET.publish, [...string(TOPIC), ...encoder.encode(textOf(load, sender, index))]);
}

function texts(chunks: readonly Uint8Array[]): string[] {
  const bytes = concatBytes(chunks);
  const found: string[] = [];
  const decoder = new TextDecoder();
  for (let at = 0; at < bytes.length;) {
    let length = 0;
    let shift = 0;
    for (at++;; shift += 7) {
      const byte = bytes[at++] as number;
      length |= (byte & 0x7f) << shift;
      if (byte < 0x80) break;
    }
    found.push(decoder.decode(bytes.subarray(at + 2 + TOPIC.length, at + length)));
    at += length;
  }
  return found;
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
