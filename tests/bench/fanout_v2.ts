// Row fanout-v2-tls: the same load over TLS, ours beside mosquitto.

import { generateRsaKeyPair, type RsaKeyPair } from "../../shared/crypto/rsa.ts";
import { encodeFrame, FrameReader } from "../../shared/frame.ts";
import { ClientHandshake } from "../../shared/handshake.ts";
import type { Event, EventOf, Request } from "../../shared/messages_v2.ts";
import { BatchReader, frameBody, framedBytes, packBatches } from "../../shared/record_batch.ts";
import { SessionCipher } from "../../shared/session_cipher.ts";
import { decodeEvent, encodeEvent, encodeRequest } from "../../shared/wire_v2.ts";
import { makeCertificate, type TestCertificate } from "../helpers/certificates.ts";
import {
  ByteCounter,
  checkComplete,
  FAN_OUT,
  FrameCounter,
  type Load,
  runLoad,
  textOf,
  writeAll,
} from "./load.ts";
import { publishPacket, startMosquitto, subscribe, textsInMqtt } from "./mosquitto.ts";
import { startModule } from "./processes.ts";
import type { Row } from "./row.ts";

// What a record adds to the bodies in it, behind its length: flags and tag.
const RECORD_OVERHEAD = 17;

interface Member {
  readonly conn: Deno.Conn;
  readonly cipher: SessionCipher;
  readonly batches: BatchReader;
  readonly welcome: EventOf<"welcome">;
  readonly room: number;
}

/** What one run of a load took. */
export interface Measurement {
  readonly seconds: number;
  readonly cpuMs: number;
  readonly peakMemory: number;
}

/** Measures the row. Throws where mosquitto is not installed. */
export async function fanoutV2Tls(): Promise<Row> {
  const load = FAN_OUT;
  await using certificate = await makeCertificate();
  const reference = await throughMosquitto(load, certificate);
  const ours = await throughServer(load, certificate);
  const deliveries = load.members * load.senders * load.perSender;
  return {
    row: "fanout-v2-tls",
    value: deliveries / ours.seconds,
    unit: "deliveries/s",
    reference: "mosquitto over TLS, QoS 0, the same load",
    referenceValue: deliveries / reference,
    goal: { of: "ratio", limit: 1.5, better: "more" },
    notes: [
      `${load.members} members, ${load.senders} senders, ${load.messageBytes}-byte messages, ${deliveries} deliveries`,
      `${(1e6 * ours.seconds / deliveries).toFixed(2)} µs a delivery, of it ${
        (1e3 * ours.cpuMs / deliveries).toFixed(2)
      } µs of the server's CPU time`,
      `peak memory of the server ${(ours.peakMemory / 1_048_576).toFixed(0)} MiB`,
      "each member's messages were opened afterwards: every one there once, each sender's in order",
    ],
  };
}

async function throughMosquitto(load: Load, certificate: TestCertificate): Promise<number> {
  const { certFile: certfile, keyFile: keyfile, cert } = certificate;
  await using broker = await startMosquitto({ certfile, keyfile });
  if (broker === undefined) {
    throw new Error("mosquitto is not installed: apt-get install mosquitto");
  }
  const conns: Deno.Conn[] = [];
  for (let i = 0; i < load.members; i++) {
    const conn = await connectTls(broker.port, cert);
    await subscribe(conn, `member${i}`);
    conns.push(conn);
  }
  const packets = conns.slice(0, load.senders).map((_, sender) =>
    Array.from({ length: load.perSender }, (_, index) => publishPacket(load, sender, index))
  );
  const total = packets.flat().reduce((sum, packet) => sum + packet.length, 0);
  const counters = conns.map(() => new ByteCounter(total));
  const seconds = await runLoad(conns.map((conn, i) => ({
    conn,
    packets: packets[i] ?? [],
    counter: counters[i] as ByteCounter,
  })));
  for (const counter of counters) checkComplete(load, textsInMqtt(counter.chunks));
  conns.forEach((conn) => conn.close());
  return seconds;
}

/** Runs the load through our server over TLS. */
export async function throughServer(
  load: Load,
  certificate: TestCertificate,
): Promise<Measurement> {
  await using server = await startModule("server/main.ts", [
    ...["--port", "0", "--certfile", certificate.certFile, "--keyfile", certificate.keyFile],
    ...["--rate-limit", "off", "--max-per-address", "off", "--metrics-interval", "0"],
  ]);
  const rsa = await generateRsaKeyPair();
  const members: Member[] = [];
  for (let i = 0; i < load.members; i++) {
    members.push(await join(await connectTls(server.port, certificate.cert), rsa, i));
  }
  for (const [i, member] of members.entries()) await settle(member, load.members - i);
  const packets = members.slice(0, load.senders).map(({ cipher }, sender) =>
    Array.from(
      { length: load.perSender },
      (_, index) =>
        sealed(cipher, {
          ...{ kind: "chat", id: index + 1, room: (members[sender] as Member).room },
          ...{ text: textOf(load, sender, index), action: false, reply: 0 },
        }),
    )
  );
  const expected = expectedBytes(load, members);
  const counters = members.map(() =>
    new FrameCounter((frames, bytes) => bytes - frames * RECORD_OVERHEAD >= expected)
  );
  const cpuBefore = server.cpuMs();
  const seconds = await runLoad(members.map(({ conn }, i) => ({
    conn,
    packets: packets[i] ?? [],
    counter: counters[i] as FrameCounter,
  })));
  const measured = { seconds, cpuMs: server.cpuMs() - cpuBefore, peakMemory: server.peakMemory() };
  counters.forEach((counter, i) => checkComplete(load, textsIn(counter, members[i] as Member)));
  members.forEach(({ conn }) => conn.close());
  return measured;
}

function connectTls(port: number, cert: string): Promise<Deno.TlsConn> {
  return Deno.connectTls({ hostname: "localhost", port, caCerts: [cert] });
}

async function join(conn: Deno.Conn, rsa: RsaKeyPair, index: number): Promise<Member> {
  const handshake = await ClientHandshake.start({ rsa });
  await writeAll(conn, encodeFrame(handshake.firstMessage));
  const { keys } = await handshake.receive(await readFrame(conn));
  const cipher = new SessionCipher(keys, { role: "client", now: () => performance.now() });
  await writeAll(
    conn,
    sealed(cipher, {
      ...{ kind: "hello", name: `member${index}`, rooms: [["bench", 0]] },
      ...{ token: null, session: null, secret: null },
    }),
  );
  const batches = new BatchReader();
  // welcome, entered, joined and members, in one record or several.
  const events: Event[] = [];
  while (events.length < 4) events.push(...await readEvents({ conn, cipher, batches }));
  const [welcome, entered] = events;
  if (welcome?.kind !== "welcome" || entered?.kind !== "entered") {
    throw new Error("the server did not welcome a member");
  }
  return { conn, cipher, batches, welcome, room: entered.room };
}

/** Reads the announcements of the members that came later. */
async function settle(member: Member, members: number): Promise<void> {
  for (let seen = 1; seen < members;) seen += (await readEvents(member)).length;
}

async function readEvents(
  { conn, cipher, batches }: Pick<Member, "conn" | "cipher" | "batches">,
): Promise<Event[]> {
  return batches.push(cipher.open(await readFrame(conn))).map(decodeEvent);
}

function sealed(cipher: SessionCipher, request: Request): Uint8Array {
  return cipher.seal(packBatches([frameBody(encodeRequest(request))])[0] ?? []);
}

/** Bytes of all bodies of the load: places and sequences are dealt out in some order, but each once. */
function expectedBytes(load: Load, members: readonly Member[]): number {
  const firstAt = members.length + 1;
  let bytes = 0;
  for (let n = 0; n < load.senders * load.perSender; n++) {
    const sender = n % load.senders;
    const index = Math.floor(n / load.senders);
    bytes += framedBytes(frameBody(encodeEvent({
      ...{ kind: "chat", at: firstAt + n, client: (members[sender] as Member).welcome.client },
      ...{ name: `member${sender}`, time: Date.now(), request: index + 1, sequence: n + 1 },
      ...{ text: textOf(load, sender, index), room: (members[sender] as Member).room },
      ...{ action: false, reply: 0 },
    })));
  }
  return bytes;
}

function textsIn(counter: FrameCounter, { cipher, batches }: Member): string[] {
  const reader = new FrameReader();
  const texts: string[] = [];
  for (const chunk of counter.chunks) {
    for (const frame of reader.push(chunk)) {
      for (const body of batches.push(cipher.open(frame))) {
        const event = decodeEvent(body);
        if (event.kind === "chat") texts.push(event.text);
      }
    }
  }
  return texts;
}

async function readFrame(conn: Deno.Conn): Promise<Uint8Array> {
  const header = await readExactly(conn, 4);
  return await readExactly(conn, new DataView(header.buffer).getUint32(0));
}

async function readExactly(conn: Deno.Conn, length: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length;) {
    const count = await conn.read(bytes.subarray(at));
    if (count === null) throw new Error("the link ended in a frame");
    at += count;
  }
  return bytes;
}
