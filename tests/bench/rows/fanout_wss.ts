// Row fanout-wss: the load of fanout-v2-tls carried by WebSocket, beside the same load over TLS alone.

import { makeCertificate } from "../../helpers/system/certificates.ts";
import { FAN_OUT, type Size } from "../load/load.ts";
import type { Row } from "../row.ts";
import { rowBeside, throughServer, throughWebSocket } from "./fanout_v2.ts";

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
