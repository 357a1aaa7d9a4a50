// What the server counts. No names, no rooms' names, no content.

import { Histogram } from "./histogram.ts";
import { noSealedCounters, type SealedCounters } from "./sealed_counters.ts";

const LAG_PROBE_MS = 500;

// From a write that found the socket empty to a client that no longer reads.
const DELIVERY_BOUNDS_S = [0.0002, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1];

const LAG_BOUNDS_S = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1];

/** Counters since the start. */
export interface Counters extends SealedCounters {
  connectionsAccepted: number;
  connectionsRefused: number;
  handshakesFailed: number;
  protocolErrors: number;
  messagesIn: number;
  messagesOut: number;
  bytesIn: number;
  bytesOut: number;
  rateLimited: number;
  notesDropped: number;
  sessionsResumed: number;
  slowClosed: number;
  silentClosed: number;
}

/** How a handshake may end. */
export const HANDSHAKE_RESULTS = [
  "v1",
  "v2",
  "resumed",
  "unauthorized",
  "refused",
  "foreign",
  "tls",
  "timeout",
  "gone",
  "fault",
] as const;

/** How a handshake ended. */
export type HandshakeResult = typeof HANDSHAKE_RESULTS[number];

/** What is true now. */
export interface Gauges {
  readonly connections: number;
  readonly members: number;
  readonly held: number;
  readonly rooms: number;
  readonly sealedRooms: number;
  /** Bytes that sealed rooms remember for those who come back. */
  readonly sealedBytes: number;
  readonly outboxBytes: number;
}

const PER_SECOND = ["messagesIn", "messagesOut", "bytesIn", "bytesOut"] as const;

/** Counters, and how late the event loop is. */
export class Metrics {
  readonly counters: Counters = {
    connectionsAccepted: 0,
    connectionsRefused: 0,
    handshakesFailed: 0,
    protocolErrors: 0,
    messagesIn: 0,
    messagesOut: 0,
    bytesIn: 0,
    bytesOut: 0,
    rateLimited: 0,
    notesDropped: 0,
    sessionsResumed: 0,
    slowClosed: 0,
    silentClosed: 0,
    ...noSealedCounters(),
  };
  readonly handshakes = Object.fromEntries(
    HANDSHAKE_RESULTS.map((result) => [result, 0]),
  ) as Record<HandshakeResult, number>;
  /** From the first message that waits for a client to the end of the write that carried it. */
  readonly delivery = new Histogram(DELIVERY_BOUNDS_S);
  /** How late each probe of the event loop was. */
  readonly lag = new Histogram(LAG_BOUNDS_S);
  #last = { at: performance.now(), counters: { ...this.counters } };
  #lagMaxMs = 0;

  /** Counts how a handshake ended. */
  handshake(result: HandshakeResult): void {
    this.handshakes[result]++;
    if (!["v1", "v2", "resumed"].includes(result)) this.counters.handshakesFailed++;
  }

  /** Measures the event loop's lag until `signal` aborts. */
  watchLag(signal: AbortSignal): void {
    let expected = performance.now() + LAG_PROBE_MS;
    const timer = setInterval(() => {
      const now = performance.now();
      const late = Math.max(now - expected, 0);
      this.#lagMaxMs = Math.max(this.#lagMaxMs, late);
      this.lag.observe(late / 1_000);
      expected = now + LAG_PROBE_MS;
    }, LAG_PROBE_MS);
    Deno.unrefTimer(timer);
    signal.addEventListener("abort", () => clearInterval(timer), { once: true });
  }

  /** One line: gauges, rates since the last line, totals, the worst lag since the last line, memory. */
  line(gauges: Gauges): string {
    const now = performance.now();
    const seconds = Math.max((now - this.#last.at) / 1_000, 0.001);
    const rates = PER_SECOND.map((name) =>
      `${name}PerSecond=${((this.counters[name] - this.#last.counters[name]) / seconds).toFixed(1)}`
    );
    const lag = this.#lagMaxMs.toFixed(1);
    this.#last = { at: now, counters: { ...this.counters } };
    this.#lagMaxMs = 0;
    return [
      "metrics",
      ...pairs(gauges),
      ...rates,
      ...pairs(this.counters),
      `lagMs=${lag}`,
      `rssBytes=${Deno.memoryUsage().rss}`,
    ].join(" ");
  }
}

function pairs(values: object): string[] {
  return Object.entries(values).map(([name, value]) => `${name}=${value}`);
}
