// The benchmark itself: every row runs, in a tiny size, and what checks its figures can fail.

import assert from "node:assert/strict";
import { skipWithout, skipWithoutProc } from "../helpers/repo/skip.ts";
import { type SystemProgram } from "../helpers/repo/system_needs.ts";
import { outputOf } from "../helpers/repo/sources.ts";
import { BROKERS } from "./references/brokers.ts";
import { checkComplete, FrameCounter, type Load, textOf } from "./load/load.ts";
import { costsOf } from "./processes.ts";
import { bars, isMet, medianRow, quantile, type Row, toJson, toText } from "./row.ts";
import { withResults } from "./results_table.ts";
import { ROWS } from "./rows.ts";

const NEEDS: Readonly<Record<string, readonly SystemProgram[]>> = {
  "fanout-v2-tls": ["openssl", ...BROKERS.map(({ program }) => program)],
  "fanout-v2": ["openssl", ...BROKERS.map(({ program }) => program)],
  "latency-p99": BROKERS.map(({ program }) => program),
  "latency-p99-tls": ["openssl", ...BROKERS.map(({ program }) => program)],
  "fanout-wss": ["openssl"],
  "one-to-1000": ["openssl"],
  "file-10mb": ["openssl"],
  "file-1gb": ["openssl"],
  handshakes: ["openssl"],
  growth: ["openssl"],
  "fanout-sealed": ["openssl", "mosquitto"],
  cluster: ["openssl", "nats-server"],
};

for (const [name, measure] of Object.entries(ROWS)) {
  const test = skipWithout(...NEEDS[name] ?? []);
  test(`the row ${name} is measured beside its reference`, async () => {
    const row = await measure("tiny");
    assert.equal(row.row, name);
    if (row.value === undefined) return assert.match(row.notes.join(" "), /cannot|needs/);
    assert.ok(row.value > 0, `${row.value}`);
    assert.ok(row.referenceValue === undefined || row.referenceValue > 0, `${row.referenceValue}`);
    const json = JSON.parse(toJson(row));
    for (const field of ["row", "value", "unit", "reference", "ratio", "goal", "met"]) {
      assert.ok(Object.hasOwn(json, field), field);
    }
  });
}

Deno.test("the benchmark prints a row as one line of JSON", async () => {
  const main = new URL("main.ts", import.meta.url).pathname;
  const args = ["run", "-A", "--no-check", main, "--tiny", "--json", "sealed-message"];
  const output = await outputOf(Deno.execPath(), ...args);
  assert.equal(JSON.parse(output ?? "").row, "sealed-message");
});

Deno.test("the benchmark refuses a row that it does not have", async () => {
  const main = new URL("main.ts", import.meta.url).pathname;
  const { code, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", main, "fanout-v9"],
    stdin: "null",
  }).output();
  assert.equal(code, 2);
  assert.match(new TextDecoder().decode(stderr), /^error: Cannot run the row "fanout-v9"/);
});

skipWithoutProc()("CPU time comes in finer steps than the system's own sum of it", () => {
  const costs = costsOf(Deno.pid);
  const told = Array.from({ length: 50 }, () => {
    const until = performance.now() + 1;
    while (performance.now() < until);
    return costs.cpuMs();
  });
  const steps = told.slice(1).map((ms, i) => ms - (told[i] as number));
  assert.ok(steps.every((step) => step >= 0), `${steps}`);
  assert.ok(steps.filter((step) => step > 0 && step < 5).length > 10, `${steps}`);
});

Deno.test("checkouts are compared in turn, and wrong arguments are refused", async () => {
  const compare = (...args: readonly string[]) =>
    new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--no-check", new URL("compare.ts", import.meta.url).pathname, ...args],
      stdin: "null",
    }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  const here = new URL("../../", import.meta.url).pathname;
  const { stdout, stderr, code } = await compare("1", "tiny", here, here);
  assert.equal(code, 0, text(stderr));
  assert.match(text(stdout), /^([\d.]+ µs of CPU time a delivery.* deliveries\/s: \/.*\n){2}$/);
  const lone = await compare("1", "lone-tiny", here);
  assert.equal(lone.code, 0, text(lone.stderr));
  assert.match(
    text(lone.stdout),
    /^[\d.]+ µs of CPU time .*; of its main thread [\d.]+ µs; median [\d.]+ ms, p99 [\d.]+ ms: \/.*\n$/,
  );
  for (const args of [[], ["0", "tiny", here], ["1", "huge", here], ["1", "tiny"]]) {
    const refused = await compare(...args);
    assert.equal(refused.code, 2, args.join(" "));
    assert.match(text(refused.stderr), /^error: Cannot compare/);
  }
});

Deno.test("a measured row takes its place in the table of results, and the others keep theirs", () => {
  const measured: Row = {
    row: "b",
    value: 12_345,
    unit: "deliveries/s",
    reference: "something else",
    referenceValue: 20_000,
    goal: { of: "ratio", limit: 1 / 3, better: "more" },
    notes: [],
  };
  const lines = (text: string) => text.split("\n").filter((line) => line.startsWith("| `"));
  const document = (rows: string) =>
    `Before\n\n<!-- results -->\n\n${rows}\n<!-- end of results -->\n`;
  const once = withResults(document("| `c` | 1 |\n| `gone` | 2 |\n"), [measured], ["a", "b", "c"]);
  const line = "| `b` | 12,300 deliveries/s | 20,000 deliveries/s | 0.62 | >= 0.333 | yes |";
  assert.deepEqual(lines(once), [line, "| `c` | 1 |"]);
  const missed = { ...measured, value: 1_000 };
  assert.match(
    withResults(once, [missed], ["a", "b", "c"]),
    /\| 0\.05 \| >= 0\.333 \| \*\*no\*\* \|/,
  );
  assert.throws(() => withResults("no table", [measured], ["b"]), /no place/);
});

const LOAD: Load = { members: 2, senders: 2, perSender: 3, messageBytes: 20 };
const RIGHT = [0, 1, 2].flatMap((index) => [textOf(LOAD, 0, index), textOf(LOAD, 1, index)]);

function received(change: (texts: string[]) => void): string[][] {
  const texts = [...RIGHT];
  change(texts);
  return [[...RIGHT], texts];
}

Deno.test("checkComplete() takes all messages at all members in one order", () => {
  checkComplete(LOAD, received(() => {}));
});

const FAULTS: Readonly<Record<string, (texts: string[]) => void>> = {
  "a message that is missing": (texts) => texts.pop(),
  "a message that came twice": (texts) => texts.push(texts.at(-1) as string),
  "two messages of one sender in the wrong order": (texts) => texts.reverse(),
  "messages of two senders in another order than elsewhere": (texts) =>
    texts.splice(0, 2, RIGHT[1] as string, RIGHT[0] as string),
  "a message whose text was changed": (texts) => texts[2] = (texts[2] as string).replace("x", "y"),
};

for (const [fault, change] of Object.entries(FAULTS)) {
  Deno.test(`checkComplete() refuses ${fault}`, () => {
    assert.throws(() => checkComplete(LOAD, received(change)));
    assert.throws(() => checkComplete(LOAD, received(change).reverse()));
  });
}

Deno.test("checkComplete() refuses that a member is missing", () => {
  assert.throws(() => checkComplete(LOAD, [RIGHT]));
});

Deno.test("FrameCounter counts frames and bytes however they are cut", () => {
  const bytes = Uint8Array.from([0, 0, 0, 2, 7, 7, 0, 0, 0, 1, 7]);
  for (let cut = 1; cut < bytes.length; cut++) {
    const seen: number[][] = [];
    const counter = new FrameCounter((...counts) => seen.push(counts) > 0 && counts[0] === 2);
    assert.equal(counter.take(bytes.subarray(0, cut)), false);
    assert.equal(counter.take(bytes.subarray(cut)), true);
    assert.deepEqual(seen.at(-1), [2, 3]);
  }
});

function rowOf(values: Partial<Row>): Row {
  return {
    row: "x",
    value: 10,
    unit: "ms",
    reference: "y",
    referenceValue: 5,
    notes: [],
    goal: { of: "ratio", limit: 2, better: "less" },
    ...values,
  };
}

Deno.test("a goal is reached, missed or not measured", () => {
  assert.equal(isMet(rowOf({})), true);
  assert.equal(isMet(rowOf({ value: 11 })), false);
  assert.equal(isMet(rowOf({ value: undefined })), undefined);
  assert.equal(isMet(rowOf({ goal: { of: "ratio", limit: 2, better: "more" } })), true);
  assert.equal(isMet(rowOf({ goal: { of: "value", limit: 9, better: "less" } })), false);
  assert.equal(isMet(rowOf({ conditions: [{ text: "all were there", met: false }] })), false);
  assert.match(toText(rowOf({ value: 11 })), /ratio 2\.20, goal at most 2 .*: NOT reached/);
});

Deno.test("medianRow() and quantile() take a value that was measured", () => {
  assert.equal(medianRow([11, 9, 30].map((value) => rowOf({ value }))).value, 11);
  assert.equal(quantile(Array.from({ length: 100 }, (_, i) => i + 1), 0.99), 99);
  assert.deepEqual(bars([["a", 1], ["b", 2]], 4), ["a ██ 1.00", "b ████ 2.00"]);
});
