// The rows of the benchmark by their names.

import { cluster } from "./rows/cluster.ts";
import { fanoutSealed } from "./rows/fanout_sealed.ts";
import { fanoutV1 } from "./rows/fanout_v1.ts";
import { fanoutV2, fanoutV2Tls } from "./rows/fanout_v2.ts";
import { fileCopy } from "./rows/file_copy.ts";
import { growth } from "./rows/growth.ts";
import { handshakes } from "./rows/handshakes.ts";
import { herd } from "./rows/herd.ts";
import { idleMemory } from "./rows/idle_memory.ts";
import { fanoutWss, idleMemoryWss } from "./rows/over_web_socket.ts";
import { largeFile } from "./rows/large_file.ts";
import { latencyP99, latencyP99Tls } from "./rows/latency.ts";
import { oneToMany } from "./rows/one_to_many.ts";
import { sealedJoin, sealedMessage } from "./rows/sealed.ts";
import { startUp } from "./rows/start_up.ts";
import type { Size } from "./load/load.ts";
import type { Row } from "./row.ts";

/** Measures one row. */
export type Measure = (size: Size) => Promise<Row>;

/** Every row, in the order in which they are run. */
export const ROWS: Readonly<Record<string, Measure>> = {
  "fanout-v2-tls": fanoutV2Tls,
  "fanout-v2": fanoutV2,
  "fanout-wss": fanoutWss,
  "fanout-v1": fanoutV1,
  "one-to-1000": oneToMany,
  "latency-p99": latencyP99,
  "latency-p99-tls": latencyP99Tls,
  "idle-memory": idleMemory,
  "idle-memory-wss": idleMemoryWss,
  handshakes,
  herd,
  "file-10mb": fileCopy,
  "file-1gb": largeFile,
  "start-up": startUp,
  growth,
  "sealed-join": sealedJoin,
  "sealed-message": sealedMessage,
  "fanout-sealed": fanoutSealed,
  cluster,
};
