// Row growth: what a delivery costs in larger rooms, in more rooms, and after more messages. Linear growth: the same.

import { concatBytes } from "../../../shared/base/bytes.ts";
import { makeCertificate, type TestCertificate } from "../../helpers/system/certificates.ts";
import {
  checkComplete,
  connectTo,
  deliveriesOf,
  FrameCounter,
  inTime,
  type Load,
  type Size,
  writeAll,
} from "../load/load.ts";
import { joinAll, leaveAll, type V2Member } from "../load/v2_member.ts";
import { type Listening, startRelay } from "../processes.ts";
import { drawCurve, median, type Row } from "../row.ts";
import { bytesOfText, RECORD_OVERHEAD, sealText, textsAt } from "./fanout_v2.ts";

interface Step {
  readonly load: Load;
  readonly rooms: number;
}

type Growth = readonly [title: string, sizeOf: (step: Step) => number, steps: readonly Step[]];

/** As many lines come in one write. How many of them go out in one record is the server's to say, and is printed. */
const LINES_AT_ONCE = 20;
const READ_BYTES = 16_384;
const SIGNS_EVERY_MS = 10_000;
const BYTES = { messageBytes: 100 } as const;

function step(members: number, senders: number, perSender: number, rooms = 1): Step {
  return { load: { members, senders, perSender, ...BYTES }, rooms };
}

// Within a growth each member gets as many messages, but for that of these.
const GROWTHS: Readonly<Record<Size, readonly Growth[]>> = {
  full: [
    ["members", ({ load }) => load.members, [
      step(50, 10, 200),
      step(150, 10, 200),
      step(450, 10, 200),
    ]],
    ["rooms", ({ rooms }) => rooms, [
      step(10, 2, 500, 5),
      step(10, 2, 500, 15),
      step(10, 2, 500, 45),
    ]],
    ["messages", ({ load }) => load.senders * load.perSender, [
      step(100, 10, 100),
      step(100, 10, 300),
      step(100, 10, 900),
    ]],
  ],
  tiny: [["members", ({ load }) => load.members, [step(3, 2, 40), step(6, 2, 40)]]],
};

/** Measures the row. */
export async function growth(size: Size): Promise<Row> {
  await using certificate = await makeCertificate();
  const notes: string[] = [];
  const worst = { cold: 0, warm: 0 };
  const linesInRecords: number[] = [];
  for (const [title, sizeOf, steps] of GROWTHS[size]) {
    const costs = (await measureSteps(steps, certificate))
      .map((cost, i) => ({ size: sizeOf(steps[i] as Step), ...cost }));
    linesInRecords.push(...costs.map(({ linesInRecord }) => linesInRecord));
    for (const kind of ["warm", "cold"] as const) {
      const curve = costs.map((cost) => [cost.size, cost[kind]] as const);
      const which = kind === "cold" ? ", the first load of a process" : "";
      notes.push(...drawCurve(`µs of CPU time a delivery by ${title}${which}`, curve));
      worst[kind] = Math.max(worst[kind], (curve.at(-1)?.[1] ?? NaN) / (curve[0]?.[1] ?? NaN));
    }
  }
  return {
    row: "growth",
    value: worst.warm || 1,
    unit: "times the cost of a delivery at the smallest size",
    reference: "the smallest size of each",
    referenceValue: undefined,
    goal: { of: "value", limit: 1.2, better: "less" },
    notes: [
      "the second load of each process counts, at the smallest size the median of the second and " +
      `one after each larger size; by the first ones, half as long, it would be ${
        worst.cold.toFixed(2)
      } times`,
      `${LINES_AT_ONCE} messages of 100 bytes come at once, and ` +
      `${linesInRecords.map((count) => count.toFixed(1)).join(", ")} leave in a record`,
      ...notes,
    ],
  };
}

/** What a delivery costs. */
interface Cost {
  /** µs of CPU time in the first load of a process, which is half as long. */
  readonly cold: number;
  /** The same when the load comes later: the median. */
  readonly warm: number;
  /** How many messages shared a record then: the median. */
  readonly linesInRecord: number;
}

/** The smallest size is measured before and after each other one, so that all meet the same machine. */
async function measureSteps(
  [smallest, ...larger]: readonly Step[],
  certificate: TestCertificate,
): Promise<readonly Cost[]> {
  await using beside = await LoadedServer.start(smallest as Step, certificate);
  await beside.measure();
  const costs: Cost[] = [];
  for (const step of larger) {
    await using server = await LoadedServer.start(step, certificate);
    await server.measure();
    costs.push(server.cost);
    await beside.measure();
  }
  return [beside.cost, ...costs];
}

/** A process that gets the load of a step again and again, each time in new rooms. */
class LoadedServer {
  readonly #step: Step;
  readonly #server: Listening;
  readonly #certificate: TestCertificate;
  readonly #costs: number[] = [];
  readonly #linesInRecord: number[] = [];

  private constructor(step: Step, server: Listening, certificate: TestCertificate) {
    this.#step = step;
    this.#server = server;
    this.#certificate = certificate;
  }

  static async start(step: Step, certificate: TestCertificate): Promise<LoadedServer> {
    return new LoadedServer(step, await startRelay(certificate), certificate);
  }

  async measure(): Promise<void> {
    const { load } = this.#step;
    if (this.#costs.length === 0) await this.#run({ ...load, perSender: load.perSender / 2 });
    await this.#run(load);
  }

  get cost(): Cost {
    const [cold = NaN, ...warm] = this.#costs;
    return { cold, warm: median(warm), linesInRecord: median(this.#linesInRecord.slice(1)) };
  }

  async #run(load: Load): Promise<void> {
    const server = this.#server;
    const connect = () => connectTo(server.port, this.#certificate.cert);
    const rooms: Conversation[] = [];
    while (rooms.length < this.#step.rooms) {
      const room = `${this.#costs.length} ${rooms.length}`;
      rooms.push(new Conversation(load, await joinAll({ count: load.members, room, connect })));
      // Whoever waits for the other rooms reads no pings.
      for (const each of rooms) await each.giveSigns();
    }
    const before = server.cpuMs();
    await Promise.all(rooms.map((each) => each.run()));
    const cpuMs = server.cpuMs() - before;
    this.#linesInRecord.push(median(rooms.map((each) => each.linesInRecord)));
    this.#costs.push(1e3 * cpuMs / (rooms.length * deliveriesOf(load)));
    for (const each of rooms) await each.end();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server[Symbol.asyncDispose]();
  }
}

/**
 * The load of one room. One member says several lines in one write, and the next one when everybody has them: so as much
 * comes in at once, however large the room is. A server whose turn ends in between sends them in several records.
 */
class Conversation {
  readonly #load: Load;
  readonly #members: readonly V2Member[];
  readonly #counters: readonly FrameCounter[];
  readonly #buffers: readonly Uint8Array[];
  /** Bytes of all lines so far. */
  #expected = 0;
  #signsAt = performance.now();

  constructor(load: Load, members: readonly V2Member[]) {
    this.#load = load;
    this.#members = members;
    const isHere = (frames: number, bytes: number) =>
      bytes - frames * RECORD_OVERHEAD >= this.#expected;
    this.#counters = members.map(() => new FrameCounter(isHere));
    this.#buffers = members.map(() => new Uint8Array(READ_BYTES));
  }

  /** Tells the server that all members are there: nobody reads pings here. */
  async giveSigns(): Promise<void> {
    this.#signsAt = performance.now();
    await Promise.all(this.#members.map((member) => member.signOfLife()));
  }

  async run(): Promise<void> {
    const { senders, perSender } = this.#load;
    for (let index = 0; index < perSender; index += LINES_AT_ONCE) {
      for (let sender = 0; sender < senders; sender++) await this.#turn(sender, index);
      if (performance.now() - this.#signsAt > SIGNS_EVERY_MS) await this.giveSigns();
    }
  }

  async #turn(sender: number, start: number): Promise<void> {
    const load = this.#load;
    const member = this.#members[sender] as V2Member;
    const end = Math.min(start + LINES_AT_ONCE, load.perSender);
    const before = start * load.senders + sender * (end - start);
    const records: Uint8Array[] = [];
    for (let index = start; index < end; index++) {
      const place = before + index - start;
      this.#expected += bytesOfText(load, this.#members, { sender, index, place });
      records.push(sealText(load, member, { sender, index }));
    }
    const arrived = this.#members.map((_, i) => this.#readTurn(i));
    await writeAll(member.conn, concatBytes(records));
    await inTime(Promise.all(arrived));
  }

  async #readTurn(i: number): Promise<void> {
    const { conn } = this.#members[i] as V2Member;
    const buffer = this.#buffers[i] as Uint8Array;
    let isHere = false;
    while (!isHere) {
      const count = await conn.read(buffer);
      if (count === null) throw new Error("a link ended under load");
      isHere = (this.#counters[i] as FrameCounter).take(buffer.slice(0, count));
    }
  }

  /** Lines in each record that a member got. */
  get linesInRecord(): number {
    const { senders, perSender } = this.#load;
    const records = this.#counters.reduce((sum, { frames }) => sum + frames, 0);
    return this.#members.length * senders * perSender / records;
  }

  /** Opens all that came and leaves. Throws where anything is not as it must be. */
  async end(): Promise<void> {
    const { senders, perSender } = this.#load;
    const received = this.#members.map(async (member, i) => {
      member.open(this.#counters[i]?.chunks ?? []);
      return await textsAt(member, senders * perSender);
    });
    checkComplete(this.#load, await Promise.all(received));
    await leaveAll(this.#members);
  }
}
