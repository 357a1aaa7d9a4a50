// The server's measurements: counters, results of handshakes, times. No names of people or rooms, no content.

import { Histogram } from "./histogram.ts";
import { newCounters } from "./counters.ts";

const LAG_PROBE_MS = 500;

// Bounds from a write into an empty socket to a client that has stopped reading.
const DELIVERY_BOUNDS_S = [0.0002, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1];

const LAG_BOUNDS_S = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1];

/** The ways in which a handshake can end. */
export const HANDSHAKE_RESULTS = [
  "v1",
  "v2",
  "resumed",
  "page",
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

/** Current values. */
export interface Gauges {
  readonly connections: number;
  readonly members: number;
  readonly held: number;
  readonly rooms: number;
  readonly sealedRooms: number;
  /** Bytes of frames that sealed rooms keep for members that come back. */
  readonly sealedBytes: number;
  readonly outboxBytes: number;
}

const PER_SECOND = ["messagesIn", "messagesOut", "bytesIn", "bytesOut"] as const;

/** Counters since the start, and the times of deliveries and of the event loop. */
export class Metrics {
  readonly counters = newCounters();
  readonly handshakes = Object.fromEntries(
    HANDSHAKE_RESULTS.map((result) => [result, 0]),
  ) as Record<HandshakeResult, number>;
  /** From the first message that waits for a client to the end of the write that carries it. */
  readonly delivery = new Histogram(DELIVERY_BOUNDS_S);
  /** How late each probe of the event loop was. */
  readonly lag = new Histogram(LAG_BOUNDS_S);
  #last = { at: performance.now(), counters: { ...this.counters } };
  #lagMaxMs = 0;

  /** Counts how a handshake ended. */
  handshake(result: HandshakeResult): void {
    this.handshakes[result]++;
    if (!["v1", "v2", "resumed", "page"].includes(result)) this.counters.handshakesFailed++;
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

  /** One line: gauges, rates since the last line, counters, the worst lag since the last line, memory. */
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
