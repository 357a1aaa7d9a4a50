// Row growth: what a delivery costs in larger rooms, in more rooms, and after more messages. Linear growth: the same.

import { makeCertificate } from "../../helpers/system/certificates.ts";
import { throughRooms } from "./fanout_v2.ts";
import { deliveriesOf, type Load, type Size } from "../load/load.ts";
import { drawCurve, type Row } from "../row.ts";

interface Step {
  readonly load: Load;
  readonly rooms: number;
}

type Growth = readonly [title: string, sizeOf: (step: Step) => number, steps: readonly Step[]];

const BYTES = { messageBytes: 100 } as const;

function step(members: number, senders: number, perSender: number, rooms = 1): Step {
  return { load: { members, senders, perSender, ...BYTES }, rooms };
}

// All rooms together make as many deliveries at each step, but for the messages.
const GROWTHS: Readonly<Record<Size, readonly Growth[]>> = {
  full: [
    ["members", ({ load }) => load.members, [
      step(50, 10, 400),
      step(150, 10, 133),
      step(450, 10, 44),
    ]],
    ["rooms", ({ rooms }) => rooms, [
      step(10, 2, 900, 5),
      step(10, 2, 300, 15),
      step(10, 2, 100, 45),
    ]],
    ["messages", ({ load }) => load.senders * load.perSender, [
      step(100, 10, 100),
      step(100, 10, 300),
      step(100, 10, 900),
    ]],
  ],
  tiny: [["members", ({ load }) => load.members, [step(3, 2, 5), step(6, 2, 5)]]],
};

/** Measures the row. */
export async function growth(size: Size): Promise<Row> {
  await using certificate = await makeCertificate();
  const notes: string[] = [];
  let worst = 0;
  for (const [title, sizeOf, steps] of GROWTHS[size]) {
    const costs: [number, number][] = [];
    for (const { load, rooms } of steps) {
      const { cpuMs } = await throughRooms(load, certificate, { count: rooms, isCold: true });
      costs.push([sizeOf({ load, rooms }), 1e3 * cpuMs / (rooms * deliveriesOf(load))]);
    }
    notes.push(...drawCurve(`µs of CPU time a delivery by ${title}`, costs));
    const values = costs.map(([, cost]) => cost);
    worst = Math.max(worst, (values.at(-1) ?? NaN) / (values[0] ?? NaN));
  }
  return {
    row: "growth",
    value: worst || 1,
    unit: "times the cost of a delivery at the smallest size",
    reference: "the smallest size of each",
    referenceValue: undefined,
    goal: { of: "value", limit: 1.2, better: "less" },
    notes,
  };
}
