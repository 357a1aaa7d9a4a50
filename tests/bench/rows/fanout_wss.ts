// Row fanout-wss: the load of fanout-v2-tls carried by WebSocket, beside the same load over TLS alone.

import { makeCertificate } from "../../helpers/system/certificates.ts";
import { deliveriesOf, describeLoad, FAN_OUT, type Size } from "../load/load.ts";
import type { Row } from "../row.ts";
import { type Measurement, throughServer, throughWebSocket } from "./fanout_v2.ts";

/** Measures the row. */
export async function fanoutWss(size: Size): Promise<Row> {
  await using certificate = await makeCertificate();
  const load = FAN_OUT[size];
  const reference = await throughServer(load, certificate);
  const ours = await throughWebSocket(load, certificate);
  const deliveries = deliveriesOf(load);
  const cpu = ({ cpuMs }: Measurement) => (1e3 * cpuMs / deliveries).toFixed(2);
  return {
    row: "fanout-wss",
    value: deliveries / ours.seconds,
    unit: "deliveries/s",
    reference: "session v2 over TLS, the same load",
    referenceValue: deliveries / reference.seconds,
    goal: { of: "ratio", limit: 0.8, better: "more" },
    notes: [
      describeLoad(load),
      `CPU time of a delivery: ${cpu(ours)} µs, over TLS alone ${cpu(reference)} µs`,
      `peak memory of the server ${(ours.peakMemory / 1_048_576).toFixed(0)} MiB`,
      "all were opened afterwards: at every member, once, in one order",
    ],
  };
}
