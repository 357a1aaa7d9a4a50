// What a user sees of the conversation: folded comings and goings, days, long messages, ignored people, bells.
import assert from "node:assert/strict";
import { Output, type OutputOptions } from "../../client/output.ts";
import { createMinimalRenderer } from "../../client/renderers/minimal.ts";
import { createRichRenderer } from "../../client/renderers/rich.ts";
import type { ChatLine, SystemLine } from "../../client/renderers/text.ts";
import { Settings } from "../../client/settings.ts";
import { Style } from "../../client/terminal/style.ts";
import { FakeConsole, ManualClock } from "../helpers/chat_fakes.ts";

const TIME = "2026-11-23T12:00:00.000Z";

function view(options: Partial<OutputOptions> = {}) {
  const [console, clock, settings] = [new FakeConsole(), new ManualClock(), new Settings()];
  const print = (text: string) => console.print(text);
  const output = new Output({
    ...{ renderer: createMinimalRenderer(), print, diagnose: print, history: undefined },
    ...{ bufferSize: 10, clock, settings },
    screen: {
      setLive: (rows) => console.setLive(rows),
      alert: (alert) => console.alert(alert),
      columns: () => 80,
    },
    ...options,
  });
  return { output, console, clock, settings };
}

function chat(text: string, fields: Partial<ChatLine> = {}): ChatLine {
  return {
    ...{ sender: "bob", text, room: "lobby", time: TIME, sequence: 1 },
    ...{ own: false, mention: false, ...fields },
  };
}

function presence(event: string, name: string, fields: Partial<SystemLine> = {}): SystemLine {
  return { event, name, text: `${name} ${event}.`, room: "lobby", time: TIME, ...fields };
}

Deno.test("comings and goings in a row are one line that changes in place until something else is said", () => {
  const { output, console } = view();
  output.system(presence("joined", "bob"));
  assert.deepEqual(console.live, ["* bob joined."]);
  for (const name of ["carol", "dave"]) output.system(presence("joined", name));
  output.system(presence("left", "bob"));
  assert.deepEqual(console.live, ["* 3 joined (bob, carol, dave), 1 left (bob)."]);
  assert.deepEqual(console.printed, []);
  output.chat(chat("hi"));
  assert.deepEqual(console.live, []);
  assert.deepEqual(console.printed, ["* 3 joined (bob, carol, dave), 1 left (bob).", "<bob> hi"]);
  output.chat(chat("again"));
  assert.equal(console.printed.length, 3);
});

Deno.test("what is folded of one room is not counted with another's, and long lists are cut", () => {
  const { output, console } = view();
  output.system(presence("joined", "bob"));
  output.system(presence("joined", "carol", { room: "den" }));
  assert.deepEqual(console.printed, ["* bob joined."]);
  for (let n = 0; n < 20; n++) output.system(presence("joined", `n${n}`, { room: "den" }));
  output.flush();
  assert.equal(
    console.printed[1],
    "* 21 joined (carol, n0, n1, n2, n3, n4, n5, n6 and 13 more).",
  );
});

Deno.test("/set joins all shows each, off shows none; without a screen nothing waits", () => {
  const { output, console, settings } = view();
  settings.set("joins", "all");
  output.system(presence("joined", "bob"));
  output.system(presence("left", "bob"));
  assert.deepEqual(console.printed, ["* bob joined.", "* bob left."]);
  settings.set("joins", "off");
  output.system(presence("joined", "bob"));
  output.flush();
  assert.equal(console.printed.length, 2);

  const printed: string[] = [];
  const piped = view({
    ...{ print: (text) => printed.push(text), screen: undefined as never },
  });
  piped.output.system(presence("joined", "bob"));
  assert.deepEqual(printed, ["* bob joined."]);
});

Deno.test("a line stands between two days, in local time, and none before the first", () => {
  const { output, console } = view({ renderer: createRichRenderer({ style: new Style("none") }) });
  const at = (day: number) => new Date(2026, 10, day, 12).toISOString();
  output.chat(chat("one", { time: at(23) }));
  output.chat(chat("two", { time: at(23) }));
  output.chat(chat("three", { time: at(24) }));
  output.chat(chat("four", { time: "nonsense" }));
  output.system({ event: "notice", text: "five", room: "lobby", time: at(25) });
  assert.deepEqual(console.printed.map((line) => line.replace(/^[\d:-]{8} (?:#1 )?/, "")), [
    "<bob> one",
    "<bob> two",
    "— Tuesday 24 November 2026 —",
    "<bob> three",
    "<bob> four",
    "— Wednesday 25 November 2026 —",
    "* five",
  ]);
});

Deno.test("the rows of a long message beyond the set number wait for /more, and none is lost", () => {
  const { output, console, settings } = view();
  settings.set("fold", "3");
  const rows = Array.from({ length: 10 }, (_, n) => `row ${n}`);
  output.chat(chat(rows.join("\n")));
  assert.deepEqual(console.printed, [
    "<bob> row 0\n    row 1\n    row 2\n    … 7 more rows: /more 1",
  ]);
  assert.ok(output.showMore());
  assert.equal(console.printed[1], rows.slice(3).map((row) => `    ${row}`).join("\n"));
  assert.ok(!output.showMore(9));
  output.chat(chat(rows.slice(0, 4).join("\n")));
  assert.equal(console.printed[2]?.split("\n").length, 4, "one row more is shown, not folded");
  settings.set("fold", "0");
  output.chat(chat(rows.join("\n")));
  assert.equal(console.printed[3]?.split("\n").length, 10);
});

Deno.test("nothing is shown or kept of who is ignored, not even by another name", () => {
  const { output, console } = view();
  output.ignored.add("Bob");
  output.chat(chat("hi"));
  output.system(presence("joined", "bob"));
  output.system({ ...presence("renamed", "bobby"), previous: "bob" });
  output.chat(chat("hi", { sender: "bobby" }));
  output.flush();
  assert.deepEqual(console.printed, ["* bobby renamed."]);
  assert.ok(output.ignored.remove("BOBBY"));
  output.chat(chat("hi", { sender: "bobby" }));
  assert.equal(console.printed.at(-1), "<bobby> hi");
});

Deno.test("a mention rings, once in three seconds; off never, all for each message of others", () => {
  const { output, console, clock, settings } = view();
  output.chat(chat("hi"));
  output.chat(chat("hi alice", { mention: true, own: true }));
  assert.deepEqual(console.alerts, []);
  output.chat(chat("hi alice", { mention: true }));
  output.chat(chat("alice!", { mention: true }));
  assert.deepEqual(console.alerts, [{}]);
  void clock.pass(3_000);
  output.chat(chat("for you", { to: "alice" }));
  assert.equal(console.alerts.length, 2);
  void clock.pass(3_000);
  settings.set("bell", "off");
  output.chat(chat("alice", { mention: true }));
  assert.equal(console.alerts.length, 2);
  settings.set("bell", "all");
  output.chat(chat("hi"));
  assert.equal(console.alerts.length, 3);
});

Deno.test("a notice says who and where, never what; words of one's own count as a mention", () => {
  const { output, console, settings } = view();
  settings.set("notice", "osc777");
  settings.set("highlight", "deploy, on call");
  output.chat(chat("secret deployment"));
  output.chat(chat("the DEPLOY is secret"));
  assert.deepEqual(console.alerts, [
    { notice: { form: "osc777", text: "cmdchat: bob in lobby" } },
  ]);
});

Deno.test("a file on its way is a row with rate and time left that goes when it is through", () => {
  const { output, console, clock } = view();
  const file = {
    n: 1,
    direction: "out" as const,
    name: "film.bin",
    size: 10_485_760,
    sender: undefined,
  };
  output.file({ kind: "sending", file: { ...file } as never }, "lobby");
  for (let step = 1; step <= 4; step++) {
    output.file({ kind: "progress", file: file as never, done: step * 1_048_576 }, "lobby");
    void clock.pass(500);
  }
  assert.deepEqual(console.live, [
    'sending "film.bin" [#########---------------] 40 %, 2 MiB/s, 3 s left',
  ]);
  const printed = console.printed.length;
  output.file({ kind: "sent", file: file as never, sha256: "00" }, "lobby");
  assert.deepEqual(console.live, []);
  assert.equal(console.printed.length, printed + 1);
});

Deno.test("/clear forgets what would still be printed", () => {
  const { output, console } = view();
  output.system(presence("joined", "bob"));
  output.forget();
  output.flush();
  assert.deepEqual(console.printed, []);
  assert.deepEqual(console.live, []);
});
