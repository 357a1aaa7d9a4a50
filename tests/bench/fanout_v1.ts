// Row fanout-v1: 100 members over TCP, 10 senders, one AES-GCM for each delivery.

import { decodeBase64 } from "../../shared/base64.ts";
import { generateRsaKeyPair, publicKeyToPem, unwrapKey } from "../../shared/crypto/rsa.ts";
import { encodeFrame, FrameReader } from "../../shared/frame.ts";
import { decodeJson, encodeJson, WireV1 } from "../../shared/wire_v1.ts";
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
import { startModule } from "./processes.ts";
import type { Row } from "./row.ts";

interface Member {
  readonly conn: Deno.TcpConn;
  readonly key: Uint8Array;
  readonly wire: WireV1;
}

const SERVER_ARGS = [
  ...["--port", "0", "--rate-limit", "off", "--max-per-address", "off", "--metrics-interval", "0"],
];
// Frames of this length on the wire are what v1 makes of a message of 100 bytes.
const FRAME_BYTES = 410;

/** Measures the row. */
export async function fanoutV1(): Promise<Row> {
  const load = FAN_OUT;
  const reference = await rawWrites(load);
  const ours = await relayed(load);
  const deliveries = load.members * load.senders * load.perSender;
  return {
    row: "fanout-v1",
    value: deliveries / ours.seconds,
    unit: "deliveries/s",
    reference: `raw unbatched TCP writes of ${FRAME_BYTES} bytes in Deno, the same number of them`,
    referenceValue: deliveries / reference,
    goal: { of: "ratio", limit: 0.2, better: "more" },
    notes: [
      `${load.members} members, ${load.senders} senders, ${load.messageBytes}-byte messages, ${deliveries} deliveries`,
      `${(1e6 * ours.seconds / deliveries).toFixed(1)} µs a delivery, of it ${
        (1e3 * ours.cpuMs / deliveries).toFixed(1)
      } µs of the server's CPU time`,
      `peak memory of the server ${(ours.peakMemory / 1_048_576).toFixed(0)} MiB`,
      "each member's messages were opened afterwards: every one there once, each sender's in order",
    ],
  };
}

async function rawWrites(load: Load): Promise<number> {
  const writes = load.senders * load.perSender;
  const args = [load.members, writes, FRAME_BYTES].map(String);
  await using server = await startModule("tests/bench/raw_writer.ts", args);
  const conns = await Promise.all(
    Array.from({ length: load.members }, () => Deno.connect({ port: server.port })),
  );
  const total = writes * FRAME_BYTES;
  const seconds = await runLoad(conns.map((conn, i) => ({
    conn,
    packets: i === 0 ? [new Uint8Array(1)] : [],
    counter: new ByteCounter(total),
  })));
  conns.forEach((conn) => conn.close());
  return seconds;
}

async function relayed(
  load: Load,
): Promise<{ seconds: number; peakMemory: number; cpuMs: number }> {
  await using server = await startModule("server/main.ts", SERVER_ARGS);
  const rsa = await generateRsaKeyPair();
  const members: Member[] = [];
  for (let i = 0; i < load.members; i++) members.push(await join(server.port, rsa, i));
  // Everyone's arrival has been announced to everyone before the clock runs.
  await Promise.all(members.map((member, i) => settle(member, load.members - i + 1)));
  const sealed = members.slice(0, load.senders).map(({ wire }, sender) =>
    Array.from(
      { length: load.perSender },
      (_, index) => wire.seal([encodeJson({ type: "chat", message: textOf(load, sender, index) })]),
    )
  );
  const total = load.senders * load.perSender;
  const counters = members.map(() => new FrameCounter((frames) => frames === total));
  const cpuBefore = server.cpuMs();
  const seconds = await runLoad(members.map(({ conn }, i) => ({
    conn,
    packets: sealed[i] ?? [],
    counter: counters[i] as FrameCounter,
  })));
  const result = { seconds, peakMemory: server.peakMemory(), cpuMs: server.cpuMs() - cpuBefore };
  counters.forEach((counter, i) =>
    checkComplete(load, textsIn(counter, (members[i] as Member).wire))
  );
  members.forEach(({ conn }) => conn.close());
  return result;
}

async function join(port: number, rsa: CryptoKeyPair, index: number): Promise<Member> {
  const conn = await Deno.connect({ port });
  conn.setNoDelay(true);
  await writeAll(
    conn,
    encodeFrame(encodeJson({
      ...{
        type: "handshake",
        public_key: await publicKeyToPem(rsa.publicKey),
        name: `member${index}`,
      },
      ...{ room: "bench", token: null, renderer: "json", buffer_size: 10 },
    })),
  );
  // One frame, byte by byte if need be, so that nothing of the next is swallowed.
  const answer = decodeJson(await readOneFrame(conn)) as { encrypted_key: string };
  const key = await unwrapKey(rsa.privateKey, decodeBase64(answer.encrypted_key) as Uint8Array);
  return { conn, key, wire: new WireV1(key) };
}

async function readOneFrame(conn: Deno.Conn): Promise<Uint8Array> {
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

async function settle({ conn }: Member, frames: number): Promise<void> {
  for (let i = 0; i < frames; i++) await readOneFrame(conn);
}

function textsIn(counter: FrameCounter, wire: WireV1): string[] {
  const reader = new FrameReader();
  const texts: string[] = [];
  for (const chunk of counter.chunks) {
    for (const frame of reader.push(chunk)) {
      texts.push((wire.open(frame) as { message: string }).message);
    }
  }
  return texts;
}
