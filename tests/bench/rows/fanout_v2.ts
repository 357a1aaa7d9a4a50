// Row fanout-v2-tls: one load over TLS, ours beside mosquitto.

import { frameBody, framedBytes } from "../../../shared/channel/record_batch.ts";
import { decodeEvent, encodeEvent } from "../../../shared/messages/codec_v2.ts";
import { makeCertificate, type TestCertificate } from "../../helpers/system/certificates.ts";
import {
  ByteCounter,
  checkComplete,
  deliveriesOf,
  describeLoad,
  FAN_OUT,
  FAN_OUT_CURVE,
  FrameCounter,
  type Load,
  type LoadMember,
  runLoad,
  type Size,
  textOf,
} from "../load/load.ts";
import { publishPacket, startMosquitto, subscribe, textsInMqtt } from "../references/mosquitto.ts";
import { overWebSocket } from "../../helpers/web/web_socket_conn.ts";
import { startRelay } from "../processes.ts";
import { drawCurve, type Row } from "../row.ts";
import { joinAll, type V2Member } from "../load/v2_member.ts";

/** What a record adds to the bodies in it, behind its length: flags and tag. */
export const RECORD_OVERHEAD = 17;

/** What one run of a load took. */
export interface Measurement {
  readonly seconds: number;
  readonly cpuMs: number;
  readonly peakMemory: number;
}

/** Measures the row. Throws where mosquitto is not installed. */
export async function fanoutV2Tls(size: Size): Promise<Row> {
  await using certificate = await makeCertificate();
  const load = FAN_OUT[size];
  const reference = await throughMosquitto(load, certificate);
  const ours = await throughServer(load, certificate);
  const curve: [number, number][] = [[load.members, deliveriesOf(load) / ours.seconds]];
  for (const other of FAN_OUT_CURVE[size]) {
    const { seconds } = await throughServer(other, certificate);
    curve.push([other.members, deliveriesOf(other) / seconds]);
  }
  const row = rowOf({
    row: "fanout-v2-tls",
    reference: "mosquitto over TLS, QoS 0, the same load",
    limit: 1.5,
    load,
    measured: { ours, reference },
  });
  return { ...row, notes: [...row.notes, ...drawCurve("deliveries/s by members", curve)] };
}

/** The row of a load that was measured twice. */
export function rowOf({ row, reference, limit, load, measured }: {
  readonly row: string;
  readonly reference: string;
  /** The least that our deliveries a second must be of the reference's. */
  readonly limit: number;
  readonly load: Load;
  readonly measured: Readonly<Record<"ours" | "reference", Measurement>>;
}): Row {
  const deliveries = deliveriesOf(load);
  const { ours } = measured;
  const cpu = ({ cpuMs }: Measurement) => (1e3 * cpuMs / deliveries).toFixed(2);
  return {
    row,
    value: deliveries / ours.seconds,
    unit: "deliveries/s",
    reference,
    referenceValue: deliveries / measured.reference.seconds,
    goal: { of: "ratio", limit, better: "more" },
    notes: [
      describeLoad(load),
      `CPU time of a delivery: ${cpu(ours)} µs, of the reference ${cpu(measured.reference)} µs`,
      `peak memory of the server ${(ours.peakMemory / 1_048_576).toFixed(0)} MiB`,
      "all were opened afterwards: at every member, once, in one order",
    ],
  };
}

/** The same load through mosquitto over TLS. */
export async function throughMosquitto(
  load: Load,
  certificate: TestCertificate,
): Promise<Measurement> {
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
  const cpuBefore = broker.cpuMs();
  const seconds = await runLoad(conns.map((conn, i) => ({
    conn,
    packets: packets[i] ?? [],
    counter: counters[i] as ByteCounter,
  })));
  const measured = { seconds, cpuMs: broker.cpuMs() - cpuBefore, peakMemory: broker.peakMemory() };
  checkComplete(load, counters.map(({ chunks }) => textsInMqtt(chunks)));
  conns.forEach((conn) => conn.close());
  return measured;
}

/** Runs the load through our server over TLS. */
export function throughServer(load: Load, certificate: TestCertificate): Promise<Measurement> {
  return throughRooms(load, certificate, 1);
}

/** The same load, carried by WebSocket. */
export function throughWebSocket(load: Load, certificate: TestCertificate): Promise<Measurement> {
  return throughRooms(load, certificate, 1, overWebSocket);
}

/** The same load in several rooms at once. */
export async function throughRooms(
  load: Load,
  certificate: TestCertificate,
  count: number,
  over: (conn: Deno.Conn) => Promise<Deno.Conn> = (conn) => Promise.resolve(conn),
): Promise<Measurement> {
  await using server = await startRelay(certificate, { args: ["--web-only-socket"] });
  const connect = async () => await over(await connectTls(server.port, certificate.cert));
  const members: V2Member[][] = [];
  for (let i = 0; i < count; i++) {
    members.push(await joinAll({ count: load.members, room: `bench ${i}`, connect }));
    await Promise.all(members.flat().map((member) => member.signOfLife()));
  }
  const rooms = members.map((room) => roomLoad(load, room));
  const cpuBefore = server.cpuMs();
  const seconds = await runLoad(rooms.flatMap(({ members }) => members));
  const measured = { seconds, cpuMs: server.cpuMs() - cpuBefore, peakMemory: server.peakMemory() };
  for (const room of rooms) await room.check();
  return measured;
}

/** The members of a room with what they send and count. */
export interface RoomLoad {
  readonly members: readonly LoadMember[];
  /** Opens all that came and closes the links. Throws where anything is not as it must be. */
  readonly check: () => Promise<void>;
}

/** The part of one room in a load. */
export function roomLoad(load: Load, members: readonly V2Member[]): RoomLoad {
  const expected = expectedBytes(load, members);
  const loads = members.map((member, i) => ({
    conn: member.conn,
    packets: i < load.senders ? sealTexts(load, member, i) : [],
    counter: new FrameCounter((frames, bytes) => bytes - frames * RECORD_OVERHEAD >= expected),
  }));
  const total = load.senders * load.perSender;
  return {
    members: loads,
    async check() {
      const received = await Promise.all(members.map((member, i) => {
        member.open(loads[i]?.counter.chunks ?? []);
        return textsAt(member, total);
      }));
      checkComplete(load, received);
      members.forEach(({ conn }) => conn.close());
    },
  };
}

function sealTexts(load: Load, member: V2Member, sender: number): Uint8Array[] {
  return Array.from({ length: load.perSender }, (_, index) =>
    member.seal({
      kind: "chat",
      id: index + 1,
      room: member.entered.room,
      text: textOf(load, sender, index),
      action: false,
      reply: 0,
    }));
}

/** A TLS link to a server of this machine. */
export function connectTls(port: number, cert: string): Promise<Deno.TlsConn> {
  return Deno.connectTls({ hostname: "localhost", port, caCerts: [cert] });
}

/** Bytes of all bodies of the load: places and sequences are dealt out in some order, but each once. */
function expectedBytes(load: Load, members: readonly V2Member[]): number {
  const firstAt = members.length + 1;
  let bytes = 0;
  for (let n = 0; n < load.senders * load.perSender; n++) {
    const sender = n % load.senders;
    const index = Math.floor(n / load.senders);
    const { welcome, entered } = members[sender] as V2Member;
    bytes += framedBytes(frameBody(encodeEvent({
      kind: "chat",
      at: firstAt + n,
      client: welcome.client,
      name: entered.name,
      room: entered.room,
      time: Date.now(),
      request: index + 1,
      sequence: n + 1,
      text: textOf(load, sender, index),
      action: false,
      reply: 0,
    })));
  }
  return bytes;
}

// A ping in between was counted as bytes of the load: then the last of these are still to be read.
async function textsAt(member: V2Member, count: number): Promise<string[]> {
  return (await member.take(count)).map((body) => {
    const event = decodeEvent(body);
    if (event.kind !== "chat") {
      throw new Error(`a member got ${event.kind} in the middle of a load`);
    }
    return event.text;
  });
}
