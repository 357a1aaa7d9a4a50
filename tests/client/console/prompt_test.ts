import { TERMINAL_MODES_OFF } from "../../../client/terminal/terminal_modes.ts";
import assert from "node:assert/strict";
import { openPrompt } from "./terminal_harness.ts";

const LONG = "the quick brown fox jumps over the lazy dog";

Deno.test("a message that arrives leaves the typed text and its cursor as they are", async () => {
  await using chat = await openPrompt({ columns: 40, rows: 6 });
  chat.prompt.setStatus("lobby | connected");
  await chat.type("hello");
  chat.prompt.print("bob: hi there");
  await chat.settle();
  assert.deepEqual(chat.tty.screen, ["bob: hi there", "alice> hello", "lobby | connected"]);
  assert.deepEqual(chat.tty.cursor, { row: 1, column: 12 });
});

Deno.test("messages that arrive while the input wraps to more rows are all on the screen", async () => {
  await using chat = await openPrompt({ columns: 20, rows: 12 });
  chat.prompt.setStatus("lobby | connected, 12 members");
  await chat.type(LONG);
  for (const name of ["one", "two", "three"]) {
    chat.prompt.print(`bob: ${name}`);
    await chat.settle();
  }
  assert.deepEqual(chat.tty.screen, [
    "bob: one",
    "bob: two",
    "bob: three",
    "alice> the quick br",
    "own fox jumps over",
    "the lazy dog",
    "lobby | connected,…",
  ]);
  assert.deepEqual(chat.tty.cursor, { row: 5, column: 12 });
});

for (const columns of [20, 40, 80, 200]) {
  Deno.test(`a long message is wrapped by the terminal itself at ${columns} columns`, async () => {
    await using chat = await openPrompt({ columns, rows: 8 });
    const message = `bob: ${"0123456789".repeat(columns / 10)}`;
    chat.prompt.print(message);
    chat.prompt.setStatus("ok");
    await chat.type("hi");
    assert.deepEqual(chat.tty.logicalLines, [message, "alice> hi", "ok"]);
    assert.deepEqual(chat.tty.screen.slice(0, 2), [
      message.slice(0, columns),
      message.slice(columns),
    ]);
  });
}

Deno.test("a message exactly as wide as the screen leaves no empty row", async () => {
  await using chat = await openPrompt({ columns: 20, rows: 6 });
  chat.prompt.print("x".repeat(20));
  chat.prompt.print("漢".repeat(10));
  await chat.settle();
  assert.deepEqual(chat.tty.screen, ["x".repeat(20), "漢".repeat(10), "alice>"]);
});

Deno.test("a submitted line is wiped and not echoed", async () => {
  await using chat = await openPrompt({ columns: 20, rows: 8 });
  await chat.type(`${LONG}\r`);
  assert.deepEqual(chat.events, [{ kind: "line", text: LONG }]);
  assert.deepEqual(chat.tty.screen, ["alice>"]);
});

Deno.test("an empty line is not an event", async () => {
  await using chat = await openPrompt({ columns: 20, rows: 8 });
  await chat.type("\r\r");
  assert.deepEqual(chat.events, []);
});

Deno.test("wide characters wrap where the terminal has no half cell left", async () => {
  await using chat = await openPrompt({ columns: 20, rows: 6 });
  await chat.type("漢字漢字漢字漢字x");
  assert.deepEqual(chat.tty.screen, ["alice> 漢字漢字漢字", "漢字x"]);
  assert.deepEqual(chat.tty.cursor, { row: 1, column: 5 });
  await chat.type("\x1b[D\x1b[D\x1b[D\x1b[D");
  assert.deepEqual(chat.tty.cursor, { row: 0, column: 17 });
  chat.prompt.print("bob: 👍 ok");
  await chat.type("a");
  assert.deepEqual(chat.tty.screen, ["bob: 👍 ok", "alice> 漢字漢字漢a", "字漢字x"]);
});

for (const modernWidths of [true, false]) {
  const known = modernWidths ? "Unicode 11" : "Unicode 6";
  Deno.test(`emoji stay one cluster each and the rest is in its column (${known} terminal)`, async () => {
    await using chat = await openPrompt({ columns: 40, rows: 6, modernWidths });
    await chat.type("a👨‍👩‍👧b❤️c👍🏽d🇩🇪e");
    const { cursor } = chat.tty;
    assert.deepEqual(cursor, { row: 0, column: 7 + 5 + 4 * 2 });
    assert.match(chat.tty.screen[0] ?? "", /^alice> a.*b.*c.*d.*e$/u);
    await chat.type("\x7f\x7f");
    assert.match(chat.tty.screen[0] ?? "", /^alice> a.*b.*c.*d$/u);
    await chat.type("\x01\x1b[3~\x1b[3~");
    assert.match(chat.tty.screen[0] ?? "", /^alice> b/u);
    await chat.type("\x15\x0b\x19!\r");
    assert.equal(chat.tty.screen.length, 1);
  });
}

Deno.test("a pasted text of several lines is one message that waits for Enter", async () => {
  await using chat = await openPrompt({ columns: 40, rows: 10 });
  await chat.type("\x1b[200~first\r\nsecond\nthird\r\x1b[201~");
  assert.deepEqual(chat.events, []);
  assert.deepEqual(chat.tty.screen, ["alice> first", "second", "third"]);
  chat.prompt.print("bob: meanwhile");
  await chat.settle();
  assert.deepEqual(chat.tty.screen, ["bob: meanwhile", "alice> first", "second", "third"]);
  await chat.type("\r");
  assert.deepEqual(chat.events, [{ kind: "line", text: "first\nsecond\nthird" }]);
});

Deno.test("a paste that is too large is refused whole, and said", async () => {
  await using chat = await openPrompt({ columns: 80, rows: 10 });
  await chat.type("keep");
  await chat.type(`\x1b[200~${"x".repeat(70_000)}\x1b[201~`);
  assert.deepEqual(chat.tty.screen, [
    "alice> keep",
    "cannot take that much text: a paste may have at most 65536 characters",
  ]);
  await chat.type("!");
  assert.deepEqual(chat.tty.screen, ["alice> keep!"]);
});

Deno.test("an input larger than the screen is seen through a window around the cursor", async () => {
  await using chat = await openPrompt({ columns: 20, rows: 8 });
  chat.prompt.setStatus("lobby");
  chat.prompt.print("bob: hi");
  const lines = Array.from({ length: 12 }, (_, index) => `line ${index + 1}`).join("\r");
  await chat.type(`\x1b[200~${lines}\x1b[201~`);
  assert.deepEqual(chat.tty.screen, [
    "bob: hi",
    "line 9",
    "line 10",
    "line 11",
    "line 12",
    "[rows 9-12 of 12] …",
  ]);
  await chat.type("\x1b[1;5H");
  assert.deepEqual(chat.tty.screen.slice(1, 3), ["alice> line 1", "line 2"]);
  assert.deepEqual(chat.tty.cursor, { row: 1, column: 7 });
  assert.equal(chat.tty.screen[0], "bob: hi");
});

for (const rows of [1, 2, 3]) {
  Deno.test(`the input is there in a terminal of ${rows} rows`, async () => {
    await using chat = await openPrompt({ columns: 20, rows });
    chat.prompt.setStatus("lobby");
    chat.prompt.print("bob: one");
    chat.prompt.print("bob: two");
    await chat.type("hello");
    assert.ok(chat.tty.screen.includes("alice> hello"), chat.tty.screen.join("\n"));
    assert.deepEqual(chat.tty.logicalLines.slice(0, 2), ["bob: one", "bob: two"]);
  });
}

Deno.test("Ctrl-C clears what is typed, on an empty line it interrupts", async () => {
  await using chat = await openPrompt({ columns: 40, rows: 5 });
  await chat.type("hello\x03");
  assert.deepEqual(chat.tty.screen, ["alice>"]);
  assert.deepEqual(chat.events, []);
  await chat.type("\x19\x03\x03");
  assert.deepEqual(chat.events, [{ kind: "interrupt" }]);
});

Deno.test("Ctrl-D deletes forward, on an empty line it ends the input", async () => {
  await using chat = await openPrompt({ columns: 40, rows: 5 });
  await chat.type("ab\x02\x04");
  assert.deepEqual(chat.tty.screen, ["alice> a"]);
  await chat.type("\x7f\x04");
  assert.deepEqual(chat.events, [{ kind: "end" }]);
});

Deno.test("Ctrl-L leaves only the input on the screen, clear() also empties the scrollback", async () => {
  await using chat = await openPrompt({ columns: 40, rows: 5 });
  for (let index = 0; index < 20; index++) chat.prompt.print(`message ${index}`);
  await chat.settle();
  await chat.type("typed\x0c");
  assert.deepEqual(chat.tty.screen, ["alice> typed"]);
  assert.deepEqual(
    chat.tty.logicalLines.filter((line) => line.startsWith("message")),
    Array.from({ length: 20 }, (_, index) => `message ${index}`),
  );
  chat.prompt.clear();
  await chat.settle();
  assert.deepEqual(chat.tty.logicalLines, ["alice> typed"]);
});

Deno.test("arrows move over wrapped rows first and then over the entered lines", async () => {
  await using chat = await openPrompt({ columns: 20, rows: 8 });
  await chat.type("older\rold\r");
  await chat.type(LONG);
  await chat.type("\x1b[A");
  assert.deepEqual(chat.tty.cursor, { row: 1, column: 12 });
  await chat.type("\x1b[A\x1b[A");
  assert.deepEqual(chat.tty.screen, ["alice> old"]);
  await chat.type("\x1b[A");
  assert.deepEqual(chat.tty.screen, ["alice> older"]);
  await chat.type("\x1b[B\x1b[B");
  assert.deepEqual(chat.tty.screen, ["alice> the quick br", "own fox jumps over", "the lazy dog"]);
});

Deno.test("Ctrl-R finds entered lines, Enter sends the one that is shown", async () => {
  await using chat = await openPrompt({ columns: 40, rows: 5 });
  await chat.type("/join kitchen\r/join garden\rhello\r");
  await chat.type("draft\x12join");
  assert.deepEqual(chat.tty.screen, ['search "join": /join garden']);
  await chat.type("\x12");
  assert.deepEqual(chat.tty.screen, ['search "join": /join kitchen']);
  await chat.type("\x1b");
  chat.timers.advance(60);
  await chat.settle();
  assert.deepEqual(chat.tty.screen, ["alice> draft"]);
  await chat.type("\x12kit\r");
  assert.deepEqual(chat.events.at(-1), { kind: "line", text: "/join kitchen" });
});

Deno.test("Tab completes what is shared, then each candidate in turn; Shift-Tab goes back", async () => {
  const words = ["/help", "/history", "/halt"];
  await using chat = await openPrompt({
    columns: 40,
    rows: 5,
    complete: (text, cursor) => ({
      start: 0,
      candidates: words.filter((word) => word.startsWith(text.slice(0, cursor))),
    }),
  });
  chat.prompt.setStatus("lobby");
  await chat.type("/\t");
  assert.deepEqual(chat.tty.screen, ["alice> /h", "/help  /history  /halt"]);
  await chat.type("\t\t");
  assert.deepEqual(chat.tty.screen, ["alice> /history", "/help  [/history]  /halt"]);
  await chat.type("\x1b[Z");
  assert.deepEqual(chat.tty.screen, ["alice> /help", "[/help]  /history  /halt"]);
  await chat.type("!");
  assert.deepEqual(chat.tty.screen, ["alice> /help!", "lobby"]);
});

Deno.test("a hidden question shows nothing of its answer and leaves the typed text alone", async () => {
  await using chat = await openPrompt({ columns: 40, rows: 5 });
  await chat.type("draft");
  const answer = chat.prompt.ask("Passphrase:", { hidden: true });
  await chat.type("s3cret");
  assert.deepEqual(chat.tty.screen, ["Passphrase:"]);
  chat.prompt.print("bob: hi");
  await chat.type("!\r");
  assert.equal(await answer, "s3cret!");
  assert.deepEqual(chat.tty.screen, ["bob: hi", "alice> draft"]);
  assert.ok(!chat.tty.writes.join("").includes("s3c"));
  await chat.type("\x15\x1b[A");
  assert.deepEqual(chat.tty.screen, ["bob: hi", "alice>"]);
});

Deno.test("a question is refused by Ctrl-C and by closing", async () => {
  await using chat = await openPrompt({ columns: 40, rows: 5 });
  const first = chat.prompt.ask("Accept?");
  const second = chat.prompt.ask("Sure?");
  await chat.type("\x03");
  assert.equal(await first, undefined);
  await chat.prompt.close();
  assert.equal(await second, undefined);
  assert.deepEqual(chat.events, []);
});

Deno.test("close() wipes the input, restores the modes and leaves the cursor on a fresh line", async () => {
  await using chat = await openPrompt({ columns: 20, rows: 6 });
  chat.prompt.setStatus("lobby");
  await chat.type(LONG);
  chat.prompt.print("last words");
  await chat.prompt.close();
  await chat.prompt.close();
  assert.deepEqual(chat.tty.screen, ["last words"]);
  assert.deepEqual(chat.tty.cursor, { row: 1, column: 0 });
  const { modes } = chat.tty.terminal;
  assert.deepEqual([modes.bracketedPasteMode, modes.wraparoundMode], [false, true]);
  assert.equal(chat.tty.closed, true);
});

Deno.test("the end of the terminal's input is an event", async () => {
  await using chat = await openPrompt({ columns: 20, rows: 6 });
  chat.tty.input.close();
  await chat.settle();
  assert.deepEqual(chat.events, [{ kind: "end" }]);
});

Deno.test("a typed character at the end costs one byte, an unchanged picture none", async () => {
  await using chat = await openPrompt({ columns: 80, rows: 6 });
  chat.prompt.setStatus("lobby");
  await chat.type("hello");
  const before = chat.tty.writes.length;
  await chat.type("!");
  chat.prompt.setPrompt("alice> ");
  chat.prompt.setStatus("lobby");
  await chat.settle();
  assert.deepEqual(chat.tty.writes.slice(before), ["!"]);
});

Deno.test("Alt and a digit, A or an arrow asks for a room, and leaves what is typed alone", async () => {
  await using chat = await openPrompt({ columns: 40, rows: 6 });
  await chat.type("half \x1b2a li\x1ba");
  for (const keys of ["n\x1b[1;3Ae", "\x1b[1;3B", "\x1b0"]) await chat.type(keys);
  assert.deepEqual(
    chat.events,
    [2, "unread", "before", "after"].map((n) => ({ kind: "room", n })),
  );
  assert.equal(chat.tty.screen.at(-1), "alice> half a line");
});

Deno.test("Ctrl-Z gives the terminal back, and the prompt is painted where the shell left off", async () => {
  await using chat = await openPrompt({ columns: 40, rows: 8 });
  await chat.type("half a th");
  await chat.type("\x1a");
  assert.ok(chat.tty.stopped);
  assert.ok(chat.tty.writes.join("").endsWith(TERMINAL_MODES_OFF));
  assert.deepEqual(chat.tty.screen, []);
  chat.prompt.print("while stopped");
  await chat.settle();
  chat.tty.write("[1]+  Stopped\r\n$ fg\r\n");
  chat.tty.stopHandlers.goOn();
  await chat.settle();
  assert.deepEqual(chat.tty.screen, [
    "[1]+  Stopped",
    "$ fg",
    "while stopped",
    "alice> half a th",
  ]);
  await chat.type("ought\r");
  assert.deepEqual(chat.events, [{ kind: "line", text: "half a thought" }]);
});
