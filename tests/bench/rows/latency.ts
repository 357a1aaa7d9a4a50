// Rows latency-p99 and latency-p99-tls: from a sender's Enter to two other screens of a room of 200, beside the same
// members and messages at servers of others.

import { decodeEvent } from "../../../shared/messages/codec_v2.ts";
import { makeCertificate, type TestCertificate } from "../../helpers/system/certificates.ts";
import { tlsPaths } from "../load/broker_load.ts";
import { connectTo, pause, type Size, writeAll } from "../load/load.ts";
import { makeLoadKeys, V2Member } from "../load/v2_member.ts";
import { type Costs, startProgram, startRelay } from "../processes.ts";
import { type BrokerKind, startBroker } from "../references/broker.ts";
import { BROKERS } from "../references/brokers.ts";
import { quantile, type Row } from "../row.ts";

interface Amount {
  readonly members: number;
  /** Messages before those that count, five times as fast: V8 compiles while it works. */
  readonly warmUps: number;
  readonly messages: number;
  readonly everyMs: number;
}

const SIZES: Readonly<Record<Size, Amount>> = {
  full: { members: 200, warmUps: 400, messages: 600, everyMs: 50 },
  tiny: { members: 5, warmUps: 2, messages: 5, everyMs: 20 },
};

const WARM_UP_SPEED = 5;
// Sooner after each other than in the rows: what they cost the server is measured, not how long they take.
const LONE: Readonly<Record<Size, Amount>> = {
  full: { members: 200, warmUps: 500, messages: 500, everyMs: 20 },
  tiny: { members: 5, warmUps: 5, messages: 5, everyMs: 20 },
};

const MESSAGE_BYTES = 100;
const ROOM = "bench 0";
const READ_BYTES = 16_384;

/** A room that is filled: the sender, and two screens, the first and the last to be served. */
interface Filled extends AsyncDisposable {
  /** Sends message number `n`. */
  send(n: number): Promise<void>;
  /** For each screen: waits for the message that is due next, and returns its number. */
  readonly screens: readonly (() => Promise<number>)[];
  /** CPU time so far of the process that has all other members, in ms. */
  readonly crowdMs: () => number;
  /** What the sender took so far to seal, and a screen to open, in ms: for each message it is in what is measured. */
  readonly cryptoMs: () => number;
}

/** What a run of messages took. */
interface Watched {
  /** The ms of each message to each screen. */
  readonly took: readonly number[];
  /** CPU time of the crowd for each message, in ms. */
  readonly crowdMs: number;
  /** The load's own sealing and opening of each message, in ms. */
  readonly cryptoMs: number;
}

/** Measures the row over TCP. */
export function latencyP99(size: Size): Promise<Row> {
  return latency("latency-p99", SIZES[size]);
}

/** Measures the row over TLS. */
export async function latencyP99Tls(size: Size): Promise<Row> {
  await using certificate = await makeCertificate();
  return await latency("latency-p99-tls", SIZES[size], certificate);
}

/** What lone deliveries took. */
export interface LoneDeliveries {
  readonly deliveries: number;
  /** CPU time of the server. */
  readonly cpuMs: number;
  /** CPU time of its main thread a delivery, in µs, of the median message: other programs and the collector move it little. */
  readonly mainMicros: number;
  /** From before a message is sealed to after it is opened, at the first and the last member: the median and the 99th percentile. */
  readonly median: number;
  readonly p99: number;
}

/** Measures lone deliveries, over TLS or not, once the server is warm. */
export async function loneDeliveries(size: Size, overTls: boolean): Promise<LoneDeliveries> {
  await using certificate = overTls ? await makeCertificate() : undefined;
  const amount = LONE[size];
  const { members, messages, warmUps } = amount;
  await using room = await fillRelay(amount, certificate);
  await warmUp(room, amount);
  const before = room.cpuMs();
  const took: number[] = [];
  const mainMs: number[] = [];
  for (let n = warmUps; n < warmUps + messages; n++) {
    const mainBefore = room.mainThreadMs();
    took.push(...await watch(room, { ...amount, messages: 1 }, n));
    mainMs.push(room.mainThreadMs() - mainBefore);
  }
  return {
    deliveries: members * messages,
    cpuMs: room.cpuMs() - before,
    mainMicros: 1e3 * quantile(mainMs, 0.5) / members,
    median: quantile(took, 0.5),
    p99: quantile(took, 0.99),
  };
}

async function latency(row: string, amount: Amount, certificate?: TestCertificate): Promise<Row> {
  const others: [string, Watched][] = [];
  for (const kind of BROKERS) {
    others.push([kind.says, await measure(amount, await fillBroker(kind, amount, certificate))]);
  }
  const ours = await measure(amount, await fillRelay(amount, certificate));
  const p99Of = ({ took }: Watched) => quantile(took, 0.99);
  const best = others.reduce((a, b) => p99Of(b[1]) < p99Of(a[1]) ? b : a);
  return {
    row,
    value: p99Of(ours),
    unit: "ms",
    reference: `${best[0]}, the same members and messages`,
    referenceValue: p99Of(best[1]),
    goal: { of: "ratio", limit: 0.9, better: "less" },
    notes: [
      `${amount.members} members, ${
        1_000 / amount.everyMs
      } messages/s of ${MESSAGE_BYTES} bytes, ${amount.messages} of them after ${amount.warmUps} that do not count`,
      "from before it is sealed to after it is opened, at the first and the last member of the room",
      ...[...others, ["ours", ours] as const].map(([name, { took, crowdMs }]) =>
        `${name}: ${[0.5, 0.9, 0.99].map((share) => quantileText(took, share)).join(", ")}; ` +
        `its crowd used ${crowdMs.toFixed(2)} ms of CPU time a message`
      ),
      `ours: the load's own sealing and opening is ${
        ours.cryptoMs.toFixed(2)
      } ms of it, on average`,
    ],
  };
}

function quantileText(values: readonly number[], share: number): string {
  return `p${100 * share} ${quantile(values, share).toFixed(2)} ms`;
}

/** What messages take once the server is warm. */
async function measure(amount: Amount, filled: Filled): Promise<Watched> {
  await using room = filled;
  await warmUp(room, amount);
  const crowdBefore = room.crowdMs();
  const cryptoBefore = room.cryptoMs();
  const took = await watch(room, amount, amount.warmUps);
  return {
    took,
    crowdMs: (room.crowdMs() - crowdBefore) / amount.messages,
    cryptoMs: (room.cryptoMs() - cryptoBefore) / amount.messages,
  };
}

async function warmUp(room: Filled, amount: Amount): Promise<void> {
  const { warmUps: messages, everyMs } = amount;
  await watch(room, { ...amount, messages, everyMs: everyMs / WARM_UP_SPEED });
}

/** The ms of each message to each screen; the first of them has number `from`. */
async function watch(
  { screens, send }: Filled,
  { messages, everyMs }: Amount,
  from = 0,
): Promise<number[]> {
  const sent: number[] = [];
  const took: number[] = [];
  const watching = Promise.all(screens.map(async (next) => {
    for (let due = from; due < from + messages; due++) {
      const n = await next();
      const now = performance.now();
      if (n !== due) throw new Error(`message ${n} came where ${due} was due`);
      took.push(now - (sent[n - from] as number));
    }
  }));
  for (let n = from; n < from + messages; n++) {
    const due = performance.now() + everyMs;
    sent.push(performance.now());
    await send(n);
    await pause(Math.max(0, due - performance.now()));
  }
  await watching;
  return took;
}

/** The sender and a screen, then the crowd, then another screen; and the server's CPU time so far. */
async function fillRelay(
  { members }: Amount,
  certificate?: TestCertificate,
): Promise<Filled & Pick<Costs, "cpuMs" | "mainThreadMs">> {
  const server = await startRelay(certificate);
  const load = await makeLoadKeys();
  const join = async (name: string) => {
    const conn = await connectTo(server.port, certificate?.cert);
    return await V2Member.join(conn, { load, name, room: ROOM });
  };
  const sender = await join("sender");
  const first = await join("first");
  const count = members - 3;
  const args = [`${server.port}`, `${count}`, `${count}`, "bench", "drop"];
  const certFile = certificate === undefined ? [] : [certificate.certFile];
  const crowd = startProgram({
    path: "tests/bench/load/crowd.ts",
    args: [...args, ...certFile],
  });
  await crowd.until(new RegExp(`joined ${count}\\.`));
  const last = await join("last");
  void sender.drop();
  const { room } = sender.entered;
  const screens = [first, last];
  let sealingMs = 0;
  return {
    cryptoMs: () => sealingMs + meanOf(screens.map(({ openingMs }) => openingMs)),
    cpuMs: server.cpuMs,
    crowdMs: crowd.cpuMs,
    mainThreadMs: server.mainThreadMs,
    send: (n) => {
      const text = `${n}:`.padEnd(MESSAGE_BYTES, "x");
      const chat = { kind: "chat", id: n + 1, room, text, action: false, reply: 0 } as const;
      const since = performance.now();
      const record = sender.seal(chat);
      sealingMs += performance.now() - since;
      return writeAll(sender.conn, record);
    },
    screens: screens.map((screen) => () => nextMessage(screen)),
    async [Symbol.asyncDispose]() {
      for (const { conn } of [sender, first, last]) conn.close();
      await crowd[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
    },
  };
}

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

async function nextMessage(screen: V2Member): Promise<number> {
  for (;;) {
    const [body] = await screen.take(1);
    const event = decodeEvent(body as Uint8Array);
    if (event.kind === "chat") return parseInt(event.text);
  }
}

async function fillBroker(
  kind: BrokerKind,
  { members, warmUps, messages }: Amount,
  certificate?: TestCertificate,
): Promise<Filled> {
  const broker = await startBroker(kind, certificate && tlsPaths(certificate));
  const address = { port: broker.port, cert: certificate?.cert };
  const sender = await kind.join(address, 0);
  const first = await kind.join(address, 1);
  const count = members - 3;
  const crowd = startProgram({
    path: "tests/bench/load/broker_crowd.ts",
    args: [
      kind.program,
      `${broker.port}`,
      "2",
      `${count}`,
      ...(certificate === undefined ? [] : [certificate.certFile]),
    ],
  });
  await crowd.until(/joined \d+\./);
  const last = await kind.join(address, members - 1);
  const conns = [sender, first, last];
  await Promise.all(conns.map((conn) => kind.settle(conn)));
  const perSender = warmUps + messages;
  const load = { members, senders: 1, perSender, messageBytes: MESSAGE_BYTES };
  void drain(sender);
  return {
    crowdMs: crowd.cpuMs,
    // It sends what is the same each time, and counts bytes.
    cryptoMs: () => 0,
    send: (n) => writeAll(sender, kind.packet(load, 0, n)),
    screens: [first, last].map((conn) =>
      countMessages(conn, (n) => kind.deliveredBytes(load, 0, n))
    ),
    async [Symbol.asyncDispose]() {
      for (const conn of conns) conn.close();
      await crowd[Symbol.asyncDispose]();
      await broker[Symbol.asyncDispose]();
    },
  };
}

/** Tells messages by their bytes, which are known. */
function countMessages(conn: Deno.Conn, bytesOf: (n: number) => number): () => Promise<number> {
  const buffer = new Uint8Array(READ_BYTES);
  let next = 0;
  let read = 0;
  return async () => {
    const bytes = bytesOf(next);
    while (read < bytes) {
      const count = await conn.read(buffer);
      if (count === null) throw new Error("a connection ended under load");
      read += count;
    }
    read -= bytes;
    return next++;
  };
}

async function drain(conn: Deno.Conn): Promise<void> {
  const buffer = new Uint8Array(READ_BYTES);
  try {
    while (await conn.read(buffer) !== null);
  } catch {
    // The load is over.
  }
}
