// The metrics as a page in Prometheus' text format. No names of people or rooms, no addresses.

import { COUNTER_ROWS, type CounterName, type CounterRow, type Counters } from "./counters.ts";
import type { Histogram } from "./histogram.ts";
import type { Gauges, Metrics } from "./metrics.ts";

/** Who is connected, by kind. */
export interface Census {
  /** Members by their connection; `away` are those whose session is held. */
  readonly members: Readonly<Record<"v1" | "v2" | "away", number>>;
  readonly rooms: Readonly<Record<string, number>>;
}

/** The measurements of a cluster. */
export interface ClusterView {
  /** Whether NATS can be reached. */
  readonly isUp: boolean;
  /** Connections to NATS since the first one. */
  readonly reconnects: number;
  /** Operations that NATS refused, by kind. */
  readonly refused: Readonly<Record<string, number>>;
  /** Other servers. */
  readonly others: readonly unknown[];
  /** Messages under another cluster key. */
  readonly foreignMessages: number;
}

/** The values of a page. */
export interface MetricsView {
  readonly version: string;
  /** Seconds since 1970, and since the start. */
  readonly startedAt: number;
  readonly uptime: number;
  readonly metrics: Metrics;
  readonly gauges: Gauges;
  readonly census: Census;
  readonly stopping: boolean;
  /** When the certificate expires, in seconds since 1970; undefined without TLS. */
  readonly certificateExpiresAt?: number | undefined;
  /** Undefined = the server is alone. */
  readonly cluster: ClusterView | undefined;
  /** Bytes of the process, and of the JavaScript heap in use. */
  readonly memory: { readonly rss: number; readonly heapUsed: number };
}

/** The media type of the page. */
export const METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8";

interface Family {
  readonly name: string;
  readonly type: "counter" | "gauge";
  readonly help: string;
}

/** One value, or one for each value of one label. */
type Values = number | { readonly label: string; readonly by: Readonly<Record<string, number>> };

/** The page. */
export function prometheusPage(view: MetricsView): string {
  const page = new Page();
  for (const [name, help, values] of gaugesOf(view)) {
    page.add({ name, type: "gauge", help }, values);
  }
  const handshakes = { name: "cmdchat_handshakes_total", help: "Handshakes by how they ended." };
  page.add({ ...handshakes, type: "counter" }, { label: "result", by: view.metrics.handshakes });
  for (const [name, { help, values }] of counterFamilies(view.metrics.counters)) {
    page.add({ name, type: "counter", help }, values);
  }
  for (const [family, values] of clusterFamilies(view.cluster)) page.add(family, values);
  page.histogram(
    "cmdchat_delivery_seconds",
    "From a message queued for a client to the end of its write.",
    view.metrics.delivery,
  );
  page.histogram("cmdchat_event_loop_lag_seconds", "Lateness of the event loop.", view.metrics.lag);
  return page.text;
}

function gaugesOf(view: MetricsView): readonly (readonly [string, string, Values])[] {
  const { gauges, census, memory, certificateExpiresAt: expires } = view;
  const help = "Expiry of the certificate, since 1970.";
  return [
    ...(expires === undefined
      ? []
      : [["cmdchat_certificate_expiry_timestamp_seconds", help, expires] as const]),
    ["cmdchat_build_info", "Constant 1.", { label: "version", by: { [view.version]: 1 } }],
    ["process_start_time_seconds", "Start, since 1970.", view.startedAt],
    ["cmdchat_uptime_seconds", "Seconds since the start.", view.uptime],
    ["process_resident_memory_bytes", "Memory of the process.", memory.rss],
    ["cmdchat_heap_used_bytes", "JavaScript heap in use.", memory.heapUsed],
    ["cmdchat_stopping", "1 while the server stops.", view.stopping ? 1 : 0],
    ["cmdchat_connections", "Connections and held sessions.", gauges.connections],
    ["cmdchat_members", "Members of rooms.", { label: "connection", by: census.members }],
    ["cmdchat_rooms", "Rooms with members.", { label: "kind", by: census.rooms }],
    ["cmdchat_sealed_bytes", "Bytes of sealed frames kept.", gauges.sealedBytes],
    ["cmdchat_outbox_bytes", "Bytes that wait for clients.", gauges.outboxBytes],
  ];
}

function clusterFamilies(
  cluster: ClusterView | undefined,
): readonly (readonly [Family, Values])[] {
  if (cluster === undefined) return [];
  const { isUp, reconnects, refused, others, foreignMessages } = cluster;
  const gauge = (name: string, help: string) => ({ name, type: "gauge", help }) as const;
  const counter = (name: string, help: string) => ({ name, type: "counter", help }) as const;
  return [
    [gauge("cmdchat_nats_up", "1 while NATS can be reached."), isUp ? 1 : 0],
    [counter("cmdchat_nats_reconnects_total", "Connections to NATS since the first."), reconnects],
    [
      counter("cmdchat_nats_refused_total", "Operations that NATS refused."),
      { label: "kind", by: refused },
    ],
    [gauge("cmdchat_cluster_servers", "Other servers of the cluster."), others.length],
    [
      counter("cmdchat_cluster_foreign_total", "Messages under another cluster key."),
      foreignMessages,
    ],
  ];
}

interface CounterFamily {
  readonly help: string;
  readonly values: Values;
}

function counterFamilies(counters: Counters): Map<string, CounterFamily> {
  const rows = Object.entries(COUNTER_ROWS) as [CounterName, CounterRow][];
  const families = new Map<string, CounterFamily>();
  for (const [counter, { family, kind, help }] of rows) {
    const value = counters[counter];
    if (kind === undefined) families.set(family, { help, values: value });
    else {
      const values = families.get(family)?.values;
      const by = typeof values === "object" ? values.by : {};
      families.set(family, { help, values: { label: "kind", by: { ...by, [kind]: value } } });
    }
  }
  return families;
}

class Page {
  #lines: string[] = [];

  get text(): string {
    return `${this.#lines.join("\n")}\n`;
  }

  add(family: Family, values: Values): void {
    const { name } = family;
    this.#head(family);
    if (typeof values === "number") return void this.#lines.push(`${name} ${values}`);
    for (const [key, value] of Object.entries(values.by)) {
      this.#lines.push(`${name}{${values.label}="${key}"} ${value}`);
    }
  }

  histogram(name: string, help: string, histogram: Histogram): void {
    this.#head({ name, type: "histogram", help });
    const { cumulative } = histogram;
    for (const [index, bound] of [...histogram.bounds, "+Inf"].entries()) {
      this.#lines.push(`${name}_bucket{le="${bound}"} ${cumulative[index]}`);
    }
    this.#lines.push(`${name}_sum ${histogram.sum}`, `${name}_count ${cumulative.at(-1)}`);
  }

  #head({ name, type, help }: Omit<Family, "type"> & { readonly type: string }): void {
    this.#lines.push(`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`);
  }
}
