// Row one-to-1000: one message to a large room over TLS, from the first write to the last.
//
// A thousand readers would be the bottleneck: only some links, spread over the room's order with its first and its
// last, are read while the clock runs; what the others got is read and checked afterwards.

import { decodeEvent } from "../../../shared/messages/codec_v2.ts";
import { makeCertificate, type TestCertificate } from "../../helpers/system/certificates.ts";
import { connectTls, pause, readExactly, type Size, textOf, writeAll } from "../load/load.ts";
import { startListening, startRelay } from "../processes.ts";
import { median, type Row } from "../row.ts";
import { joinAll, type V2Member } from "../load/v2_member.ts";

const SIZES = {
  full: { members: 1_000, warmUps: 100, messages: 41 },
  tiny: { members: 10, warmUps: 2, messages: 3 },
} as const;

const SAMPLES = 20;
const MESSAGE_BYTES = 100;
// What a message of 100 bytes has as a record with all that says who, where and when.
const RECORD_BYTES = 165;
const PAUSE_MS = 20;
const READ_BYTES = 4_096;

interface Spread {
  /** Medians in ms: from the first arrival to the last, and from the sender's write to the last. */
  readonly spread: number;
  readonly whole: number;
}

/** Measures the row. */
export async function oneToMany(size: Size): Promise<Row> {
  await using certificate = await makeCertificate();
  const { members, messages } = SIZES[size];
  const reference = await rawWrites(certificate, SIZES[size]);
  const ours = await relayed(certificate, SIZES[size]);
  return {
    row: "one-to-1000",
    value: ours.spread,
    unit: "ms",
    reference: `${members} raw TLS writes of ${RECORD_BYTES} bytes in Deno`,
    referenceValue: reference.spread,
    goal: { of: "ratio", limit: 1.5, better: "less" },
    notes: [
      `one message of ${MESSAGE_BYTES} bytes to ${members} members over TLS, median of ${messages} after ${
        SIZES[size].warmUps
      } that do not count`,
      `from the sender's write to the last arrival ${ours.whole.toFixed(2)} ms, raw ${
        reference.whole.toFixed(2)
      } ms`,
      "afterwards every member's messages were opened: each there, once, in order",
    ],
  };
}

interface Amount {
  readonly members: number;
  /** Messages before those that count: V8 compiles while it works. */
  readonly warmUps: number;
  readonly messages: number;
}

async function rawWrites(
  { cert, certFile, keyFile }: TestCertificate,
  { members, ...messages }: Amount,
): Promise<Spread> {
  const args = [`${members}`, "1", `${RECORD_BYTES}`, certFile, keyFile];
  await using server = await startListening({ path: "tests/bench/references/raw_writer.ts", args });
  const conns: Deno.Conn[] = [];
  for (let i = 0; i < members; i++) {
    const conn = await connectTls(server.port, cert);
    await conn.handshake();
    conns.push(conn);
  }
  const samples = sampled(conns);
  const go = new Uint8Array(1);
  const spread = await measure(messages, samples, {
    trigger: () => writeAll(conns[0] as Deno.Conn, go),
  });
  const silent = conns.filter((conn) => !samples.includes(conn));
  const bytes = (messages.warmUps + messages.messages) * RECORD_BYTES;
  await Promise.all(silent.map((conn) => readExactly(conn, bytes)));
  conns.forEach((conn) => conn.close());
  return spread;
}

async function relayed(
  certificate: TestCertificate,
  { members: count, ...messages }: Amount,
): Promise<Spread> {
  await using server = await startRelay(certificate);
  const connect = () => connectTls(server.port, certificate.cert);
  const members = await joinAll({ count, room: "bench", connect });
  const sender = members[0] as V2Member;
  const samples = sampled(members);
  const perSender = messages.warmUps + messages.messages;
  const load = { members: count, senders: 1, perSender, messageBytes: MESSAGE_BYTES };
  const spread = await measure(messages, samples.map(({ conn }) => conn), {
    trigger: (n) =>
      writeAll(
        sender.conn,
        sender.seal({
          kind: "chat",
          id: n + 1,
          room: sender.entered.room,
          text: textOf(load, 0, n),
          action: false,
          reply: 0,
        }),
      ),
    onChunk: (i, chunk) => samples[i]?.open([chunk]),
  });
  for (const member of members) {
    const texts = (await member.take(perSender)).map((body) => {
      const event = decodeEvent(body);
      return event.kind === "chat" ? event.text : event.kind;
    });
    if (texts.some((text, n) => text !== textOf(load, 0, n))) throw new Error("a message is wrong");
  }
  members.forEach(({ conn }) => conn.close());
  return spread;
}

function sampled<T>(all: readonly T[]): T[] {
  const count = Math.min(SAMPLES, all.length);
  return Array.from(
    { length: count },
    (_, i) => all[Math.round(i * (all.length - 1) / (count - 1))] as T,
  );
}

interface Probe {
  readonly trigger: (n: number) => Promise<void>;
  readonly onChunk?: (sample: number, chunk: Uint8Array) => void;
}

async function measure(
  { warmUps, messages }: Omit<Amount, "members">,
  samples: readonly Deno.Conn[],
  { trigger, onChunk = () => {} }: Probe,
): Promise<Spread> {
  const spreads: number[] = [];
  const wholes: number[] = [];
  for (let n = 0; n < warmUps + messages; n++) {
    const chunks = samples.map(() => new Uint8Array(READ_BYTES));
    const arrivals = Promise.all(samples.map(async (conn, i) => {
      const count = await conn.read(chunks[i] as Uint8Array);
      return { at: performance.now(), count: count ?? 0 };
    }));
    const start = performance.now();
    await trigger(n);
    const seen = await arrivals;
    // Looked at when the clock has stopped.
    seen.forEach(({ count }, i) => onChunk(i, (chunks[i] as Uint8Array).subarray(0, count)));
    const times = seen.map(({ at }) => at);
    if (n >= warmUps) {
      spreads.push(Math.max(...times) - Math.min(...times));
      wholes.push(Math.max(...times) - start);
    }
    await pause(PAUSE_MS);
  }
  return { spread: median(spreads), whole: median(wholes) };
}
