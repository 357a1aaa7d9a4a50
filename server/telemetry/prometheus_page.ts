// The metrics as a page in Prometheus' text format. No names, no rooms' names, no addresses.

import type { Histogram } from "./histogram.ts";
import type { Counters, Gauges, Metrics } from "./metrics.ts";
import type { SealedCounters } from "./sealed_counters.ts";

/** Who is here, by kind. */
export interface Census {
  /** Members by how they are linked; `away` ones are held. */
  readonly members: Readonly<Record<"v1" | "v2" | "away", number>>;
  readonly rooms: Readonly<Record<string, number>>;
}

/** All that a page is made of. */
export interface MetricsView {
  readonly version: string;
  /** Seconds since 1970, and since the start. */
  readonly startedAt: number;
  readonly uptime: number;
  readonly metrics: Metrics;
  readonly gauges: Gauges;
  readonly census: Census;
  readonly stopping: boolean;
  /** Bytes of the process, and of the JavaScript heap in use. */
  readonly memory: { readonly rss: number; readonly heapUsed: number };
}

/** The media type of the page. */
export const METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8";

// Logins and rate limits stand in families of their own below.
const COUNTER_FAMILIES: readonly (readonly [string, keyof Counters, string])[] = [
  ["cmdchat_connections_accepted_total", "connectionsAccepted", "Connections let in."],
  ["cmdchat_connections_refused_total", "connectionsRefused", "Connections closed by a cap."],
  ["cmdchat_protocol_errors_total", "protocolErrors", "Clients closed for breaking the protocol."],
  ["cmdchat_messages_received_total", "messagesIn", "Messages from clients."],
  ["cmdchat_messages_sent_total", "messagesOut", "Messages queued for clients."],
  ["cmdchat_received_bytes_total", "bytesIn", "Bytes from clients, below TLS."],
  ["cmdchat_sent_bytes_total", "bytesOut", "Bytes to clients, below TLS."],
  ["cmdchat_rate_limited_total", "rateLimited", "Messages dropped by the rate limit."],
  ["cmdchat_notes_dropped_total", "notesDropped", "Notes of v1 clients that the server replaced."],
  ["cmdchat_slow_closed_total", "slowClosed", "Clients closed because they did not read."],
  ["cmdchat_silent_closed_total", "silentClosed", "Clients closed because they did not answer."],
];

const SEALED_KINDS = {
  group: "sealedGroups",
  commit: "sealedCommits",
  message: "sealedMessages",
  chunk: "sealedChunks",
  conflict: "sealedConflicts",
  void: "sealedVoids",
  eviction: "sealedEvictions",
} as const satisfies Record<string, keyof SealedCounters>;

/** The page. */
export function prometheusPage(view: MetricsView): string {
  const { metrics, gauges, census, memory } = view;
  const page = new Page();
  page.labelled("cmdchat_build_info", "gauge", "Constant 1.", "version", { [view.version]: 1 });
  page.single("process_start_time_seconds", "gauge", "Start, since 1970.", view.startedAt);
  page.single("cmdchat_uptime_seconds", "gauge", "Seconds since the start.", view.uptime);
  page.single("process_resident_memory_bytes", "gauge", "Memory of the process.", memory.rss);
  page.single("cmdchat_heap_used_bytes", "gauge", "JavaScript heap in use.", memory.heapUsed);
  page.single("cmdchat_stopping", "gauge", "1 while it stops.", view.stopping ? 1 : 0);
  page.single(
    "cmdchat_connections",
    "gauge",
    "Connections and held sessions.",
    gauges.connections,
  );
  page.labelled("cmdchat_members", "gauge", "Members of rooms.", "link", census.members);
  page.labelled("cmdchat_rooms", "gauge", "Rooms with somebody in them.", "kind", census.rooms);
  page.single("cmdchat_sealed_bytes", "gauge", "Sealed frames kept.", gauges.sealedBytes);
  const sealed = Object.entries(SEALED_KINDS).map(([kind, name]) => [kind, metrics.counters[name]]);
  page.labelled(
    "cmdchat_sealed_total",
    "counter",
    "What passed through sealed rooms, by kind.",
    "kind",
    Object.fromEntries(sealed),
  );
  page.single("cmdchat_outbox_bytes", "gauge", "Bytes that wait for clients.", gauges.outboxBytes);
  page.labelled(
    "cmdchat_handshakes_total",
    "counter",
    "Handshakes by how they ended.",
    "result",
    metrics.handshakes,
  );
  for (const [name, counter, help] of COUNTER_FAMILIES) {
    page.single(name, "counter", help, metrics.counters[counter]);
  }
  page.histogram(
    "cmdchat_delivery_seconds",
    "From a message queued for a client to the end of its write.",
    metrics.delivery,
  );
  page.histogram("cmdchat_event_loop_lag_seconds", "Lateness of the event loop.", metrics.lag);
  return page.text;
}

class Page {
  #lines: string[] = [];

  get text(): string {
    return `${this.#lines.join("\n")}\n`;
  }

  single(name: string, type: "counter" | "gauge", help: string, value: number): void {
    this.#head(name, type, help);
    this.#lines.push(`${name} ${value}`);
  }

  labelled(
    ...[name, type, help, label, values]: [
      name: string,
      type: "counter" | "gauge",
      help: string,
      label: string,
      values: Readonly<Record<string, number>>,
    ]
  ): void {
    this.#head(name, type, help);
    for (const [key, value] of Object.entries(values)) {
      this.#lines.push(`${name}{${label}="${key}"} ${value}`);
    }
  }

  histogram(name: string, help: string, histogram: Histogram): void {
    this.#head(name, "histogram", help);
    const { cumulative } = histogram;
    for (const [index, bound] of [...histogram.bounds, "+Inf"].entries()) {
      this.#lines.push(`${name}_bucket{le="${bound}"} ${cumulative[index]}`);
    }
    this.#lines.push(`${name}_sum ${histogram.sum}`, `${name}_count ${cumulative.at(-1)}`);
  }

  #head(name: string, type: string, help: string): void {
    this.#lines.push(`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`);
  }
}
