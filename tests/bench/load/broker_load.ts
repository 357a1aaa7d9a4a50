// The load of the fan-out rows through a server that others made.

import type { TestCertificate } from "../../helpers/system/certificates.ts";
import { type BrokerKind, startBroker, type TlsPaths } from "../references/broker.ts";
import { ByteCounter, checkComplete, type Load, type Measurement, runLoad } from "./load.ts";

/** Runs a warm-up, and the load, through a server over TLS. Throws where it is not installed. */
export async function throughBroker(
  kind: BrokerKind,
  load: Load,
  certificate: TestCertificate,
): Promise<Measurement> {
  await using broker = await startBroker(kind, tlsPaths(certificate));
  const address = { port: broker.port, cert: certificate.cert };
  const run = async () => {
    const conns: Deno.Conn[] = [];
    for (let i = 0; i < load.members; i++) conns.push(await kind.join(address, i));
    await Promise.all(conns.map((conn) => kind.settle(conn)));
    const members = conns.map((conn, i) => ({
      conn,
      packets: i < load.senders ? packetsOf(kind, load, i) : [],
      counter: new ByteCounter(expectedBytes(kind, load, i)),
    }));
    const cpuBefore = broker.cpuMs();
    const seconds = await runLoad(members);
    const cpuMs = broker.cpuMs() - cpuBefore;
    checkReceived(kind, load, members.map(({ counter }) => kind.texts(counter.chunks)));
    for (const conn of conns) conn.close();
    const readers = load.members - (kind.hearsItself ? 0 : 1);
    const deliveries = readers * load.senders * load.perSender;
    return { deliveries, seconds, cpuMs, peakMemory: broker.peakMemory() };
  };
  await run();
  return await run();
}

/** The files of a certificate under the names that the configurations use. */
export function tlsPaths({ certFile, keyFile }: TestCertificate): TlsPaths {
  return { certfile: certFile, keyfile: keyFile };
}

function packetsOf(kind: BrokerKind, load: Load, sender: number): Uint8Array[] {
  return Array.from({ length: load.perSender }, (_, index) => kind.packet(load, sender, index));
}

function expectedBytes(kind: BrokerKind, load: Load, member: number): number {
  let bytes = 0;
  for (let sender = 0; sender < load.senders; sender++) {
    if (sender === member && !kind.hearsItself) continue;
    for (let index = 0; index < load.perSender; index++) {
      bytes += kind.deliveredBytes(load, sender, index);
    }
  }
  return bytes;
}

// Only those who send nothing are known to get everything. The order is not compared: NATS gives it for each sender.
function checkReceived(kind: BrokerKind, load: Load, received: readonly string[][]): void {
  const others = load.members - load.senders;
  const quiet = received.slice(load.senders);
  checkComplete({ ...load, members: others }, quiet, { oneOrder: kind.oneOrder });
  received.slice(0, load.senders).forEach((texts, sender) => {
    const own = kind.hearsItself ? 0 : load.perSender;
    if (texts.length !== load.senders * load.perSender - own) {
      throw new Error(`sender ${sender} got ${texts.length} messages`);
    }
  });
}
