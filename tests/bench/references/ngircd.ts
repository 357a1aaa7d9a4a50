// Reference: Debian's ngircd, a chat server in C, and as much of IRC (RFC 2812) as the load needs.

import { connectTo, textOf, writeAll } from "../load/load.ts";
import { type BrokerKind, readUntil, textRead } from "./broker.ts";

const encoder = new TextEncoder();
const CHANNEL = "#room";
const SETTLED = "settled";

/** ngircd without its limits, and without questions to others about who comes. */
export const NGIRCD: BrokerKind = {
  program: "ngircd",
  says: "ngircd",
  // A sender does not get its own messages.
  hearsItself: false,
  oneOrder: true,
  configure: (port, tls) =>
    [
      "[Global]",
      "Name = irc.bench.test",
      "Info = bench",
      "Listen = 127.0.0.1",
      // Without TLS on this port the plain one is it.
      ...(tls === undefined ? [`Ports = ${port}`] : []),
      "ServerUID = root",
      "ServerGID = root",
      "[Limits]",
      "MaxConnections = 0",
      "MaxConnectionsIP = 0",
      "MaxJoins = 0",
      "MaxPenaltyTime = 0",
      "MaxNickLength = 20",
      "PingTimeout = 3600",
      "[Options]",
      "DNS = no",
      "Ident = no",
      "PAM = no",
      "RequireAuthPing = no",
      ...(tls === undefined
        ? []
        : ["[SSL]", `CertFile = ${tls.certfile}`, `KeyFile = ${tls.keyfile}`, `Ports = ${port}`]),
    ].join("\n"),
  args: (file) => ["-n", "-f", file],
  async join({ port, cert }, index) {
    const conn = await connectTo(port, cert);
    const nick = nickOf(index);
    await writeAll(conn, encoder.encode(`NICK ${nick}\r\nUSER ${nick} 0 * :${nick}\r\n`));
    await readUntil(conn, / 001 /);
    await writeAll(conn, encoder.encode(`JOIN ${CHANNEL}\r\n`));
    await readUntil(conn, / 366 /);
    return conn;
  },
  async settle(conn) {
    await writeAll(conn, encoder.encode(`PING ${SETTLED}\r\n`));
    await readUntil(conn, new RegExp(`PONG .*${SETTLED}\r\n`));
  },
  packet: (load, sender, index) =>
    encoder.encode(`PRIVMSG ${CHANNEL} :${textOf(load, sender, index)}\r\n`),
  deliveredBytes: (load, sender) =>
    `:${prefixOf(sender)} PRIVMSG ${CHANNEL} :\r\n`.length + load.messageBytes,
  texts: (chunks) => textRead(chunks).split("\r\n").slice(0, -1).map(textOfLine),
};

function nickOf(index: number): string {
  return `member${index}`;
}

// Without Ident a user name begins with ~, and the host is the address, as nobody is asked for a name.
function prefixOf(index: number): string {
  return `${nickOf(index)}!~${nickOf(index)}@127.0.0.1`;
}

function textOfLine(line: string): string {
  return line.slice(line.indexOf(" :") + 2);
}
