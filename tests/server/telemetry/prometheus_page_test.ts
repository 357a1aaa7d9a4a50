import assert from "node:assert/strict";
import { Histogram } from "../../../server/telemetry/histogram.ts";
import { HANDSHAKE_RESULTS, Metrics } from "../../../server/telemetry/metrics.ts";
import { type ClusterView, prometheusPage } from "../../../server/telemetry/prometheus_page.ts";
import { byLabel, quantile, readSamples } from "../../../server/telemetry/prometheus_reader.ts";

const NOTHING = {
  connections: 0,
  members: 0,
  held: 0,
  rooms: 0,
  sealedRooms: 0,
  sealedBytes: 0,
  outboxBytes: 0,
};

function page(metrics = new Metrics(), cluster?: ClusterView): string {
  return prometheusPage({
    version: "1.2.3",
    startedAt: 1_700_000_000.5,
    uptime: 90,
    metrics,
    gauges: { ...NOTHING, connections: 3, outboxBytes: 4_096 },
    census: { members: { v1: 1, v2: 2, away: 0 }, rooms: { open: 1 } },
    stopping: false,
    cluster,
    memory: { rss: 70_000_000, heapUsed: 9_000_000 },
  });
}

Deno.test("a histogram counts each time under the first bound that holds it, and the rest above all", () => {
  const histogram = new Histogram([0.001, 0.01]);
  for (const seconds of [0, 0.001, 0.002, 5]) histogram.observe(seconds);
  assert.deepEqual(histogram.cumulative, [2, 3, 4]);
  assert.ok(Math.abs(histogram.sum - 5.003) < 1e-9);
});

Deno.test("a handshake counts by its result; only those that let nobody in count as failed", () => {
  const metrics = new Metrics();
  for (const result of HANDSHAKE_RESULTS) metrics.handshake(result);
  assert.deepEqual(Object.values(metrics.handshakes), HANDSHAKE_RESULTS.map(() => 1));
  assert.equal(metrics.counters.handshakesFailed, HANDSHAKE_RESULTS.length - 4);
});

Deno.test("every line of the page is a comment or a sample, every family has a help and a type", () => {
  const lines = page().trimEnd().split("\n");
  const sample =
    /^([a-z_]+?)(?:_bucket|_sum|_count)?(?:\{[a-z]+="[^"\\]*"\})? -?\d+(?:\.\d+)?(?:e-?\d+)?$/;
  const heads = new Map<string, string>();
  for (const line of lines) {
    const head = /^# (HELP|TYPE) ([a-z_]+) (.+)$/.exec(line);
    if (head) heads.set(`${head[1]} ${head[2]}`, head[3] as string);
    else assert.match(line, sample);
  }
  for (const line of lines.filter((text) => !text.startsWith("#"))) {
    const name = /^[a-z_]+/.exec(line)?.[0] as string;
    const family = heads.get(`TYPE ${name}`) ? name : name.replace(/_(?:bucket|sum|count)$/, "");
    assert.ok(heads.has(`HELP ${family}`) && heads.has(`TYPE ${family}`), family);
    if (family.endsWith("_total")) assert.equal(heads.get(`TYPE ${family}`), "counter");
  }
  assert.equal(heads.size, 2 * new Set([...heads.keys()].map((key) => key.slice(5))).size);
});

Deno.test("the page's buckets grow, end in +Inf, and +Inf is the count", () => {
  const metrics = new Metrics();
  for (const seconds of [0.0001, 0.003, 2]) metrics.delivery.observe(seconds);
  const samples = readSamples(page(metrics));
  const buckets = byLabel(samples, "cmdchat_delivery_seconds_bucket");
  assert.equal(buckets.at(-1)?.[0], "+Inf");
  const counts = buckets.map(([, count]) => count);
  assert.deepEqual(counts, counts.toSorted((a, b) => a - b));
  assert.equal(counts.at(-1), 3);
  assert.equal(samples.get("cmdchat_delivery_seconds_count"), 3);
});

Deno.test("every counter of the metrics line is on the page", () => {
  const metrics = new Metrics();
  const names = Object.keys(metrics.counters) as (keyof typeof metrics.counters)[];
  names.forEach((name, index) => metrics.counters[name] = 1_000_001 + index);
  const values = new Set(readSamples(page(metrics)).values());
  assert.deepEqual(names.filter((name) => !values.has(metrics.counters[name])), []);
});

Deno.test("quantile() gives the bound under which a share of what is new lies", () => {
  const metrics = new Metrics();
  metrics.delivery.observe(0.9);
  const before = readSamples(page(metrics));
  const family = "cmdchat_delivery_seconds";
  assert.equal(quantile(before, before, { family, share: 0.5 }), undefined);
  for (let n = 0; n < 99; n++) metrics.delivery.observe(0.0003);
  metrics.delivery.observe(3);
  const now = readSamples(page(metrics));
  assert.equal(quantile(now, before, { family, share: 0.5 }), 0.0005);
  assert.equal(quantile(now, before, { family, share: 0.99 }), 0.0005);
  assert.equal(quantile(now, before, { family, share: 1 }), Infinity);
});

Deno.test("a server of a cluster shows NATS and the other servers, and one that is alone does not", () => {
  const cluster = {
    isUp: false,
    reconnects: 3,
    refused: { authorization: 2, full: 0 },
    others: ["a", "b"],
    foreignMessages: 1,
  };
  const text = page(new Metrics(), cluster);
  for (
    const line of [
      "cmdchat_nats_up 0",
      "cmdchat_nats_reconnects_total 3",
      'cmdchat_nats_refused_total{kind="authorization"} 2',
      "cmdchat_cluster_servers 2",
      "cmdchat_cluster_foreign_total 1",
    ]
  ) assert.ok(text.includes(`\n${line}\n`), line);
  assert.ok(!page().includes("nats"));
});
