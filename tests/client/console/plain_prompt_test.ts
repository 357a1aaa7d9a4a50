// The prompt of --plain on a terminal emulator: what is typed is seen, what is written never changes.
import assert from "node:assert/strict";
import { openPlain, openPrompt } from "./terminal_harness.ts";

const SIZE = { columns: 20, rows: 12 } as const;

/** What is typed, and the rows that the terminal shows then. */
const TYPED: readonly (readonly [string, readonly string[]])[] = [
  ["hello", ["hello"]],
  ["hellp\x7fo", ["hello"]],
  ["日本語\x7f\x7f!", ["日!"]],
  // Where terminals disagree about a width, the line is shown again.
  ["हिन्दी\x7fx", ["हिन्दी", "हिx"]],
  ["one two  \x17three", ["one three"]],
  ["one two\x15three", ["three"]],
  ["one\x1b\r two\x7f\x7f\x7f\x7f\x7f", ["one", "one"]],
  // A row that is full is left alone: terminals do not go back over its start.
  ["x".repeat(22) + "\x7f\x7f\x7f", ["x".repeat(20), "", "x".repeat(19)]],
  ["a\tb", ["a    b"]],
  ["typed\x12", ["typed", "typed"]],
  ["given up\x03next", ["given up^C", "next"]],
  ["first\r", ["first"]],
];

for (const [typed, rows] of TYPED) {
  Deno.test(`--plain shows what is typed: ${JSON.stringify(typed)}`, async () => {
    await using chat = await openPlain(SIZE);
    await chat.type(typed);
    assert.deepEqual(chat.tty.screen, rows);
  });
}

Deno.test("a line that comes while something is typed has its own row, and the text goes on", async () => {
  await using chat = await openPlain(SIZE);
  await chat.type("half a ");
  chat.prompt.print("<bob> hi\n    there");
  await chat.type("thought\r");
  assert.deepEqual(chat.tty.screen, ["half a", "<bob> hi", "    there", "thought"]);
  assert.deepEqual(chat.events, [{ kind: "line", text: "half a thought" }]);
});

Deno.test("a hidden question shows nothing of its answer, and the typed text comes back after it", async () => {
  await using chat = await openPlain(SIZE);
  await chat.type("draft");
  const answer = chat.prompt.ask("Token:", { hidden: true });
  await chat.type("secres\x7fst\x7f\x7ft\r");
  assert.equal(await answer, "secret");
  await chat.settle();
  assert.deepEqual(chat.tty.screen, ["draft", "Token:", "draft"]);
  const refused = chat.prompt.ask("Sure?");
  await chat.type("\x03\x03\r");
  assert.equal(await refused, undefined);
  assert.deepEqual(chat.events, []);
});

Deno.test("--plain asks about a long paste, and says when one pauses", async () => {
  await using chat = await openPlain({ columns: 80, rows: 24 });
  const paste = Array.from({ length: 7 }, (_, n) => `line ${n}`).join("\r");
  await chat.type("\x1b[200~");
  chat.send(paste);
  await chat.settle();
  chat.timers.advance(1_100);
  await chat.settle();
  assert.match(chat.tty.screen.at(-1) ?? "", /^- the paste continues \(48 characters so far\)/);
  chat.send("\x1b[201~");
  await chat.settle();
  await chat.type("\r");
  assert.deepEqual(chat.events, []);
  assert.match(chat.tty.screen.at(-1) ?? "", /^- this is one message of 7 lines, 48 bytes: Enter/);
  await chat.type("\r");
  assert.deepEqual(chat.events, [{ kind: "line", text: paste.replaceAll("\r", "\n") }]);
});

Deno.test("the up key brings back what was entered, and a line that was refused comes back by itself", async () => {
  await using chat = await openPlain(SIZE);
  await chat.type("one\r");
  await chat.type("\x1b[A!\r");
  chat.prompt.setInput("refused");
  await chat.type("?\r");
  assert.deepEqual(
    chat.events.map((event) => event.kind === "line" && event.text),
    ["one", "one!", "refused?"],
  );
});

Deno.test("Ctrl-C and Ctrl-D on an empty line are for the program", async () => {
  await using chat = await openPlain(SIZE);
  await chat.type("x\x04\x7f\x03\x04");
  assert.deepEqual(chat.events, [{ kind: "interrupt" }, { kind: "end" }]);
});

Deno.test("a terminal that knows no brackets gets no sequence at all", async () => {
  await using chat = await openPlain({ ...SIZE, brackets: false });
  await chat.type("hello\r");
  assert.doesNotMatch(chat.tty.writes.join(""), /\p{Cc}\[/u);
});

Deno.test("printed text goes where the output goes, and typed text to the terminal", async () => {
  const printed: string[] = [];
  const redirected = (text: string) => Promise.resolve(void printed.push(text));
  await using chat = await openPlain({ ...SIZE, redirected });
  await chat.type("typ");
  chat.prompt.print("<bob> hi");
  await chat.type("ed");
  assert.deepEqual([printed, chat.tty.screen], [["<bob> hi\n"], ["typed"]]);
});

Deno.test("an output that takes no more ends the input, and closing tells it once", async () => {
  await using chat = await openPlain({
    ...SIZE,
    redirected: () => Promise.reject(Object.assign(new Error(), { code: "ENOSPC" })),
  });
  chat.prompt.print("lost");
  await chat.settle();
  assert.deepEqual(chat.events, [{ kind: "end" }]);
  await assert.rejects(chat.prompt.close(), /Cannot write the output: the disk is full/);
  assert.ok(chat.tty.closed);
  chat.prompt.close = () => Promise.resolve();
});

for (const [where, open] of Object.entries({ "the prompt": openPrompt, "--plain": openPlain })) {
  Deno.test(`Ctrl-Z where only a key can stop the program: the terminal is given back, Enter goes on, in ${where}`, async () => {
    await using chat = await open({ columns: 60, rows: 12 });
    chat.tty.stopping = "keyboard";
    await chat.type("half a ");
    await chat.type("\x1a");
    assert.match(
      chat.tty.screen.join("\n"),
      /Press Ctrl-Z once more to suspend, or Enter to continue\./,
    );
    // The shell that nobody reached: a line and its Enter, as the terminal gives it back.
    await chat.type("fg\n");
    await chat.type("thought\r");
    assert.deepEqual(chat.events, [{ kind: "line", text: "half a thought" }]);
  });
}
