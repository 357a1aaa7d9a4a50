import assert from "node:assert/strict";
import { mentions } from "../../../client/output/attention.ts";
import { Output, type OutputOptions } from "../../../client/output/output.ts";
import { plainText } from "../../../client/render/shown.ts";
import { createMinimalRenderer } from "../../../client/render/minimal.ts";
import { ConfigError, UsageError } from "../../../shared/base/errors.ts";
import { ManualClock, turns } from "../../helpers/fakes/chat_fakes.ts";

const LINE = { sender: "bob", room: "lobby", sequence: 1, own: false, mention: false };

function output(options: Partial<OutputOptions> = {}) {
  const [printed, diagnosed]: [string[], string[]] = [[], []];
  const made = new Output({
    renderer: createMinimalRenderer(),
    print: (shown) => printed.push(plainText(shown)),
    diagnose: (shown) => diagnosed.push(plainText(shown)),
    history: undefined,
    bufferSize: 10,
    clock: new ManualClock(),
    ...options,
  });
  return { output: made, printed, diagnosed };
}

Deno.test("the conversation is printed, the program's own words are diagnostics", () => {
  const { output: out, printed, diagnosed } = output();
  out.chat({ ...LINE, text: "hi", time: "" });
  out.answer("a list");
  out.note("warning", "careful", "look");
  out.fault(new UsageError("wrong", { hint: "right" }));
  out.connection({ state: "lost", text: "gone", name: "alice", room: "lobby" });
  assert.deepEqual(printed, ["<bob> hi", "- a list"]);
  assert.deepEqual(diagnosed, [
    "warning: careful\nhint: look",
    "error: wrong\nhint: right",
    "- gone",
  ]);
  assert.throws(() => out.fault(new TypeError("bug")), TypeError);
});

Deno.test("showLast() shows at most as many lines as are kept, oldest first; forget() none", () => {
  const { output: out, printed } = output();
  for (let i = 0; i < 100; i++) out.chat({ ...LINE, text: `${i}`, time: "" });
  printed.length = 0;
  out.showLast(3, "lobby");
  assert.deepEqual(printed, ["#1 <bob> 97", "#1 <bob> 98", "#1 <bob> 99"]);
  printed.length = 0;
  out.showLast(1_000, "lobby");
  assert.ok(printed.length >= 10 && printed.length < 20);
  printed.length = 0;
  out.forget();
  out.showLast(5, "lobby");
  assert.deepEqual(printed, []);
});

Deno.test("a history that cannot be written is told once", async () => {
  const history = { append: () => Promise.reject(new ConfigError("disk full")) };
  const { output: out, diagnosed } = output({ history });
  for (let i = 0; i < 5; i++) out.chat({ ...LINE, text: "hi", time: "" });
  await turns();
  assert.equal(diagnosed.length, 1);
  assert.match(diagnosed[0] ?? "", /^error: disk full/);
});

Deno.test("an entry without a readable time gets ours", async () => {
  const times: string[] = [];
  const history = {
    append: (entry: { time: string }) => Promise.resolve(void times.push(entry.time)),
  };
  const { output: out } = output({ history });
  out.chat({ ...LINE, text: "hi", time: "yesterday" });
  out.chat({ ...LINE, text: "hi", time: "2026-11-23T18:00:00.123456Z" });
  await turns();
  assert.deepEqual(times, ["2026-11-23T18:00:00.000Z", "2026-11-23T18:00:00.123456Z"]);
});

Deno.test("mentions() finds a name as a word of its own, whatever its case", () => {
  for (const text of ["alice", "hey Alice!", "@alice look", "(ALICE)", "malice alice", "ａlice"]) {
    assert.ok(mentions(text, "alice"), text);
  }
  for (const text of ["malice", "alices", "al ice", "", "alice2"]) {
    assert.ok(!mentions(text, "alice"), text);
  }
  assert.ok(mentions("hallo Jürgen", "jürgen"));
  assert.ok(mentions("a.b: hi", "a.b"));
});
