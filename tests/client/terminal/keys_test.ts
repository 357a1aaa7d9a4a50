// Sequences of terminals, in every form that they have, and what they mean; cut anywhere they mean the same.
import assert from "node:assert/strict";
import { type KeyEvent, KeyParser } from "../../../client/terminal/keys.ts";

const text = (typed: string): KeyEvent => ({ kind: "text", text: typed });
const key = (name: string): KeyEvent => ({ kind: "key", key: name });

const SEQUENCES: readonly (readonly [string, string, readonly KeyEvent[]])[] = [
  ["a letter", "a", [text("a")]],
  ["an arrow", "\x1b[A", [key("up")]],
  ["an arrow with Ctrl", "\x1b[1;5D", [key("ctrl-left")]],
  ["an arrow let go", "\x1b[1;1:3A", []],
  ["an arrow that repeats", "\x1b[1;1:2A", [key("up")]],
  ["an arrow in application mode", "\x1bOA", [key("up")]],
  ["an arrow in application mode with Ctrl", "\x1bO5C", [key("ctrl-right")]],
  ["F1 of the Linux console", "\x1b[[A", []],
  ["F1 of others", "\x1bOP", []],
  ["Shift+Delete of rxvt, and a letter behind it", "\x1b[3$a", [key("shift-delete"), text("a")]],
  ["an answer about a mode, and a letter behind it", "\x1b[?2004;1$ya", [text("a")]],
  ["Shift+Up of rxvt", "\x1b[a", [key("shift-up")]],
  ["Ctrl+Left of rxvt", "\x1bOd", [key("ctrl-left")]],
  ["Ctrl+Delete of rxvt", "\x1b[3^", [key("ctrl-delete")]],
  ["Ctrl+Shift+Delete of rxvt", "\x1b[3@", [key("ctrl-shift-delete")]],
  ["Alt+Up as two Escapes", "\x1b\x1b[A", [key("alt-up")]],
  ["Alt+Up as two Escapes in application mode", "\x1b\x1bOA", [key("alt-up")]],
  ["Alt+Ctrl+Left as two Escapes", "\x1b\x1bOd", [key("ctrl-alt-left")]],
  ["Alt+Delete as two Escapes", "\x1b\x1b[3~", [key("alt-delete")]],
  ["Escape and Alt+letter", "\x1b\x1bb", [key("escape"), key("alt-b")]],
  ["Escape and an answer of the terminal", "\x1b\x1b[?62;22c", [key("escape")]],
  ["Escape and a cursor report", "\x1b\x1b[12;3R", [key("escape")]],
  ["Escape and a paste", "\x1b\x1b[200~x\x1b[201~", [
    key("escape"),
    { kind: "paste", text: "x", cut: false },
  ]],
  ["Delete", "\x1b[3~", [key("delete")]],
  ["Delete let go", "\x1b[3;1:3~", []],
  ["Shift+Space, CSI u", "\x1b[32;2u", [text(" ")]],
  ["Shift+Space, modifyOtherKeys", "\x1b[27;2;32~", [text(" ")]],
  ["Shift+letter, CSI u", "\x1b[97;2u", [text("A")]],
  ["Shift+letter with the shifted key", "\x1b[97:65;2u", [text("A")]],
  ["Shift+letter, modifyOtherKeys", "\x1b[27;2;65~", [text("A")]],
  ["Shift+digit with the shifted key", "\x1b[49:33;2u", [text("!")]],
  ["a letter with its text", "\x1b[97;2;196u", [text("\u00c4")]],
  ["a letter let go", "\x1b[97;1:3u", []],
  ["Shift+Backspace", "\x1b[127;2u", [key("shift-backspace")]],
  ["Ctrl+Backspace", "\x1b[127;5u", [key("ctrl-backspace")]],
  ["Ctrl+Backspace, modifyOtherKeys", "\x1b[27;5;127~", [key("ctrl-backspace")]],
  ["Shift+Enter", "\x1b[13;2u", [key("shift-enter")]],
  ["Shift+Tab", "\x1b[9;2u", [key("shift-tab")]],
  ["Ctrl+letter", "\x1b[99;5u", [key("ctrl-c")]],
  ["Alt+letter", "\x1b[98;3u", [key("alt-b")]],
  ["Super+letter", "\x1b[99;9u", []],
  ["Shift alone", "\x1b[57441;2u", []],
  ["Caps Lock on", "\x1b[97;65u", [text("a")]],
  ["a digit of the keypad", "\x1b[57404u", [text("5")]],
  ["Enter of the keypad", "\x1b[57414u", [key("enter")]],
  ["a mouse report, X10", "\x1b[M !!", []],
  ["a mouse report, X10, far to the right", "\x1b[M#\u00ff~", []],
  ["a mouse report, SGR", "\x1b[<0;12;3M\x1b[<0;12;3m", []],
  ["a mouse report, urxvt", "\x1b[32;12;3M", []],
  ["focus in and out", "\x1b[I\x1b[O", []],
  ["a cursor report", "\x1b[12;3R", []],
  ["an answer about the terminal", "\x1b[?62;22c", []],
];

for (const [label, bytes, events] of SEQUENCES) {
  Deno.test(`a sequence means what was done: ${label}`, () => {
    const encoded = new TextEncoder().encode(bytes);
    for (let cut = 0; cut <= encoded.length; cut++) {
      const parser = new KeyParser();
      const seen = [
        ...parser.feed(encoded.subarray(0, cut)),
        ...parser.feed(encoded.subarray(cut)),
      ];
      assert.deepEqual(seen.filter(({ kind }) => kind !== "report"), events, `cut at ${cut}`);
    }
  });
}

Deno.test("an answer of the terminal never hides what is typed behind it", () => {
  const parser = new KeyParser();
  assert.deepEqual(parser.feed(new TextEncoder().encode("\x1b[M !!x")), [text("x")]);
});

Deno.test("two Escapes behind which nothing comes are two keys", () => {
  const parser = new KeyParser();
  assert.deepEqual(parser.feed(new TextEncoder().encode("\x1b\x1b")), []);
  assert.deepEqual(parser.timeOut(), [key("escape"), key("escape")]);
  assert.deepEqual(parser.feed(new TextEncoder().encode("\x1b\x1b[")), []);
  assert.deepEqual(parser.timeOut(), [key("escape"), key("alt-[")]);
});

Deno.test("Escape while the terminal answers in two pieces hides nothing of the answer", () => {
  const parser = new KeyParser();
  parser.expectsReport = true;
  assert.deepEqual(parser.feed(new TextEncoder().encode("\x1b\x1b[?6")), [key("escape")]);
  assert.equal(parser.pending, "report");
  assert.deepEqual(parser.feed(new TextEncoder().encode("2;22c")), [
    { kind: "report", text: "[?62;22c" },
  ]);
});
