// Reference: Debian's nats-server, core publish and subscribe, and as much of its protocol as the load needs.

import { connectTo, type Load, textOf, writeAll } from "../load/load.ts";
import { type BrokerKind, readUntil, textRead } from "./broker.ts";

const encoder = new TextEncoder();
const SUBJECT = "room";
const CONNECT = { verbose: false, pedantic: false, echo: true, lang: "bench", version: "1" };

/** nats-server with room for all that waits, and without pings in the middle of a load. */
export const NATS: BrokerKind = {
  program: "nats-server",
  says: "nats-server, core",
  hearsItself: true,
  oneOrder: false,
  configure: (port, tls) =>
    [
      `listen: "127.0.0.1:${port}"`,
      'ping_interval: "1h"',
      "max_pending: 1073741824",
      'write_deadline: "60s"',
      ...(tls === undefined
        ? []
        : [`tls { cert_file: "${tls.certfile}", key_file: "${tls.keyfile}", timeout: 20 }`]),
    ].join("\n"),
  args: (file) => ["-c", file],
  async join({ port, cert }) {
    const plain = await connectTo(port, undefined);
    await readUntil(plain, /^INFO .*\r\n/);
    const conn = cert === undefined
      ? plain
      : await Deno.startTls(plain as Deno.TcpConn, { hostname: "localhost", caCerts: [cert] });
    const connect = JSON.stringify({ ...CONNECT, tls_required: cert !== undefined });
    await writeAll(
      conn,
      encoder.encode(`CONNECT ${connect}\r\nSUB ${SUBJECT} 1\r\nPING\r\n`),
    );
    await readUntil(conn, /PONG\r\n/);
    return conn;
  },
  // It measures the round trip of a new client once, some 2 s after it came.
  settle: (conn) => readUntil(conn, /PING\r\n/),
  packet: (load, sender, index) =>
    encoder.encode(`PUB ${SUBJECT} ${load.messageBytes}\r\n${textOf(load, sender, index)}\r\n`),
  deliveredBytes: (load) => deliveredHead(load).length + load.messageBytes + 2,
  texts: (chunks) => textRead(chunks).split(/MSG .*\r\n/).slice(1).map((text) => text.trimEnd()),
};

function deliveredHead(load: Load): string {
  return `MSG ${SUBJECT} 1 ${load.messageBytes}\r\n`;
}
