// Row fanout-v1: 100 members over TCP, 10 senders, one AES-GCM for each delivery.

import { generateRsaKeyPair } from "../../../shared/crypto/rsa.ts";
import {
  ByteCounter,
  checkComplete,
  deliveriesOf,
  describeLoad,
  FAN_OUT,
  FAN_OUT_CURVE,
  FrameCounter,
  type Load,
  runLoad,
  type Size,
  textOf,
} from "../load/load.ts";
import { startListening, startRelay } from "../processes.ts";
import { drawCurve, type Row } from "../row.ts";
import { V1Member } from "../load/v1_member.ts";

// Frames of this length on the wire are what v1 makes of a message of 100 bytes.
const FRAME_BYTES = 410;

/** Measures the row. */
export async function fanoutV1(size: Size): Promise<Row> {
  const load = FAN_OUT[size];
  const deliveries = deliveriesOf(load);
  const reference = await rawWrites(load);
  const ours = await relayed(load);
  const curve: [number, number][] = [[load.members, deliveries / ours.seconds]];
  for (const other of FAN_OUT_CURVE[size]) {
    curve.push([other.members, deliveriesOf(other) / (await relayed(other)).seconds]);
  }
  const micros = (ms: number) => (1e3 * ms / deliveries).toFixed(1);
  return {
    row: "fanout-v1",
    value: deliveries / ours.seconds,
    unit: "deliveries/s",
    reference: `raw unbatched TCP writes of ${FRAME_BYTES} bytes in Deno, the same number of them`,
    referenceValue: deliveries / reference.seconds,
    goal: { of: "ratio", limit: 0.2, better: "more" },
    notes: [
      describeLoad(load),
      `${micros(1e3 * ours.seconds)} µs a delivery, ${micros(ours.cpuMs)} µs of it CPU time`,
      `${micros(1e3 * reference.seconds)} µs a raw write, ${
        micros(reference.cpuMs)
      } µs of it CPU time`,
      `peak memory of the server ${(ours.peakMemory / 1_048_576).toFixed(0)} MiB`,
      "all were opened afterwards: at every member, once, in one order",
      ...drawCurve("deliveries/s by members", curve),
    ],
  };
}

async function rawWrites(load: Load): Promise<{ seconds: number; cpuMs: number }> {
  const writes = load.senders * load.perSender;
  const args = [load.members, writes, FRAME_BYTES].map(String);
  await using server = await startListening({ path: "tests/bench/references/raw_writer.ts", args });
  const conns = await Promise.all(
    Array.from({ length: load.members }, () => Deno.connect({ port: server.port })),
  );
  const total = writes * FRAME_BYTES;
  const cpuBefore = server.cpuMs();
  const seconds = await runLoad(conns.map((conn, i) => ({
    conn,
    packets: i === 0 ? [new Uint8Array(1)] : [],
    counter: new ByteCounter(total),
  })));
  const cpuMs = server.cpuMs() - cpuBefore;
  conns.forEach((conn) => conn.close());
  return { seconds, cpuMs };
}

async function relayed(
  load: Load,
): Promise<{ seconds: number; peakMemory: number; cpuMs: number }> {
  await using server = await startRelay();
  const members = await joinAll(server.port, load.members);
  const sealed = members.slice(0, load.senders).map((member, sender) =>
    Array.from(
      { length: load.perSender },
      (_, index) => member.seal({ type: "chat", message: textOf(load, sender, index) }),
    )
  );
  const total = load.senders * load.perSender;
  const counters = members.map(() => new FrameCounter((frames) => frames >= total));
  const cpuBefore = server.cpuMs();
  const seconds = await runLoad(members.map(({ conn }, i) => ({
    conn,
    packets: sealed[i] ?? [],
    counter: counters[i] as FrameCounter,
  })));
  const result = { seconds, peakMemory: server.peakMemory(), cpuMs: server.cpuMs() - cpuBefore };
  checkComplete(
    load,
    await Promise.all(members.map((member, i) => {
      member.open(counters[i]?.chunks ?? []);
      return textsAt(member, total);
    })),
  );
  members.forEach(({ conn }) => conn.close());
  return result;
}

async function joinAll(port: number, count: number): Promise<V1Member[]> {
  const rsa = await generateRsaKeyPair();
  const members: V1Member[] = [];
  const settled: Promise<void>[] = [];
  for (let i = 0; i < count; i++) {
    const conn = await Deno.connect({ port });
    conn.setNoDelay(true);
    const member = await V1Member.join(conn, { rsa, name: `member${i}`, room: "bench" });
    members.push(member);
    settled.push(member.settle(count - 1 - i));
  }
  await Promise.all(settled);
  return members;
}

// A ping in between was counted as a frame of the load: then the last of these is still to be read.
async function textsAt(member: V1Member, count: number): Promise<string[]> {
  return (await member.take(count)).map(({ type, message }) => {
    if (type !== "chat") throw new Error(`a member got ${type} in the middle of a load`);
    return message ?? "";
  });
}
