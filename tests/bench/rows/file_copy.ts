// Row file-10mb: a file through the server to one member, both over TLS, beside a copy over one TLS link.

import { Buffer } from "node:buffer";
import { createHash, randomBytes } from "node:crypto";
import {
  FILE_CHUNK_BYTES,
  FILE_MAX_BYTES,
  FILE_PULL_CHUNKS_MAX,
} from "../../../shared/base/limits.ts";
import type { Event } from "../../../shared/messages/messages_v2.ts";
import { frameBody, framedBytes } from "../../../shared/channel/record_batch.ts";
import { decodeEvent, encodeEvent } from "../../../shared/messages/codec_v2.ts";
import { makeCertificate, type TestCertificate } from "../../helpers/system/certificates.ts";
import { RECORD_OVERHEAD } from "./fanout_v2.ts";
import {
  ByteCounter,
  connectTls,
  FrameCounter,
  runLoad,
  type Size,
  writeAll,
} from "../load/load.ts";
import { startListening, startRelay } from "../processes.ts";
import { median, type Row } from "../row.ts";
import { joinAll, type V2Member } from "../load/v2_member.ts";

const SIZES = {
  full: { bytes: FILE_MAX_BYTES, copies: 9, isKept: true },
  tiny: { bytes: 100_000, copies: 3, isKept: true },
} as const;

const WRITE_BYTES = 65_536;

/** How much is copied, and how often. */
export interface Amount {
  readonly bytes: number;
  readonly copies: number;
  /** What comes is kept, as the load of file-10mb keeps what it opens afterwards. */
  readonly isKept: boolean;
}

/** Measures the row. */
export async function fileCopy(size: Size): Promise<Row> {
  await using certificate = await makeCertificate();
  const amount = SIZES[size];
  const reference = await rawCopies(certificate, amount);
  const plain = await plainlyRelayedCopies(certificate, amount);
  const ours = await relayedCopies(certificate, amount);
  const speed = (seconds: number) => amount.bytes / seconds / 1e6;
  return {
    row: "file-10mb",
    value: speed(ours.seconds),
    unit: "MB/s",
    reference: `a copy of as many bytes over one TLS link in Deno, in writes of ${WRITE_BYTES}`,
    referenceValue: speed(reference),
    goal: { of: "ratio", limit: 0.5, better: "more" },
    conditions: [{
      text: `what the sender writes is ${
        (100 * ours.overhead).toFixed(2)
      } % larger than the file, at most 2 %`,
      met: size === "tiny" || ours.overhead <= 0.02,
    }],
    notes: [
      `${(amount.bytes / 1e6).toFixed(1)} MB, median of ${amount.copies}: ${
        (1e3 * ours.seconds).toFixed(0)
      } ms, ${(1e3 * reference).toFixed(0)} ms raw`,
      `CPU time of the server ${ours.cpuMs.toFixed(0)} ms a file`,
      `${
        speed(plain.seconds).toFixed(0)
      } MB/s through a plain relay over node:tls in the same run, ` +
      `ratio ${(plain.seconds / ours.seconds).toFixed(2)}; its CPU time ${
        plain.cpuMs.toFixed(0)
      } ms`,
      "sealed beforehand; opened afterwards, each with the SHA-256 of what was sent",
    ],
  };
}

/** Seconds of a copy over one TLS link. */
export async function rawCopies(
  { cert, certFile, keyFile }: TestCertificate,
  amount: Amount,
): Promise<number> {
  const { bytes, copies } = amount;
  const args = [`${bytes}`, `${WRITE_BYTES}`, certFile, keyFile];
  await using server = await startListening({ path: "tests/bench/references/raw_source.ts", args });
  const conn = await connectTls(server.port, cert);
  const took: number[] = [];
  while (took.length < copies) {
    await writeAll(conn, new Uint8Array(1));
    took.push(await secondsOf(conn, amount));
  }
  conn.close();
  return median(took);
}

/** Through a relay that does nothing but pass bytes on: seconds and CPU time of a copy. */
export async function plainlyRelayedCopies(
  { cert, certFile, keyFile }: TestCertificate,
  amount: Amount,
): Promise<{ readonly seconds: number; readonly cpuMs: number }> {
  const { bytes, copies } = amount;
  const args = [certFile, keyFile];
  await using server = await startListening({ path: "tests/bench/references/tls_relay.ts", args });
  const receiver = await connectTls(server.port, cert);
  // Before this comes back, the relay could take the sender for the receiver.
  await writeAll(receiver, new Uint8Array(1));
  await receiver.read(new Uint8Array(1));
  const sender = await connectTls(server.port, cert);
  const packet = new Uint8Array(randomBytes(WRITE_BYTES));
  const took: number[] = [];
  const cpuBefore = server.cpuMs();
  while (took.length < copies) {
    const sent = (async () => {
      for (let left = bytes; left > 0; left -= WRITE_BYTES) {
        await writeAll(sender, packet.subarray(0, left));
      }
    })();
    took.push(await secondsOf(receiver, amount));
    await sent;
  }
  for (const conn of [receiver, sender]) conn.close();
  return { seconds: median(took), cpuMs: (server.cpuMs() - cpuBefore) / copies };
}

/** Seconds until so many bytes have come. */
async function secondsOf(conn: Deno.Conn, { bytes, isKept }: Amount): Promise<number> {
  if (isKept) return await runLoad([{ conn, packets: [], counter: new ByteCounter(bytes) }], 0);
  const start = performance.now();
  const buffer = new Uint8Array(WRITE_BYTES);
  for (let left = bytes; left > 0;) left -= await conn.read(buffer) ?? Infinity;
  return (performance.now() - start) / 1_000;
}

interface Copied {
  readonly seconds: number;
  readonly cpuMs: number;
  readonly overhead: number;
}

async function relayedCopies(certificate: TestCertificate, amount: Amount): Promise<Copied> {
  await using server = await startRelay(certificate);
  const connect = () => connectTls(server.port, certificate.cert);
  const members = await joinAll({ count: 2, room: "bench", connect }) as [V2Member, V2Member];
  const file = new Uint8Array(randomBytes(amount.bytes));
  const took: number[] = [];
  let written = 0;
  const cpuBefore = server.cpuMs();
  while (took.length < amount.copies) {
    const { seconds, packetBytes } = await copyOnce(members, file, took.length + 1);
    took.push(seconds);
    written = packetBytes;
  }
  const cpuMs = (server.cpuMs() - cpuBefore) / amount.copies;
  members.forEach(({ conn }) => conn.close());
  return { seconds: median(took), cpuMs, overhead: written / amount.bytes - 1 };
}

async function copyOnce([sender, receiver]: [V2Member, V2Member], file: Uint8Array, id: number) {
  await offerAndAsk(sender, receiver, { file, id });
  const packets = chunksOf(file, id).map((chunk) => sealPart(sender, receiver, chunk));
  const got: Uint8Array[] = [];
  const arrived = counterOf(chunkEvents(sender, file, id));
  const sent = (async () => {
    for (const packet of packets) await writeAll(sender.conn, packet);
  })();
  const seconds = await runLoad([{ conn: receiver.conn, packets: [], counter: arrived }], 0);
  await sent;
  await untilTaken(sender, packets.length - 1);
  receiver.open(arrived.chunks);
  for (const body of await receiver.take(packets.length)) {
    const event = decodeEvent(body);
    if (event.kind !== "chunk") throw new Error(`a receiver got ${event.kind}`);
    got.push(event.data);
  }
  if (sha256(Buffer.concat(got)) !== sha256(file)) throw new Error("the file was changed");
  return { seconds, packetBytes: packets.reduce((sum, { length }) => sum + length, 0) };
}

/** The receiver asks for the whole file beforehand: how fast it asks is the client's affair. */
async function offerAndAsk(
  sender: V2Member,
  receiver: V2Member,
  { file, id }: { readonly file: Uint8Array; readonly id: number },
): Promise<void> {
  const offer = offerOf(file, id);
  const { room } = sender.entered;
  await writeAll(sender.conn, sender.seal({ kind: "offer", id, room, ...offer }));
  await receiver.take(1);
  let questions = 0;
  for (let index = 0; index < offer.chunks; index += FILE_PULL_CHUNKS_MAX, questions++) {
    const count = Math.min(FILE_PULL_CHUNKS_MAX, offer.chunks - index);
    const to = sender.welcome.client;
    const wanted = { file: offer.file, index, count };
    await writeAll(receiver.conn, receiver.seal({ kind: "pull", room, to, ...wanted }));
  }
  // Its own offer, and every question.
  await sender.take(1 + questions);
}

function sealPart(
  sender: V2Member,
  receiver: V2Member,
  { file, index, data }: ReturnType<typeof chunksOf>[number],
): Uint8Array {
  return sender.seal({ kind: "part", to: [receiver.welcome.client], file, index, data });
}

/** What the server says of parts that it has taken: one answer stands for several. */
async function untilTaken(sender: V2Member, last: number): Promise<void> {
  for (;;) {
    const [body] = await sender.take(1);
    const event = decodeEvent(body as Uint8Array);
    if (event.kind !== "taken") throw new Error(`a sender got ${event.kind}`);
    if (event.index === last) return;
  }
}

/** Counts until all of these events are there, in whichever records. */
function counterOf(events: readonly Event[]): FrameCounter {
  const expected = events.reduce(
    (sum, event) => sum + framedBytes(frameBody(encodeEvent(event))),
    0,
  );
  return new FrameCounter((frames, bytes) => bytes - frames * RECORD_OVERHEAD >= expected);
}

function chunksOf(file: Uint8Array, id: number) {
  const count = Math.ceil(file.length / FILE_CHUNK_BYTES);
  return Array.from({ length: count }, (_, index) => ({
    file: `file ${id}`,
    index,
    last: index === count - 1,
    data: file.subarray(index * FILE_CHUNK_BYTES, (index + 1) * FILE_CHUNK_BYTES),
  }));
}

function offerOf(file: Uint8Array, id: number) {
  const chunks = Math.ceil(file.length / FILE_CHUNK_BYTES);
  const hash = createHash("sha256").update(file).digest();
  return {
    file: `file ${id}`,
    filename: "bench.bin",
    size: file.length,
    chunks,
    hash,
    to: 0,
    folder: false,
  };
}

/** What the receiver gets. */
function chunkEvents({ welcome, entered }: V2Member, file: Uint8Array, id: number): Event[] {
  const doing = {
    room: entered.room,
    client: welcome.client,
    name: entered.name,
    time: Date.now(),
  };
  return chunksOf(file, id).map((chunk) => ({ kind: "chunk", ...doing, ...chunk }));
}

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
