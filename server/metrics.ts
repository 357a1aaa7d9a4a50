// What the server counts. No names, no rooms' names, no content.

const LAG_PROBE_MS = 500;

/** Counters since the start. */
export interface Counters {
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

/** What is true now. */
export interface Gauges {
  readonly connections: number;
  readonly members: number;
  readonly held: number;
  readonly rooms: number;
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
  };
  #last = { at: performance.now(), counters: { ...this.counters } };
  #lagMaxMs = 0;

  /** Measures the event loop's lag until `signal` aborts. */
  watchLag(signal: AbortSignal): void {
    let expected = performance.now() + LAG_PROBE_MS;
    const timer = setInterval(() => {
      const now = performance.now();
      this.#lagMaxMs = Math.max(this.#lagMaxMs, now - expected);
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
