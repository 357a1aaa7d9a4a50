import assert from "node:assert/strict";
import { readSamples } from "../../../server/telemetry/prometheus_reader.ts";
import { fitRows, graph, type Look, topRows } from "../../../server/commands/top_view.ts";

function look(at: number, lines: string): Look {
  return { at, samples: readSamples(lines) };
}

const FIRST = `cmdchat_build_info{version="1.2.3"} 1
cmdchat_uptime_seconds 90061
cmdchat_members{connection="v1"} 1
cmdchat_members{connection="v2"} 7
cmdchat_messages_received_total 100
cmdchat_sent_bytes_total 0
cmdchat_delivery_seconds_bucket{le="0.001"} 5
cmdchat_delivery_seconds_bucket{le="0.01"} 5
cmdchat_delivery_seconds_bucket{le="+Inf"} 5
`;

const SECOND = FIRST.replace("total 100", "total 300").replace("bytes_total 0", "bytes_total 4096")
  .replace('"0.01"} 5', '"0.01"} 9').replace('+Inf"} 5', '+Inf"} 9');

Deno.test("top shows rates, kinds and times between its last two looks", () => {
  const text = topRows([look(0, FIRST), look(2_000, SECOND)], "127.0.0.1:5051").join("\n");
  assert.match(text, /^cmdchat-server 1\.2\.3 at 127\.0\.0\.1:5051 {3}up 1 d 1 h$/m);
  assert.match(text, /^members +1 v1, 7 v2$/m);
  assert.match(text, /^in, messages\/s +100 /m);
  assert.match(text, /^in, out +0 bytes\/s, 2 KiB\/s$/m);
  assert.match(text, /^delivery +half within 10 ms, 99 of 100 within 10 ms$/m);
});

Deno.test("top says so when the server stops, and when it was started anew", () => {
  assert.match(topRows([look(0, "cmdchat_stopping 1\n")], "x")[0] as string, /STOPPING$/);
  const rows = topRows([look(0, SECOND), look(1_000, FIRST)], "x").join("\n");
  assert.match(rows, /^in, messages\/s +0 /m);
});

Deno.test("no row of top is wider than a terminal of 80 columns, however large the numbers", () => {
  const many = [
    ...["v1", "v2", "away"].map((kind) => `cmdchat_members{connection="${kind}"} 10000`),
    ...["v1", "v2", "resumed", "unauthorized", "refused"].map((kind) =>
      `cmdchat_handshakes_total{result="${kind}"} 123456`
    ),
    "cmdchat_messages_received_total 99999999",
  ].join("\n");
  const looks = Array.from({ length: 40 }, (_, n) => look(n * 1_000, n % 2 ? many : ""));
  for (const row of topRows(looks, "127.0.0.1:65535")) assert.ok([...row].length <= 80, row);
});

Deno.test("graph() draws one character a value, scaled to the largest", () => {
  assert.equal(graph([]), "");
  assert.equal(graph([0, 0]), "▁▁");
  assert.equal(graph([0, 50, 100]), "▁▅█");
});

Deno.test("in a small terminal top drops its blank rows first, then its lowest, and keeps the last one", () => {
  const rows = ["title", "", "one", "two", "", "three"];
  assert.deepEqual(fitRows(rows, "q quits", { columns: 80, rows: 8 }), [...rows, "", "q quits"]);
  assert.deepEqual(fitRows(rows, "q quits", { columns: 80, rows: 5 }), [
    "title",
    "one",
    "two",
    "three",
    "q quits",
  ]);
  assert.deepEqual(fitRows(rows, "q quits", { columns: 4, rows: 3 }), ["tit…", "one", "q q…"]);
  assert.deepEqual(fitRows(rows, "q quits", { columns: 80, rows: 1 }), ["q quits"]);
});
