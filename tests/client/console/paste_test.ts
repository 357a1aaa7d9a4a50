// Pastes of every kind, whole and in pieces, fast and slow: nothing of them is sent by itself, and nothing is lost.
import assert from "node:assert/strict";
import { openPlain, openPrompt } from "./terminal_harness.ts";

const START = "\x1b[200~";
const END = "\x1b[201~";
const LINES = Array.from({ length: 20 }, (_, n) => `line ${n}`);
const SIZE = { columns: 80, rows: 40 } as const;

/** Pieces with the pause before each in ms, what is in the input line after them, and what was sent. */
const PASTES: readonly (readonly [string, readonly (readonly [string, number])[], string])[] = [
  [
    "a paste that stalls",
    [[`${START}first\rsecond\r`, 0], [`my password\rx${END}`, 1_600]],
    "first\nsecond\nmy password\nx",
  ],
  ["a paste that stalls for a minute", [[`${START}a\r`, 0], ["b", 60_000], [END, 60_000]], "a\nb"],
  ["an end that comes in pieces", [[`${START}a\rb\x1b[20`, 0], ["1~", 1_600]], "a\nb"],
  ["a paste within a paste", [[`${START}a${START}b\rc${END}`, 0]], "a[200~b\nc"],
  ["lines without brackets", [[LINES.join("\r"), 0]], LINES.join("\n")],
  [
    "lines without brackets, with a last Enter",
    [[`${LINES.join("\r")}\r`, 0]],
    `${LINES.join("\n")}\n`,
  ],
  ["pieces that end with a line", [["one\r", 0], ["two\r", 10], ["three", 10]], "one\ntwo\nthree"],
  [
    "pieces over a slow connection",
    [["one\rtwo\r", 0], ["three\r", 300], ["four", 300]],
    "one\ntwo\nthree\nfour",
  ],
  ["a table without brackets", [["a\tb\rc\td", 0]], "a\tb\nc\td"],
  ["line feeds without brackets", [["a\nb", 0]], "a\nb"],
  ["a binary file without brackets", [["a\r\x04b\r\x03c\x1ad\x03\x03e", 0]], "a\nb\ncde"],
  [
    "a binary file without brackets, in pieces",
    [["a\rb\x03", 0], ["\x1a", 300], ["c\x03", 300], ["d", 300]],
    "a\nbcd",
  ],
];

const CONSOLES = { "the prompt": openPrompt, "--plain": openPlain } as const;

for (const [label, pieces, input] of PASTES) {
  for (const [where, open] of Object.entries(CONSOLES)) test(label, { where, open, pieces, input });
}

interface PasteCase {
  readonly where: string;
  readonly open: (typeof CONSOLES)[keyof typeof CONSOLES];
  readonly pieces: (typeof PASTES)[number][1];
  readonly input: string;
}

function test(label: string, { where, open, pieces, input }: PasteCase): void {
  Deno.test(`nothing of a paste is sent by itself: ${label}, in ${where}`, async () => {
    await using chat = await open({ ...SIZE, pasteLines: () => 0 });
    for (const [text, pause] of pieces) {
      chat.timers.advance(pause);
      chat.send(text);
      await chat.tty.flush();
      await new Promise((resolve) => setTimeout(resolve, 0));
    }
    await chat.settle();
    assert.deepEqual(chat.events, []);
    chat.timers.advance(1_000);
    await chat.type("!\r");
    assert.deepEqual(chat.events, [{ kind: "line", text: `${input}!` }]);
  });
}

Deno.test("typed lines are sent, also where a slow connection delivers a line and its Enter at once", async () => {
  await using chat = await openPrompt(SIZE);
  await chat.type("hello\r");
  await chat.type("a");
  await chat.type("\r");
  assert.deepEqual(chat.events.map((event) => event.kind === "line" && event.text), ["hello", "a"]);
});

Deno.test("a paste whose end does not come says so, and Ctrl-C ends it", async () => {
  await using chat = await openPrompt(SIZE);
  await chat.type(`${START}secret\r`);
  chat.timers.advance(1_100);
  await chat.settle();
  assert.match(
    chat.tty.screen.at(-1) ?? "",
    /the paste continues \(7 characters so far\); Ctrl-C ends it here/,
  );
  await chat.type("\x03");
  assert.deepEqual(chat.events, []);
  await chat.type("!\r");
  assert.deepEqual(chat.events, [{ kind: "line", text: "secret!" }]);
});

Deno.test("Ctrl-C behind a paste without brackets means what it says, once it is clear that nothing follows", async () => {
  await using chat = await openPrompt(SIZE);
  chat.send("a\rb\x03");
  await chat.settle();
  assert.match(chat.tty.screen.join("\n"), /> a\n *b/);
  chat.timers.advance(600);
  await chat.settle();
  assert.doesNotMatch(chat.tty.screen.join("\n"), /> a/);
});

Deno.test("a burst of many lines is asked about like any long paste", async () => {
  await using chat = await openPrompt(SIZE);
  await chat.type("");
  chat.send(LINES.join("\r"));
  await chat.settle();
  chat.timers.advance(1_000);
  await chat.type("\r");
  assert.deepEqual(chat.events, []);
  assert.match(chat.tty.screen.at(-1) ?? "", /one message of 20 lines/);
});
