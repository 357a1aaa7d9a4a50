// What a user sees of the conversation: folded comings and goings, days, long messages, ignored people, bells.
import assert from "node:assert/strict";
import { stripVTControlCharacters } from "node:util";
import { Output, type OutputOptions } from "../../../client/output/output.ts";
import { paint, paintedRows } from "../../../client/render/paint.ts";
import { plainText, type RenderedLine } from "../../../client/render/shown.ts";
import { createJsonRenderer } from "../../../client/render/json.ts";
import { createMinimalRenderer } from "../../../client/render/minimal.ts";
import { createRichRenderer } from "../../../client/render/rich.ts";
import type { ChatLine, SystemLine } from "../../../client/render/text.ts";
import { ChatSettings } from "../../../client/config/chat_settings.ts";
import { type ColorDepth, Style } from "../../../client/terminal/style.ts";
import { FakeConsole, ManualClock } from "../../helpers/fakes/chat_fakes.ts";

const TIME = "2026-11-23T12:00:00.000Z";

interface ViewOptions extends Partial<OutputOptions> {
  readonly color?: ColorDepth;
}

/** A view as wide as `width.columns` says. */
function resizable(width: { columns: number }, options: Partial<OutputOptions> = {}) {
  const columns = () => width.columns;
  const renderer = createRichRenderer({ columns, time: () => "off" });
  const made = view({ renderer, color: "true", ...options });
  return { ...made, plain: () => made.console.printed.map(stripVTControlCharacters) };
}

function view({ color = "none", ...options }: ViewOptions = {}) {
  const [console, clock, settings] = [new FakeConsole(), new ManualClock(), new ChatSettings()];
  const style = new Style(color);
  const print = (shown: RenderedLine) => console.print(paint(shown, { style }));
  const output = new Output({
    renderer: createMinimalRenderer(),
    print,
    diagnose: print,
    history: undefined,
    bufferSize: 10,
    clock,
    settings,
    screen: {
      setLive: (lines) => console.setLive(lines.flatMap((line) => paintedRows(line, { style }))),
      alert: (alert) => console.alert(alert),
      columns: () => 80,
      paint: (line) => paint(line, { style }),
    },
    ...options,
  });
  return { output, console, clock, settings };
}

function chat(text: string, fields: Partial<ChatLine> = {}): ChatLine {
  return {
    sender: "bob",
    text,
    room: "lobby",
    time: TIME,
    sequence: 1,
    own: false,
    mention: false,
    ...fields,
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
  assert.deepEqual(console.live, ["* 2 joined (carol, dave), bob left."]);
  assert.deepEqual(console.printed, []);
  output.chat(chat("hi"));
  assert.deepEqual(console.live, []);
  assert.deepEqual(console.printed, ["* 2 joined (carol, dave), bob left.", "<bob> hi"]);
  output.chat(chat("again"));
  assert.equal(console.printed.length, 3);
});

Deno.test("one person who came and went is named without a count", () => {
  const { output, console } = view();
  output.system(presence("joined", "bob"));
  output.system(presence("left", "bob"));
  assert.deepEqual(console.live, ["* bob left."]);
  output.system(presence("joined", "Bob Smith"));
  assert.deepEqual(console.live, ['* "Bob Smith" joined, bob left.']);
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
    print: (shown) => printed.push(plainText(shown)),
    screen: undefined as never,
  });
  piped.output.system(presence("joined", "bob"));
  assert.deepEqual(printed, ["* bob joined."]);
});

Deno.test("a line stands between two days, in local time, and none before the first", () => {
  const { output, console } = view({ renderer: createRichRenderer({}) });
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

Deno.test("/last and what was held back are drawn for the terminal's width and the room of now", () => {
  const width = { columns: 30 };
  const { output, console, settings, plain } = resizable(width);
  settings.set("others", "count");
  const text = "a line that is broken between words where the row ends";
  output.chat(chat(text, { room: "den", elsewhere: true }));
  output.chat(chat(text));
  assert.deepEqual(plain(), [
    "#1 <bob> a line that is broken\n    between words where the\n    row ends",
  ]);
  console.printed.length = 0;
  width.columns = 80;
  output.moveTo("den");
  output.showLast(9, "den");
  assert.deepEqual(plain(), [
    "— now in den —",
    "── new ──",
    `#1 <bob> ${text}`,
    `#1 [lobby] <bob> ${text}`,
    `#1 <bob> ${text}`,
  ]);
});

Deno.test("/more shows all that was left out, for the terminal's width of now, and keeps its number in /last", () => {
  const width = { columns: 20 };
  const { output, console, settings, plain } = resizable(width);
  settings.set("fold", "2");
  const words = Array.from({ length: 30 }, (_, n) => `word${n}`);
  output.chat(chat(words.join(" ")));
  const shown = plain()[0] ?? "";
  assert.match(shown, /… \d+ more rows: \/more 1$/);
  const left = words.filter((word) => !shown.split(/\s+/).includes(word));
  for (const columns of [20, 12, 33, 80, 300]) {
    console.printed.length = 0;
    width.columns = columns;
    assert.ok(output.showMore(1));
    const found = plain().join(" ").split(/\s+/).filter((word) => word.startsWith("word"));
    assert.deepEqual(found.slice(-left.length), left, `${columns}`);
    assert.ok(plain().join("\n").split("\n").every((row) => row.length <= columns));
  }
  width.columns = 30;
  console.printed.length = 0;
  output.showLast(1, "lobby");
  assert.match(plain()[0] ?? "", /… \d+ more rows: \/more 1$/);
  output.showMore();
  assert.deepEqual(plain().join(" ").split(/\s+/).filter((word) => word.startsWith("word")), words);
});

Deno.test("what is folded says which room it is about for where the user was, and is final when they go elsewhere", () => {
  const { output, console } = view();
  output.system(presence("joined", "bob", { elsewhere: true, room: "den" }));
  output.system(presence("joined", "carol", { elsewhere: true, room: "den" }));
  assert.deepEqual(console.live, ["* [den] 2 joined (bob, carol)."]);
  output.moveTo("den");
  assert.deepEqual(console.live, []);
  output.system(presence("joined", "dave", { room: "den" }));
  assert.deepEqual(console.live, ["* dave joined."]);
  output.moveTo("lobby");
  assert.deepEqual(console.printed, [
    "* [den] 2 joined (bob, carol).",
    "- now in den",
    "* dave joined.",
    "- now in lobby",
  ]);
});

Deno.test("a resize draws what changes in place for the new width", () => {
  const width = { columns: 80 };
  const { output, console } = resizable(width);
  for (const name of ["bob", "carol", "dave"]) output.system(presence("joined", name));
  const rows = () => console.live.map(stripVTControlCharacters);
  assert.deepEqual(rows(), ["* 3 joined (bob, carol, dave)."]);
  width.columns = 20;
  output.resized();
  assert.deepEqual(rows(), ["* 3 joined (bob,", "    carol, dave)."]);
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
  output.file({ kind: "sent", file: file as never, sha256: "00", receivers: [] }, "lobby");
  assert.deepEqual(console.live, []);
  assert.equal(console.printed.length, printed + 1);
});

Deno.test("a file whose every byte was handed to a lost connection stays a row until the server has it", () => {
  const { output, console } = view();
  const file = { n: 1, direction: "out", name: "a.bin", size: 100, sender: undefined } as never;
  output.file({ kind: "sending", file }, "lobby");
  output.file({ kind: "progress", file, done: 100 }, "lobby");
  output.file({ kind: "waiting", file, done: 100, for: "connection" }, "lobby");
  assert.match(console.live.join(), /^sending "a\.bin" .* 100 %, waiting to reconnect$/);
  output.file({ kind: "resumed", file, done: 20 }, "lobby");
  assert.match(console.live.join(), / 100 %/, "a bar never goes back");
  output.file({ kind: "sent", file, sha256: "00", receivers: [] }, "lobby");
  assert.deepEqual(console.live, []);
});

Deno.test("/clear forgets what would still be printed", () => {
  const { output, console } = view();
  output.system(presence("joined", "bob"));
  output.forget();
  output.flush();
  assert.deepEqual(console.printed, []);
  assert.deepEqual(console.live, []);
});

Deno.test("showFound() shows the kept lines with a text, whatever its case, and counts them", () => {
  const { output, console } = view();
  for (const text of ["Deploy now", "wait", "deployed"]) output.chat(chat(text));
  console.printed.length = 0;
  assert.equal(output.showFound("DEPLOY", "lobby"), 2);
  assert.deepEqual(console.printed, ["#1 <bob> Deploy now", "#1 <bob> deployed"]);
  assert.equal(output.showFound("nowhere", "lobby"), 0);
});

Deno.test("plain lines have their numbers only where the user looks for them, and are found by them", () => {
  const { output, console } = view();
  for (const [n, text] of ["one", "two", "three"].entries()) {
    output.chat(chat(text, { sequence: 11 + n }));
  }
  assert.deepEqual(console.printed, ["<bob> one", "<bob> two", "<bob> three"]);
  console.printed.length = 0;
  output.showLast(2, "lobby");
  assert.deepEqual(console.printed, ["#12 <bob> two", "#13 <bob> three"]);
  console.printed.length = 0;
  assert.equal(output.showFound("#12", "den"), 1);
  assert.deepEqual(console.printed, ["#12 [lobby] <bob> two"]);
});

Deno.test("a program is told which lines it has had before, and no word of that is found in them", () => {
  const { output, console, settings } = view({ renderer: createJsonRenderer() });
  const again = () =>
    console.printed.splice(0).map((line) => {
      const { text = "file", again } = JSON.parse(line);
      return [text, again];
    });
  const file = { n: 1, direction: "in", name: "a.txt", size: 5, sender: "bob" } as const;
  output.chat(chat("one"));
  output.chat(chat("two", { to: "alice" }));
  output.system(presence("topic", "bob", { text: "three" }));
  output.file({ kind: "offered", file, accepted: false }, "lobby");
  const texts = ["one", "two", "three", "file"];
  assert.deepEqual(again(), texts.map((text) => [text, undefined]));
  output.showLast(4, "lobby");
  assert.deepEqual(again(), texts.map((text) => [text, true]));
  assert.equal(output.showFound("again", "lobby"), 0);
  settings.set("others", "count");
  output.chat(chat("four", { room: "den", elsewhere: true, mention: true }));
  output.chat(chat("five", { room: "den", elsewhere: true }));
  output.showUnread("den", 2, "lobby");
  assert.deepEqual(again(), [["four", undefined], ["four", true], ["five", undefined]]);
});

Deno.test("what was only counted comes under a mark that it is new, and /unread shows what was read past again", () => {
  const { output, console, settings } = view();
  settings.set("others", "count");
  output.chat(chat("one", { room: "den", elsewhere: true }));
  output.chat(chat("two", { room: "den", elsewhere: true }));
  assert.deepEqual(console.printed, []);
  output.moveTo("den");
  assert.deepEqual(console.printed, ["- now in den", "- new", "<bob> one", "<bob> two"]);
  console.printed.length = 0;
  output.showUnread("den", 1, "den");
  assert.deepEqual(console.printed, ["- den: 1 new", "#1 <bob> two"]);
  console.printed.length = 0;
  output.chat(chat("three", { room: "ops", elsewhere: true }));
  output.showUnread("ops", 1, "den");
  assert.deepEqual(console.printed, ["- ops: 1 new", "#1 [ops] <bob> three"]);
  // One that names the user was shown at once: /unread has it in its place.
  const said = (text: string, second: number, mention = false) =>
    output.chat(chat(text, {
      room: "ops",
      elsewhere: true,
      mention,
      time: `2026-11-23T12:00:0${second}.000Z`,
    }));
  said("four", 4);
  said("alice: five", 5, true);
  said("six", 6);
  console.printed.length = 0;
  output.showUnread("ops", 3, "den");
  assert.deepEqual(console.printed, [
    "- ops: 3 new",
    "#1 [ops] <bob> four",
    "#1 [ops] <bob> alice: five",
    "#1 [ops] <bob> six",
  ]);
});
