// Rows fanout-wss and idle-memory-wss: what WebSocket costs, beside the same without it.

import { makeCertificate } from "../../helpers/system/certificates.ts";
import { FAN_OUT, type Size } from "../load/load.ts";
import type { Row } from "../row.ts";
import { rowBeside, throughServer, throughWebSocket } from "./fanout_v2.ts";
import { startRelay } from "../processes.ts";
import { type CrowdSize, perConnection } from "./idle_memory.ts";

// A frame and its mask are work that TLS alone does not have.
const DEARER = 1.25;

/** Measures the row. */
export async function fanoutWss(size: Size): Promise<Row> {
  await using certificate = await makeCertificate();
  const load = FAN_OUT[size];
  const reference = await throughServer(load, certificate);
  const ours = await throughWebSocket(load, certificate);
  const references = [["session v2 over TLS", reference]] as const;
  return rowBeside(references, { row: "fanout-wss", limit: 0.8, load, ours, dearer: DEARER });
}

const SIZES: Readonly<Record<Size, CrowdSize>> = {
  full: { connections: 5_000, first: 100, perRoom: 100, looks: 40 },
  tiny: { connections: 20, first: 10, perRoom: 5, looks: 2 },
};
// What reader and writer of frames may hold.
const MORE_KIB = 2;
const FURTHER_HANDLES = 500;

/** Measures the row. */
export async function idleMemoryWss(size: Size): Promise<Row> {
  const amount = SIZES[size];
  const measure = async (webSocket: boolean) => {
    const args = ["--web-only-socket", "--max-connections", `${2 * amount.connections}`];
    const handles = amount.connections + FURTHER_HANDLES;
    await using server = await startRelay(undefined, { args, handles });
    return await perConnection(server, { amount, raw: false, webSocket }) / 1_024;
  };
  const reference = await measure(false);
  const ours = await measure(true);
  return {
    row: "idle-memory-wss",
    value: ours,
    unit: "KiB a connection",
    reference: "all of a v2 member without WebSocket",
    referenceValue: reference,
    goal: { of: "value", limit: reference + MORE_KIB, better: "less" },
    notes: [
      `${amount.connections} v2 members that say nothing, ${
        (ours - reference).toFixed(1)
      } KiB more each`,
    ],
  };
}
