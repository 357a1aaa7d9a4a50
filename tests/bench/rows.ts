// The rows of the benchmark by their names.

import { fanoutV1 } from "./fanout_v1.ts";
import { fanoutV2Tls } from "./fanout_v2.ts";
import type { Size } from "./load.ts";
import type { Row } from "./row.ts";

/** Measures one row. */
export type Measure = (size: Size) => Promise<Row>;

/** Every row, in the order in which they are run. */
export const ROWS: Readonly<Record<string, Measure>> = {
  "fanout-v2-tls": fanoutV2Tls,
  "fanout-v1": fanoutV1,
};
