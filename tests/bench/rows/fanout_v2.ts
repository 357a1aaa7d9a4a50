// Rows fanout-v2-tls and fanout-v2: one load, ours beside brokers and chat servers in C and Go over TLS.

import { frameBody, framedBytes } from "../../../shared/channel/record_batch.ts";
import { decodeEvent, encodeEvent } from "../../../shared/messages/codec_v2.ts";
import { makeCertificate, type TestCertificate } from "../../helpers/system/certificates.ts";
import {
  checkComplete,
  connectTo,
  cpuOf,
  deliveriesOf,
  describeLoad,
  FAN_OUT,
  FAN_OUT_CURVE,
  FrameCounter,
  type Load,
  type LoadMember,
  type Measurement,
  rateOf,
  runLoad,
  type Size,
  textOf,
} from "../load/load.ts";
import { throughBroker } from "../load/broker_load.ts";
import { BROKERS } from "../references/brokers.ts";
import { overWebSocket } from "../../helpers/web/web_socket_conn.ts";
import { startRelay } from "../processes.ts";
import { drawCurve, type Row } from "../row.ts";
import { joinAll, leaveAll, type V2Member } from "../load/v2_member.ts";

/** What a record adds to the bodies in it, behind its length: flags and tag. */
export const RECORD_OVERHEAD = 17;

/** Measures the row over TLS. Throws where a reference is not installed. */
export async function fanoutV2Tls(size: Size): Promise<Row> {
  await using certificate = await makeCertificate();
  const load = FAN_OUT[size];
  const references = await throughReferences(load, certificate);
  const ours = await throughServer(load, certificate);
  const row = rowBeside(references, { row: "fanout-v2-tls", limit: 1, load, ours });
  const curve: [number, number][] = [[load.members, rateOf(ours)]];
  for (const other of FAN_OUT_CURVE[size]) {
    curve.push([other.members, rateOf(await throughServer(other, certificate))]);
  }
  const notes = [await coldNote(load, certificate), ...drawCurve("deliveries/s by members", curve)];
  return { ...row, notes: [...row.notes, ...notes] };
}

/** Measures the row over TCP, where the session alone encrypts; the references need TLS for that. */
export async function fanoutV2(size: Size): Promise<Row> {
  await using certificate = await makeCertificate();
  const load = FAN_OUT[size];
  const references = await throughReferences(load, certificate);
  const ours = await throughServer(load);
  const row = rowBeside(references, { row: "fanout-v2", limit: 1.2, load, ours });
  return { ...row, notes: [...row.notes, await coldNote(load)] };
}

async function coldNote(load: Load, certificate?: TestCertificate): Promise<string> {
  const cold = await throughRoom(load, certificate, { isCold: true });
  return `ours without a warm-up, in a fresh process: ${describeMeasured(cold)}`;
}

/** What a load took elsewhere, by its name. */
export type References = readonly (readonly [string, Measurement])[];

async function throughReferences(load: Load, certificate: TestCertificate): Promise<References> {
  const references: [string, Measurement][] = [];
  for (const kind of BROKERS) {
    references.push([`${kind.says} over TLS`, await throughBroker(kind, load, certificate)]);
  }
  return references;
}

/** The row of a load that was measured here and elsewhere: beside the fastest, and no dearer than the cheapest. */
export function rowBeside(references: References, { row, limit, load, ours, dearer = 1 }: {
  readonly row: string;
  /** The least that our deliveries a second must be of the fastest reference's. */
  readonly limit: number;
  readonly load: Load;
  readonly ours: Measurement;
  /** How many times the CPU time of the cheapest reference a delivery may take. */
  readonly dearer?: number;
}): Row {
  const least = (key: (measured: Measurement) => number) =>
    references.reduce((a, b) => key(b[1]) < key(a[1]) ? b : a);
  const [fastestName, fastest] = least(({ deliveries, seconds }) => seconds / deliveries);
  const [cheapestName, cheapest] = least(cpuOf);
  return {
    row,
    value: rateOf(ours),
    unit: "deliveries/s",
    reference: `${fastestName}, the same load`,
    referenceValue: rateOf(fastest),
    goal: { of: "ratio", limit, better: "more" },
    conditions: [{
      text: `CPU time of a delivery ${cpuOf(ours).toFixed(2)} µs, ` +
        `${cheapestName} ${cpuOf(cheapest).toFixed(2)} µs`,
      met: cpuOf(ours) <= dearer * cpuOf(cheapest),
    }],
    notes: [
      describeLoad(load),
      ...references.map(([name, measured]) => `${name}: ${describeMeasured(measured)}`),
      `ours: ${describeMeasured(ours)}`,
      "all were opened afterwards: at every member, once, in one order",
    ],
  };
}

function describeMeasured(measured: Measurement): string {
  return `${Math.round(rateOf(measured)).toLocaleString("en-US")} deliveries/s, ` +
    `${cpuOf(measured).toFixed(2)} µs of CPU time each, ` +
    `peak memory ${(measured.peakMemory / 1_048_576).toFixed(0)} MiB`;
}

/** Runs the load through our server, over TLS where there is a certificate. */
export function throughServer(load: Load, certificate?: TestCertificate): Promise<Measurement> {
  return throughRoom(load, certificate);
}

/** The same load, carried by WebSocket. */
export function throughWebSocket(load: Load, certificate: TestCertificate): Promise<Measurement> {
  return throughRoom(load, certificate, { over: overWebSocket });
}

/** How our server is measured. */
interface Measuring {
  /** Whether the first load of the process counts, and not the second: V8 compiles while the first is served. */
  readonly isCold?: boolean;
  readonly over?: (conn: Deno.Conn) => Promise<Deno.Conn>;
}

async function throughRoom(
  load: Load,
  certificate: TestCertificate | undefined,
  { isCold = false, over = (conn) => Promise.resolve(conn) }: Measuring = {},
): Promise<Measurement> {
  await using server = await startRelay(certificate, { args: ["--web-only-socket"] });
  const connect = async () => await over(await connectTo(server.port, certificate?.cert));
  const run = async (room: string) => {
    const members = await joinAll({ count: load.members, room, connect });
    const { members: loads, check } = roomLoad(load, members);
    const cpuBefore = server.cpuMs();
    const seconds = await runLoad(loads);
    const cpuMs = server.cpuMs() - cpuBefore;
    const peakMemory = server.peakMemory();
    await check();
    return { deliveries: deliveriesOf(load), seconds, cpuMs, peakMemory };
  };
  if (!isCold) await run("warm-up");
  return await run("bench");
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
      await leaveAll(members);
    },
  };
}

function sealTexts(load: Load, member: V2Member, sender: number): Uint8Array[] {
  return Array.from(
    { length: load.perSender },
    (_, index) => sealText(load, member, { sender, index }),
  );
}

/** One text as a record. */
export function sealText(
  load: Load,
  member: V2Member,
  { sender, index }: { readonly sender: number; readonly index: number },
): Uint8Array {
  return member.seal({
    kind: "chat",
    id: index + 1,
    room: member.entered.room,
    text: textOf(load, sender, index),
    action: false,
    reply: 0,
  });
}

/** Bytes of all bodies of the load: places and sequences are dealt out in some order, but each once. */
function expectedBytes(load: Load, members: readonly V2Member[]): number {
  let bytes = 0;
  for (let place = 0; place < load.senders * load.perSender; place++) {
    const sender = place % load.senders;
    const index = Math.floor(place / load.senders);
    bytes += bytesOfText(load, members, { sender, index, place });
  }
  return bytes;
}

/** Bytes of the body of one text, `place` of them having come before it in the room. */
export function bytesOfText(
  load: Load,
  members: readonly V2Member[],
  { sender, index, place }: {
    readonly sender: number;
    readonly index: number;
    readonly place: number;
  },
): number {
  const { welcome, entered } = members[sender] as V2Member;
  return framedBytes(frameBody(encodeEvent({
    kind: "chat",
    at: members.length + 1 + place,
    client: welcome.client,
    name: entered.name,
    room: entered.room,
    time: Date.now(),
    request: index + 1,
    sequence: place + 1,
    text: textOf(load, sender, index),
    action: false,
    reply: 0,
  })));
}

// A ping in between was counted as bytes of the load: then the last of these are still to be read.
/** The next `count` texts at a member. Throws where anything else is among them. */
export async function textsAt(member: V2Member, count: number): Promise<string[]> {
  return (await member.take(count)).map((body) => {
    const event = decodeEvent(body);
    if (event.kind !== "chat") {
      throw new Error(`a member got ${event.kind} in the middle of a load`);
    }
    return event.text;
  });
}
