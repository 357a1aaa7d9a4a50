// Row idle-memory: what a connection costs that says nothing, 10,000 of them, in rooms of 100.

import { decodeEvent } from "../../../shared/messages/codec_v2.ts";
import { pause, type Size, writeAll } from "../load/load.ts";
import {
  type Costs,
  type Listening,
  startListening,
  startProgram,
  startRelay,
} from "../processes.ts";
import { programPath } from "../../helpers/repo/system_needs.ts";
import { type BrokerKind, startBroker } from "../references/broker.ts";
import { MOSQUITTO } from "../references/mosquitto.ts";
import { NGIRCD } from "../references/ngircd.ts";
import { median, type Row } from "../row.ts";
import { joinAll, type V2Member } from "../load/v2_member.ts";

const SIZES = {
  full: { connections: 10_000, first: 100, perRoom: 100, messages: 21, looks: 40, ofOthers: 900 },
  tiny: { connections: 20, first: 10, perRoom: 5, messages: 3, looks: 2, ofOthers: 20 },
} as const;

// Servers in C, whose clients are in one room each time: what one costs does not depend on how many there are, and
// ngircd tells each of them of each other.
const OTHERS: readonly BrokerKind[] = [NGIRCD, MOSQUITTO];

// Two more members, some files of the runtime.
const FURTHER_HANDLES = 500;
// The collector takes its time; the least that is seen meanwhile is what is needed.
const QUIET_LOOK_MS = 250;
const AT_ONCE_MS = 50;

/** Measures the row. */
export async function idleMemory(size: Size): Promise<Row> {
  const amount = SIZES[size];
  const handles = amount.connections + FURTHER_HANDLES;
  await using acceptor = await startListening({
    path: "tests/bench/references/raw_acceptor.ts",
    handles,
  });
  const reference = await perConnection(acceptor, { amount, raw: true });
  const others = [];
  for (const kind of OTHERS) others.push(await noteOf(kind, amount));
  const most = ["--max-connections", `${2 * amount.connections}`];
  await using server = await startRelay(undefined, { args: most, handles });
  const began = performance.now();
  let messageMs = NaN;
  const value = await perConnection(server, {
    amount,
    raw: false,
    whileThere: async () => {
      messageMs = await messageAmong(server.port, amount.messages);
    },
  });
  return {
    row: "idle-memory",
    value: value / 1_024,
    unit: "KiB a connection",
    reference: "sockets that Deno accepted and reads into 1 KiB",
    referenceValue: reference / 1_024,
    goal: { of: "value", limit: 12, better: "less" },
    conditions: [{
      text: `a message among them arrives within ${AT_ONCE_MS} ms: ${messageMs.toFixed(2)} ms`,
      met: messageMs <= AT_ONCE_MS,
    }],
    notes: [
      `${amount.connections} v2 members in rooms of ${amount.perRoom}, resident memory beyond that of the first ${amount.first}`,
      ...others,
      `all had joined, measured and talked after ${
        ((performance.now() - began) / 1_000).toFixed(0)
      } s`,
    ],
  };
}

/** What a client costs in another server, or why that is not known. */
async function noteOf(
  kind: BrokerKind,
  { first, looks, ofOthers }: typeof SIZES[Size],
): Promise<string> {
  if (programPath(kind.program) === undefined) return `${kind.program} is not installed`;
  await using broker = await startBroker(kind);
  const crowd = (from: number, count: number) =>
    startProgram({
      path: "tests/bench/load/broker_crowd.ts",
      args: [kind.program, `${broker.port}`, `${from}`, `${count}`],
    });
  await using few = crowd(0, first);
  await few.until(new RegExp(`joined ${first}\\.`));
  const before = await quietMemory(broker, looks);
  const rest = ofOthers - first;
  await using many = crowd(first, rest);
  await many.until(new RegExp(`joined ${rest}\\.`));
  const bytes = (await quietMemory(broker, looks) - before) / rest;
  return `${kind.program}: ${
    (bytes / 1_024).toFixed(1)
  } KiB a client, ${ofOthers} of them over TCP`;
}

/** How many connections there are, and how often the server's memory is looked at. */
export interface CrowdSize {
  readonly connections: number;
  /** Those that are there already when it begins. */
  readonly first: number;
  readonly perRoom: number;
  readonly looks: number;
}

/** A crowd whose memory is measured. */
export interface Crowding {
  readonly amount: CrowdSize;
  /** Connections that only connect. */
  readonly raw: boolean;
  readonly webSocket?: boolean;
  readonly whileThere?: () => Promise<void>;
}

/** Bytes of the server's resident memory for each connection beyond the first. */
export async function perConnection(
  server: Listening,
  { amount: { connections, first, perRoom, looks }, raw, webSocket, whileThere }: Crowding,
): Promise<number> {
  const crowd = (count: number, kind: string) =>
    startProgram({
      path: "tests/bench/load/crowd.ts",
      args: [
        ...[server.port, count, perRoom].map(String),
        ...[kind, "open", ...(webSocket ? ["websocket"] : [])],
      ],
      handles: connections + FURTHER_HANDLES,
    });
  await using few = crowd(first, raw ? "raw" : "first");
  await few.until(new RegExp(`joined ${first}\\.`));
  const before = await quietMemory(server, looks);
  const rest = connections - first;
  await using many = crowd(rest, raw ? "raw" : "rest");
  await many.until(new RegExp(`joined ${rest}\\.`));
  const after = await quietMemory(server, looks);
  await whileThere?.();
  return (after - before) / rest;
}

async function quietMemory(server: Costs, looks: number): Promise<number> {
  let least = Infinity;
  for (let look = 0; look < looks; look++) {
    least = Math.min(least, server.memory());
    await pause(QUIET_LOOK_MS);
  }
  return least;
}

/** Median ms from one member's write to the other's arrival. */
async function messageAmong(port: number, messages: number): Promise<number> {
  const connect = () => Deno.connect({ port });
  const [alice, bob] = await joinAll({ count: 2, room: "talk", connect }) as [V2Member, V2Member];
  const took: number[] = [];
  for (let id = 1; id <= messages; id++) {
    const start = performance.now();
    await writeAll(
      alice.conn,
      alice.seal({
        kind: "chat",
        id,
        room: alice.entered.room,
        text: `${id}`,
        action: false,
        reply: 0,
      }),
    );
    const [body] = await bob.take(1);
    took.push(performance.now() - start);
    const event = decodeEvent(body as Uint8Array);
    if (event.kind !== "chat" || event.text !== `${id}`) throw new Error("a message is wrong");
  }
  alice.conn.close();
  bob.conn.close();
  return median(took);
}
