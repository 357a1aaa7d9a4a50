// Looking back in the alternate screen, on a terminal emulator: pages, search, what comes meanwhile, and the way back.
import assert from "node:assert/strict";
import type { DrawLine } from "../../../client/console/look_back.ts";
import { openPrompt } from "./terminal_harness.ts";

const SIZE = { columns: 40, rows: 8 } as const;
const HINT = "/ searches, n and N go to other hits, q returns";

function lines(...texts: readonly string[]): DrawLine[] {
  return texts.map((text) => () => text);
}

const LINES = Array.from({ length: 30 }, (_, n) => `line ${n}${n % 10 === 3 ? " has a word" : ""}`);

/** A prompt with 30 lines to look back at; the last of them are on the screen. */
async function open(earlier?: () => Promise<readonly DrawLine[]>) {
  const kept = lines(...LINES);
  const chat = await openPrompt({ ...SIZE, lookBack: () => ({ kept, earlier }) });
  for (const line of LINES) chat.prompt.print(line);
  await chat.type("half a ");
  return chat;
}

Deno.test("PgUp opens the page before, and PgDn at the end comes back to where one was", async () => {
  await using chat = await open();
  const before = chat.tty.screen;
  await chat.type("\x1b[5~");
  assert.equal(chat.tty.terminal.buffer.active.type, "alternate");
  assert.deepEqual(chat.tty.screen.slice(0, -1), LINES.slice(16, 23).map((line) => line));
  assert.match(chat.tty.screen.at(-1) ?? "", /^7 rows back · /);
  await chat.type("\x1b[6~");
  assert.match(chat.tty.screen.at(-1) ?? "", /^the end · /);
  await chat.type("\x1b[6~");
  assert.equal(chat.tty.terminal.buffer.active.type, "normal");
  assert.deepEqual(chat.tty.screen, before);
  await chat.type("thought\r");
  assert.deepEqual(chat.events, [{ kind: "line", text: "half a thought" }]);
});

Deno.test("what is said while one looks back is counted, and stands there afterwards", async () => {
  await using chat = await open();
  await chat.type("\x1b[5~");
  for (let n = 0; n < 3; n++) chat.prompt.print(`said meanwhile ${n}`);
  await chat.settle();
  assert.match(chat.tty.screen.at(-1) ?? "", /^7 rows back · 3 new · /);
  assert.ok(chat.tty.screen.every((row) => !row.includes("meanwhile")));
  for (const key of ["q", "\x1b", "\x03", "\r"]) {
    await chat.type(key);
    chat.timers.advance(60);
    await chat.settle();
    assert.equal(chat.tty.terminal.buffer.active.type, "normal", JSON.stringify(key));
    await chat.type("\x1b[5~");
  }
  await chat.type("q");
  assert.deepEqual(
    chat.tty.logicalLines.filter((line) => line.includes("meanwhile")),
    [0, 1, 2].map((n) => `said meanwhile ${n}`),
  );
  assert.deepEqual(chat.events, []);
});

Deno.test("a search goes from the newest line back with n, and forth with N; what is not there is said", async () => {
  await using chat = await open();
  chat.prompt.lookBack("A WORD");
  await chat.settle();
  const found = () => chat.tty.screen.filter((row) => /has a word$/.test(row));
  const status = () => chat.tty.screen.at(-1) ?? "";
  assert.deepEqual(found(), ["line 23 has a word"]);
  assert.match(status(), /"a word" 1 of 3/);
  await chat.type("n");
  assert.match(status(), /"a word" 2 of 3/);
  assert.ok(found().includes("line 13 has a word"));
  await chat.type("nn");
  assert.match(status(), /"a word" 3 of 3/, "there is no further one");
  await chat.type("N");
  assert.match(status(), /"a word" 2 of 3/);
  await chat.type("/nowherx\x7fe\r");
  assert.match(status(), /not found: "nowhere"/);
  await chat.type("/line 7\r");
  assert.match(status(), /"line 7" 1 of 1/);
  const row = chat.tty.screen.indexOf("line 7");
  const line = chat.tty.terminal.buffer.active.getLine(row);
  assert.ok(line?.getCell(0)?.isInverse());
});

Deno.test("lines of an earlier call come before the others, and a search goes on in them", async () => {
  const { promise, resolve } = Promise.withResolvers<readonly DrawLine[]>();
  await using chat = await open(() => promise);
  chat.prompt.lookBack("long ago");
  await chat.settle();
  assert.match(chat.tty.screen.at(-1) ?? "", /not found: "long ago"/);
  resolve(lines("said long ago", "and then"));
  await chat.settle();
  assert.equal(chat.tty.screen[0], "said long ago");
  assert.match(chat.tty.screen.at(-1) ?? "", /1 of 1/);
});

Deno.test("a view follows the size of the terminal, and closes for a question and at the end", async () => {
  await using chat = await open();
  await chat.type("\x1b[5~");
  chat.tty.resize(30, 5);
  await chat.settle();
  assert.equal(chat.tty.screen.length, 5);
  assert.match(chat.tty.screen.at(-1) ?? "", /^7 rows back · /);
  const answer = chat.prompt.ask("Sure?");
  await chat.settle();
  assert.equal(chat.tty.terminal.buffer.active.type, "normal");
  await chat.type("yes\r");
  assert.equal(await answer, "yes");
  await chat.type("\x1b[5~");
  const closing = chat.prompt.close();
  await chat.settle();
  await closing;
  assert.equal(chat.tty.terminal.buffer.active.type, "normal");
});

Deno.test("a row that fills the terminal keeps its last letter", async () => {
  const full = "x".repeat(SIZE.columns - 1) + "y";
  await using chat = await openPrompt({ ...SIZE, lookBack: () => ({ kept: lines(full) }) });
  await chat.type("\x1b[5~");
  assert.equal(chat.tty.screen[0], full);
});

Deno.test("with nothing to look back at the view says so and closes", async () => {
  await using chat = await openPrompt({ columns: 60, rows: 8, lookBack: () => ({ kept: [] }) });
  await chat.type("\x1b[5~");
  assert.deepEqual(chat.tty.screen.at(-1), `the end · ${HINT}`);
  await chat.type("q");
  assert.deepEqual(chat.tty.screen, ["alice>"]);
});
