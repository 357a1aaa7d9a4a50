import assert from "node:assert/strict";
import { openPrompt } from "./terminal_harness.ts";

const LONG = "the quick brown fox jumps over the lazy dog";
const MESSAGES = Array.from({ length: 12 }, (_, index) => `bob: message ${index}`);

for (const [from, to] of [[80, 40], [80, 20], [40, 33], [40, 20], [200, 25], [20, 80], [40, 41]]) {
  Deno.test(`a resize from ${from} to ${to} columns keeps messages and input`, async () => {
    await using chat = await openPrompt({ columns: from as number, rows: 12 });
    chat.prompt.setStatus("lobby | connected | 12 members | sealed");
    for (const message of MESSAGES) chat.prompt.print(message);
    await chat.type(`${LONG} ${LONG}`);
    chat.tty.resize(to as number, 12);
    await chat.settle();
    const lines = chat.tty.logicalLines;
    assert.deepEqual(lines.slice(0, MESSAGES.length), MESSAGES);
    const shown = lines.slice(MESSAGES.length).join("").replaceAll(" ", "");
    const typed = `alice> ${LONG} ${LONG}lobby | connected`.replaceAll(" ", "");
    assert.equal(shown.slice(0, typed.length), typed);
    await chat.type("!\r");
    assert.deepEqual(chat.events, [{ kind: "line", text: `${LONG} ${LONG}!` }]);
    assert.deepEqual(chat.tty.logicalLines.slice(0, -1), [...MESSAGES, "alice>"]);
  });
}

for (const [from, to] of [[80, 40], [80, 20], [40, 33], [200, 25], [20, 80]]) {
  Deno.test(`a message that comes before the signal of a resize from ${from} to ${to} columns leaves one input`, async () => {
    await using chat = await openPrompt({ columns: from as number, rows: 12 });
    chat.prompt.setStatus("lobby | connected");
    for (const message of MESSAGES) chat.prompt.print(message);
    await chat.type(`${LONG} ${LONG}`);
    chat.tty.resizeUnheard(to as number, 12);
    chat.prompt.print("bob: meanwhile");
    await chat.settle();
    chat.tty.measure();
    await chat.settle();
    const lines = chat.tty.logicalLines;
    assert.deepEqual(lines.slice(0, MESSAGES.length + 1), [...MESSAGES, "bob: meanwhile"]);
    const shown = lines.slice(MESSAGES.length + 1).join("").replaceAll(" ", "");
    assert.equal(shown, `alice> ${LONG} ${LONG}lobby | connected`.replaceAll(" ", ""));
  });
}

Deno.test("a window dragged through many widths leaves one input on the screen", async () => {
  await using chat = await openPrompt({ columns: 60, rows: 10 });
  chat.prompt.setStatus("lobby | connected");
  for (const message of MESSAGES) chat.prompt.print(message);
  await chat.type(LONG);
  for (let columns = 59; columns >= 20; columns--) {
    chat.tty.resize(columns, 10);
    if (columns % 3 === 0) await chat.settle();
  }
  for (let columns = 21; columns <= 60; columns++) {
    chat.tty.resize(columns, 10);
    if (columns % 4 === 0) await chat.settle();
  }
  await chat.settle();
  // xterm.js moves the screen up for each row that it wraps, at last the input's first row out of reach:
  // what a narrower input left behind may stand in the scrollback, but no message is lost or doubled.
  const lines = chat.tty.logicalLines;
  assert.deepEqual(lines.filter((line) => line.startsWith("bob")), MESSAGES);
  assert.deepEqual(chat.tty.screen.slice(-2), [`alice> ${LONG}`, "lobby | connected"]);
  assert.equal(chat.tty.screen.filter((line) => line.startsWith("alice")).length, 1);
});

Deno.test("a window made lower and higher again keeps messages and input", async () => {
  await using chat = await openPrompt({ columns: 40, rows: 20 });
  chat.prompt.setStatus("lobby");
  for (const message of MESSAGES) chat.prompt.print(message);
  await chat.type("hello");
  for (const rows of [10, 4, 3, 2, 1, 2, 5, 20]) {
    chat.tty.resize(40, rows);
    await chat.settle();
    assert.ok(chat.tty.screen.includes("alice> hello"), `${rows} rows: ${chat.tty.screen}`);
  }
  assert.deepEqual(chat.tty.logicalLines, [...MESSAGES, "alice> hello", "lobby"]);
});

Deno.test("a message printed in the same moment as a resize is there once", async () => {
  await using chat = await openPrompt({ columns: 40, rows: 8 });
  chat.prompt.setStatus("lobby");
  await chat.type(LONG);
  chat.prompt.print("bob: before");
  chat.tty.resize(25, 8);
  chat.prompt.print("bob: after");
  await chat.settle();
  assert.deepEqual(chat.tty.screen, [
    "bob: before",
    "bob: after",
    "alice> the quick brown f",
    "ox jumps over the lazy d",
    "og",
    "lobby",
  ]);
});
