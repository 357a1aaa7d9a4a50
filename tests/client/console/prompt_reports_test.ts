// What the program asks of the terminal beside painting: its background, bells, notices, rows that change in place.
import assert from "node:assert/strict";
import { PresenceFold } from "../../../client/output/presence_fold.ts";
import { painted } from "../../helpers/fakes/painted_renderer.ts";
import { createRichRenderer } from "../../../client/render/rich.ts";
import type { SystemLine } from "../../../client/render/text.ts";
import { barText } from "../../../client/render/transfer_text.ts";
import { Style } from "../../../client/terminal/style.ts";
import { HOSTILE_FILE_NAMES, HOSTILE_TEXTS } from "../../helpers/hostile/hostile_text.ts";
import { KeyParser } from "../../../client/terminal/keys.ts";
import { DISPUTED_CLUSTERS, learnWidths } from "../../../client/terminal/width.ts";
import { openPrompt } from "./terminal_harness.ts";

const ANSWERS = ["\x1b]11;rgb:ffff/ffff/ffff\x1b\\", "\x1b]11;rgb:ffff/ffff/ffff\x07"];

for (const answer of ANSWERS) {
  const end = answer.endsWith("\x07") ? "BEL" : "ST";
  Deno.test(`the terminal's answer about its background is taken, wherever it is cut (ended by ${end})`, async () => {
    for (let cut = 1; cut < answer.length; cut++) {
      await using chat = await openPrompt({ columns: 40, rows: 6 });
      const asked = chat.prompt.background();
      assert.equal(chat.tty.writes.at(-1), "\x1b]11;?\x1b\\\x1b[c");
      await chat.type(`ab${answer.slice(0, cut)}`);
      chat.timers.advance(200); // Longer than a key's sequence may take.
      await chat.type(`${answer.slice(cut)}cd`);
      assert.deepEqual(await asked, [255, 255, 255]);
      assert.deepEqual(chat.tty.screen, ["alice> abcd"], `cut at ${cut}`);
    }
  });
}

Deno.test("a terminal that says nothing costs a second and no key", async () => {
  await using chat = await openPrompt({ columns: 40, rows: 6 });
  const asked = chat.prompt.background();
  await chat.type("typed");
  chat.timers.advance(1_000);
  assert.equal(await asked, undefined);
  await chat.type("\x1b");
  chat.timers.advance(60);
  await chat.type("on");
  assert.deepEqual(chat.tty.screen, ["alice> typedon"]);
});

Deno.test("a terminal that does not know the question costs no time: its next answer says so", async () => {
  await using chat = await openPrompt({ columns: 40, rows: 6 });
  const asked = chat.prompt.background();
  await chat.type("a\x1b[?62;22cb");
  assert.equal(await asked, undefined);
  assert.deepEqual(chat.tty.screen, ["alice> ab"]);
});

Deno.test("a prompt that closes waits for the answers to its questions, a second at most", async () => {
  for (const answers of [true, false]) {
    await using chat = await openPrompt({ columns: 40, rows: 6 });
    void chat.prompt.background();
    let isClosed = false;
    const closing = chat.prompt.close().then(() => isClosed = true);
    await chat.settle();
    assert.equal(isClosed, false);
    if (answers) await chat.type(`${ANSWERS[0]}\x1b[?62;22c`);
    else chat.timers.advance(1_000);
    await closing;
    assert.ok(chat.tty.closed);
  }
});

Deno.test("an answer that comes too late, whole or in pieces, is not typed text", async () => {
  for (const answer of ANSWERS) {
    await using chat = await openPrompt({ columns: 40, rows: 6 });
    void chat.prompt.background();
    chat.timers.advance(1_000);
    await chat.type(answer);
    await chat.type("x");
    assert.deepEqual(chat.tty.screen, ["alice> x"]);
  }
  const parser = new KeyParser();
  const feed = (text: string) => parser.feed(new TextEncoder().encode(text));
  parser.expectsReport = true;
  assert.deepEqual(feed("\x1b]11;rgb:ff"), []);
  assert.deepEqual(parser.timeOut(), []);
  assert.deepEqual(feed("ff/ffff/ffff\x07ok"), [{ kind: "text", text: "ok" }]);
  assert.deepEqual(feed("\x1b]11;rgb:ff"), []);
  assert.deepEqual(parser.timeOut(), []);
  assert.deepEqual(feed("hello"), [{ kind: "text", text: "hello" }], "a person types again");
});

Deno.test("rows that change in place stand above the input, never scroll, and go without a trace", async () => {
  await using chat = await openPrompt({ columns: 40, rows: 12 });
  chat.prompt.setStatus("lobby");
  chat.prompt.print("bob: one");
  chat.prompt.setLive(["* carol joined."]);
  await chat.type("typed");
  assert.deepEqual(chat.tty.screen, ["bob: one", "* carol joined.", "alice> typed", "lobby"]);
  for (let percent = 0; percent <= 100; percent += 10) {
    chat.prompt.setLive(["* carol joined.", `sending "film" ${percent} %`]);
    await chat.settle();
  }
  assert.deepEqual(chat.tty.logicalLines, [
    "bob: one",
    "* carol joined.",
    'sending "film" 100 %',
    "alice> typed",
    "lobby",
  ]);
  assert.deepEqual(chat.tty.cursor, { row: 3, column: 12 });
  chat.prompt.setLive([]);
  chat.prompt.print("* carol joined.");
  chat.prompt.print("bob: two");
  await chat.settle();
  assert.deepEqual(chat.tty.logicalLines, [
    "bob: one",
    "* carol joined.",
    "bob: two",
    "alice> typed",
    "lobby",
  ]);
});

for (const columns of [40, 80, 200]) {
  Deno.test(`rows that change in place survive wrapped input and resizes from ${columns} columns`, async () => {
    await using chat = await openPrompt({ columns, rows: 24 });
    chat.prompt.setStatus("lobby");
    chat.prompt.setLive(["live row one", `live row two ${"x".repeat(150)}`]);
    await chat.type("word ".repeat(30));
    for (const [index, size] of [30, columns, 120, 60, columns].entries()) {
      chat.tty.resize(size, 24);
      chat.prompt.print(`bob: message ${index}`);
      await chat.settle();
    }
    const { screen } = chat.tty;
    assert.equal(screen.filter((row) => row === "live row one").length, 1, screen.join("\n"));
    const messages = chat.tty.logicalLines.filter((line) => line.startsWith("bob: message"));
    assert.deepEqual(messages, [0, 1, 2, 3, 4].map((index) => `bob: message ${index}`));
  });
}

Deno.test("in a small terminal the conversation has the room, not what changes in place", async () => {
  await using chat = await openPrompt({ columns: 40, rows: 5 });
  chat.prompt.setStatus("lobby");
  chat.prompt.setLive(["one", "two", "three"]);
  await chat.type("x");
  assert.deepEqual(chat.tty.screen, ["alice> x", "lobby"]);
});

Deno.test("the bell rings, and a notice cannot break out of its sequence", async () => {
  await using chat = await openPrompt({ columns: 40, rows: 5 });
  const { terminal } = chat.tty;
  let bells = 0;
  terminal.onBell(() => bells++);
  const notices: string[] = [];
  for (const code of [9, 777]) {
    terminal.parser.registerOscHandler(code, (data) => (notices.push(data), true));
  }
  const text = "bob\x1b\\\x07; in \x9clobby";
  chat.prompt.alert({});
  chat.prompt.alert({ notice: { form: "osc9", text } });
  chat.prompt.alert({ notice: { form: "osc777", text } });
  await chat.settle();
  assert.equal(bells, 3);
  assert.equal(notices.length, 2);
  assert.match(notices[1] ?? "", /^notify;cmdchat;[^;]*$/);
  assert.deepEqual(chat.tty.screen, ["alice>"]);
});

Deno.test("no hostile name of a member or a file does anything in the rows that change in place", async () => {
  await using chat = await openPrompt({ columns: 80, rows: 24 });
  chat.prompt.setStatus("lobby");
  const { terminal } = chat.tty;
  const replies: string[] = [];
  terminal.onData((data) => replies.push(data));
  terminal.onBell(() => replies.push("bell"));
  terminal.onTitleChange(() => replies.push("title"));
  const modes = JSON.stringify(terminal.modes);
  const renderer = painted(createRichRenderer({ columns: () => 80 }), {
    style: new Style("true"),
  });
  for (const { label, text } of [...HOSTILE_TEXTS, ...HOSTILE_FILE_NAMES]) {
    const fold = new PresenceFold();
    for (const event of ["joined", "left"]) {
      fold.add({ event, name: text, text: `${text} ${event}`, room: text, time: "" });
    }
    const file = { n: 1, direction: "in", name: text, size: 100, sender: text } as const;
    chat.prompt.setLive([
      renderer.system(fold.summary as SystemLine).split("\n")[0] ?? "",
      barText(file, { done: 40, how: "1 KiB/s, 1 s left", columns: 79 }),
    ]);
    await chat.settle();
    const { screen, cursor } = chat.tty;
    assert.deepEqual(screen.slice(2), ["alice>", "lobby"], label);
    assert.deepEqual(cursor, { row: 2, column: 7 }, label);
    assert.match(screen[0] ?? "", /^\u200e? ?--:--:-- \* ./, label);
    assert.match(screen[1] ?? "", /^receiving /, label);
  }
  assert.equal(JSON.stringify(terminal.modes), modes);
  assert.deepEqual(replies, []);
});

/** What a terminal says where each picture and sign takes two cells, in the order of the questions. */
const WIDTH_ANSWERS = `${"\x1b[1;3R".repeat(Object.keys(DISPUTED_CLUSTERS).length)}\x1b[?62;22c`;

Deno.test("the terminal's answers about widths are taken, wherever they are cut, and are never typed text", async () => {
  for (let cut = 1; cut < WIDTH_ANSWERS.length; cut++) {
    await using chat = await openPrompt({ columns: 40, rows: 6, asksWidths: true });
    await chat.type(`ab${WIDTH_ANSWERS.slice(0, cut)}`);
    chat.timers.advance(200); // Longer than a key's sequence may take.
    await chat.type(`${WIDTH_ANSWERS.slice(cut)}cd`);
    assert.deepEqual(chat.tty.screen, ["alice> abcd"], `cut at ${cut}`);
  }
  learnWidths({});
});

Deno.test("answers about widths that come after their second, whole or in pieces, are not typed text", async () => {
  for (let cut = 2; cut <= WIDTH_ANSWERS.length; cut++) {
    // A lone Escape for a second is the key.
    if (WIDTH_ANSWERS[cut - 1] === "\x1b") continue;
    await using chat = await openPrompt({ columns: 40, rows: 6, asksWidths: true });
    await chat.type(WIDTH_ANSWERS.slice(0, cut));
    chat.timers.advance(1_000);
    await chat.settle();
    await chat.type(WIDTH_ANSWERS.slice(cut));
    await chat.type("x");
    assert.deepEqual(chat.tty.screen, ["alice> x"], `cut at ${cut}`);
  }
  learnWidths({});
});

Deno.test("a question waits for the one before, and is not asked once the prompt closes", async () => {
  await using chat = await openPrompt({ columns: 40, rows: 6, asksWidths: true });
  const asked = chat.prompt.background();
  const isAsked = () => chat.tty.writes.some((text) => text.includes("\x1b]11;?"));
  assert.equal(isAsked(), false);
  const closing = chat.prompt.close();
  await chat.type(WIDTH_ANSWERS);
  await closing;
  assert.deepEqual([await asked, isAsked()], [undefined, false]);
  learnWidths({});
});
