// A key costs about what is on the screen, however long the text is that it changes.

import assert from "node:assert/strict";
import { openPlain, openPrompt } from "../console/terminal_harness.ts";

const [SHORT, LONG] = [2_000, 120_000];
/** What is typed: alike in both texts. */
const KINDS: Readonly<Record<string, string>> = {
  "lines of code": "    if (a < b) return f(a, b); // and so on\n",
  "one long line": "word after word, ",
  "one line of Chinese": "這是一個很長的句子",
  "lines of emoji": "\u{1f469}\u{1f3fd} and \u{1f1e9}\u{1f1ea}\n",
};
const MODES: Readonly<Record<string, readonly string[]>> = {
  "Emacs": ["x", "\x7f", "\x1b[D", "\x1b[C", "\x1b[A", "\x1b[B", "\x1bb", "\x1bf"],
  "vi": ["h", "l", "k", "j", "b", "w", "x", "u", "ix", "\x1b\x1b"],
};
/** A text that is 60 times as long is copied in memory some times; all else that grew would show as 60. */
const RATIO_MAX = 15;
const ROUNDS = 5;

/** The least time of each key, together, in ms. */
async function leastTime(
  text: string,
  { mode, where }: { readonly mode: string; readonly where: "start" | "end" },
): Promise<number> {
  await using chat = await openPrompt({ columns: 80, rows: 24, vi: () => mode === "vi" });
  chat.prompt.setInput(text);
  await chat.settle();
  if (mode === "vi") await chat.type("\x1b");
  if (where === "start") await chat.type(mode === "vi" ? "gg" : "\x1b<");
  let all = 0;
  for (const key of MODES[mode] ?? []) {
    let least = Infinity;
    for (let n = 0; n < 6; n++) {
      const start = performance.now();
      chat.send(key);
      // The key is handled and painted before the next task.
      for (let turn = 0; turn < 20; turn++) await Promise.resolve();
      least = Math.min(least, performance.now() - start);
      chat.timers.advance(50);
      await chat.settle();
    }
    all += least;
  }
  return all;
}

const CASES = Object.keys(KINDS).flatMap((kind) =>
  Object.keys(MODES).flatMap((mode) =>
    (["start", "end"] as const).map((where) => ({ kind, mode, where }))
  )
);

for (const { kind, ...how } of CASES) {
  Deno.test(`a key of a long text costs about as much as that of a short one: ${kind}, at its ${how.where}, ${how.mode}`, async () => {
    const piece = KINDS[kind] as string;
    const make = (length: number) => piece.repeat(Math.ceil(length / piece.length)).trimEnd();
    // A busy machine may delay some measurements; what grows with the text fails all of them.
    let seen = "";
    for (let round = 0; round < ROUNDS; round++) {
      const [short, long] = [await leastTime(make(SHORT), how), await leastTime(make(LONG), how)];
      if (long <= RATIO_MAX * short) return;
      seen = `${long.toFixed(2)} ms for a long text, ${short.toFixed(2)} ms for a short one`;
    }
    assert.fail(seen);
  });
}

/** The time for a text that comes in reads of 4 KiB, without brackets around it, in ms. */
async function pasteTime(text: string): Promise<number> {
  await using chat = await openPrompt({ columns: 80, rows: 24 });
  let all = 0;
  for (let at = 0; at < text.length; at += 4_096) {
    const start = performance.now();
    chat.send(text.slice(at, at + 4_096).replaceAll("\n", "\r"));
    for (let turn = 0; turn < 20; turn++) await Promise.resolve();
    all += performance.now() - start;
    await chat.settle();
  }
  return all;
}

Deno.test("a paste without brackets costs as much for each read, however much came before it", async () => {
  const piece = KINDS["lines of code"] as string;
  let seen = "";
  for (let round = 0; round < ROUNDS; round++) {
    const [short, long] = [
      await pasteTime(piece.repeat(200)),
      await pasteTime(piece.repeat(3_000)),
    ];
    if (long <= 15 * short) return;
    seen = `${long.toFixed(1)} ms for 15 times as much as in ${short.toFixed(1)} ms`;
  }
  assert.fail(seen);
});

Deno.test("of a paste without brackets that does not fit the beginning is kept, without a gap, and that is said once", async () => {
  const lines = Array.from(
    { length: 3_500 },
    (_, n) => `line ${n} of a long text without brackets\r`,
  );
  const size = { columns: 80, rows: 24 };
  for (const open of [openPrompt, openPlain]) {
    await using chat = await open(size);
    for (let at = 0; at < lines.length; at += 100) {
      chat.send(lines.slice(at, at + 100).join(""));
      await chat.settle();
    }
    chat.timers.advance(1_000);
    const said = chat.tty.writes.join("").match(/the line may have at most 131072 characters/g);
    assert.equal(said?.length, 1);
    for (let n = 0; n < 2 && chat.events.length === 0; n++) await chat.type("\r");
    const [event] = chat.events;
    const text = event?.kind === "line" ? event.text : "";
    assert.ok(text.length > 131_000, String(text.length));
    assert.ok(lines.join("").replaceAll("\r", "\n").startsWith(text), text.slice(-100));
  }
});
