// vi's keys at the prompt: what each command makes of a line, and what the user sees of the mode.

import assert from "node:assert/strict";
import { openPrompt, type PromptContext } from "./terminal_harness.ts";

/** What stands in the input line, and where the cursor is: `he|llo`. */
function typed({ tty }: PromptContext): string {
  const row = tty.screen[0] ?? "";
  const { column } = tty.cursor;
  const text = row.padEnd(column);
  return `${text.slice(7, column)}|${text.slice(column)}`;
}

const open = (options: object = {}) =>
  openPrompt({ columns: 80, rows: 8, vi: () => true, ...options });

/** Behind `one two-three 4`, Escape and these keys: what stands there. */
const KEYS: readonly (readonly [string, string])[] = [
  ["", "one two-three |4"],
  ["h", "one two-three| 4"],
  ["3hl", "one two-thre|e 4"],
  ["0", "|one two-three 4"],
  ["0$", "one two-three |4"],
  ["0w", "one |two-three 4"],
  ["0ww", "one two|-three 4"],
  ["0W2l", "one tw|o-three 4"],
  ["0WW", "one two-three |4"],
  ["0e", "on|e two-three 4"],
  ["0ee", "one tw|o-three 4"],
  ["02E", "one two-thre|e 4"],
  ["bb", "one two|-three 4"],
  ["B", "one |two-three 4"],
  ["ge", "one two-thre|e 4"],
  ["0ft", "one |two-three 4"],
  ["0ft;", "one two-|three 4"],
  ["0ft;,", "one |two-three 4"],
  ["02ft", "one two-|three 4"],
  ["0tt", "one| two-three 4"],
  ["0tt;", "one two|-three 4"],
  ["Fo", "one tw|o-three 4"],
  ["To", "one two|-three 4"],
  ["fz", "one two-three |4"],
  ["x", "one two-three|"],
  ["03x", "| two-three 4"],
  ["X", "one two-three|4"],
  ["0D", "|"],
  ["bbD", "one tw|o"],
  ["0dw", "|two-three 4"],
  ["0d2w", "|-three 4"],
  ["02dw", "|-three 4"],
  ["0dW", "|two-three 4"],
  ["0de", "| two-three 4"],
  ["db", "one two-|4"],
  ["0d$", "|"],
  ["d0", "|4"],
  ["0dt-", "|-three 4"],
  ["0df-", "|three 4"],
  ["dge", "one two-thr|e"],
  ["dd", "|"],
  ["0cwsix", "six| two-three 4"],
  ["0cwsix\x1b", "si|x two-three 4"],
  ["0wcWx", "one x| 4"],
  ["0Call", "all|"],
  ["ccall", "all|"],
  ["Sall", "all|"],
  ["0sO", "O|ne two-three 4"],
  ["03sO", "O| two-three 4"],
  ["0wciwfour", "one four|-three 4"],
  ["0wdaw", "one |-three 4"],
  ["0rO", "|One two-three 4"],
  ["03rx", "xx|x two-three 4"],
  ["09r", "|one two-three 4"],
  ["0~", "O|ne two-three 4"],
  ["03~", "ONE| two-three 4"],
  ["0ix", "x|one two-three 4"],
  ["bIx", "x|one two-three 4"],
  ["0ax", "ox|ne two-three 4"],
  ["0A!", "one two-three 4!|"],
  ["0ywP", "one| one two-three 4"],
  ["0yw$p", "one two-three 4one|"],
  ["0xp", "n|oe two-three 4"],
  ["0dwu", "|one two-three 4"],
  ["0dwdwuu", "|one two-three 4"],
  ["0dwu\x12", "|two-three 4"],
  ["0cwsix\x1bu", "|one two-three 4"],
  ["0dw.", "|-three 4"],
  ["0cwsix\x1bw.", "six si|x-three 4"],
  ["0x3.", "|two-three 4"],
  ["0dz", "|one two-three 4"],
  ["0d\x1bx", "|ne two-three 4"],
  ["0\x7f", "|one two-three 4"],
  ["\x7f", "one two-three| 4"],
];

for (const [keys, wanted] of KEYS) {
  Deno.test(`vi: ${JSON.stringify(keys)} leads to ${JSON.stringify(wanted)}`, async () => {
    await using chat = await open();
    await chat.type("one two-three 4");
    await chat.type("\x1b");
    await chat.type(keys);
    assert.equal(typed(chat), wanted);
  });
}

Deno.test("vi: clusters of several characters are one letter", async () => {
  await using chat = await open();
  await chat.type("a👩‍👩‍👧‍👦漢e\u0301");
  await chat.type("\x1b0lx");
  assert.equal(typed(chat).replace("|", ""), "a漢e\u0301");
  await chat.type("$x");
  assert.equal(typed(chat).replace("|", ""), "a漢");
});

Deno.test("vi: Escape is told from Alt by no time: a key right behind it, or after it, is the same command", async () => {
  // As one piece, as two, and as terminals with the kitty keyboard protocol or modifyOtherKeys report it.
  for (const keys of [["\x1b0x"], ["\x1b", "0x"], ["\x1b[27u", "0x"], ["\x1b[27;1u0x"]]) {
    await using chat = await open();
    await chat.type("one");
    for (const piece of keys) await chat.type(piece);
    assert.equal(typed(chat), "|ne", JSON.stringify(keys));
  }
  await using chat = await open();
  await chat.type("one\x1b2");
  await chat.type("\x1b[50;3u");
  assert.deepEqual(chat.events, [{ kind: "room", n: 2 }, { kind: "room", n: 2 }]);
  assert.equal(typed(chat), "one|", "Alt and a digit goes to a room");
});

Deno.test("vi: the status line says the mode and what was typed of a command", async () => {
  await using chat = await open();
  chat.prompt.setStatus("lobby");
  await chat.type("one");
  assert.equal(chat.tty.screen.at(-1), "INSERT · lobby");
  await chat.type("\x1b");
  assert.equal(chat.tty.screen.at(-1), "NORMAL · lobby");
  await chat.type("2d");
  assert.equal(chat.tty.screen.at(-1), "NORMAL 2d · lobby");
  await chat.type("w");
  assert.equal(chat.tty.screen.at(-1), "NORMAL · lobby");
});

Deno.test("vi: the cursor has the shape of the mode, and its own again at the end and while others have the terminal", async () => {
  const shapes = ({ tty }: PromptContext) =>
    // deno-lint-ignore no-control-regex -- DECSCUSR
    [...tty.writes.join("").matchAll(/\x1b\[(\d) q/g)].map(([, shape]) => shape);
  let isVi = false;
  const chat = await open({ vi: () => isVi });
  await chat.type("one");
  assert.deepEqual(shapes(chat), []);
  isVi = true;
  await chat.type("x\x1b");
  await chat.type("i");
  assert.deepEqual(shapes(chat), ["6", "2", "6"]);
  await chat.type("\x1a");
  assert.deepEqual(shapes(chat).at(-1), "0");
  chat.tty.stopHandlers.goOn();
  await chat.settle();
  assert.deepEqual(shapes(chat).at(-1), "6");
  await chat[Symbol.asyncDispose]();
  assert.deepEqual(shapes(chat).at(-1), "0");
});

Deno.test("vi: Enter sends in both modes, and the next line begins with inserting; j and k bring lines back", async () => {
  await using chat = await open();
  await chat.type("one\r");
  await chat.type("two\x1b");
  await chat.type("\r");
  await chat.type("three");
  assert.deepEqual(chat.events.map((event) => event.kind === "line" && event.text), ["one", "two"]);
  assert.equal(typed(chat), "three|");
  await chat.type("\x1b");
  await chat.type("kk");
  assert.equal(typed(chat), "on|e");
  await chat.type("jj");
  assert.equal(typed(chat), "thre|e");
});

Deno.test("vi: several lines: o, O, j, k, dd, yy and p", async () => {
  const lines = ({ tty }: PromptContext) => tty.screen.map((row) => row.trim());
  await using chat = await open();
  await chat.type("b\x1b");
  await chat.type("oc\x1b");
  await chat.type("kOa\x1b");
  assert.deepEqual(lines(chat).slice(0, 3), ["alice> a", "b", "c"]);
  await chat.type("jddp");
  assert.deepEqual(lines(chat).slice(0, 3), ["alice> a", "c", "b"]);
  await chat.type("ggyyP");
  assert.deepEqual(lines(chat).slice(0, 4), ["alice> a", "a", "c", "b"]);
  // Whole lines, down to the last one and up to the first one.
  const rows = () => lines(chat).filter((row) => row !== "" && !row.includes("NORMAL"));
  const whole = ["alice> a", "a", "c", "b"];
  const steps = [["jdG", ["alice> a"]], ["u", whole], ["jdgg", ["alice> c", "b"]], [
    "u",
    whole,
  ]] as const;
  for (const [keys, left] of steps) {
    await chat.type(`gg${keys}`);
    assert.deepEqual(rows(), left, keys);
  }
  await chat.type("GyGp");
  assert.deepEqual(rows(), ["a", "c", "b", "b"]);
  await chat.type("u");
  await chat.type("G2x");
  assert.deepEqual(lines(chat).slice(0, 4), ["alice> a", "a", "c", ""]);
});

Deno.test("vi: a question takes what is typed as it is, and a key of the user's own keeps its meaning", async () => {
  await using chat = await open({ keys: new Map([["alt-b", "/names"]]) });
  await chat.type("\x1b");
  const answer = chat.prompt.ask("Name?");
  await chat.settle();
  await chat.type("dd\r");
  assert.equal(await answer, "dd");
  await chat.type("i\x1bb");
  assert.deepEqual(chat.events, [{ kind: "line", text: "/names" }]);
});

Deno.test("without vi's keys everything is as in Emacs, and a switch in between loses nothing", async () => {
  let isVi = true;
  await using chat = await open({ vi: () => isVi });
  await chat.type("one\x1b");
  isVi = false;
  await chat.type("x");
  assert.equal(typed(chat), "onx|e");
  await chat.type("\x01\x1bf");
  assert.equal(typed(chat), "onxe|");
});

Deno.test("vi: a number before G or gg is that of a line, also for an operator", async () => {
  await using chat = await open();
  chat.prompt.setInput("a\nb\nc\nd");
  await chat.type("\x1b");
  const row = () => chat.tty.cursor.row;
  for (
    const [keys, line] of [["gg", 0], ["3G", 2], ["2gg", 1], ["G", 3], ["1G", 0], [
      "9G",
      3,
    ]] as const
  ) {
    await chat.type(keys);
    assert.equal(row(), line, keys);
  }
  const rows = () => chat.tty.screen.map((line) => line.trim()).slice(0, 3);
  await chat.type("2Gd3G");
  assert.deepEqual(rows().slice(0, 2), ["alice> a", "d"]);
  await chat.type("u");
  await chat.type("Gd3G");
  assert.deepEqual(rows().slice(0, 2), ["alice> a", "b"]);
});
