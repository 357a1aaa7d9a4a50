import assert from "node:assert/strict";
import fc from "fast-check";
import { quote, sanitizeLine, sanitizeText } from "../../../shared/base/sanitize.ts";
import { codePoint } from "../../helpers/fakes/code_point.ts";
import { HONEST_TEXTS, HOSTILE_TEXTS } from "../../helpers/hostile/hostile_text.ts";
import { witness } from "../../helpers/system/terminal_witness.ts";

// deno-lint-ignore no-control-regex -- what must not be there
const CONTROL = /[\x00-\x1f\x7f-\x9f]/;
// deno-lint-ignore no-control-regex -- what must not be there
const CONTROL_BUT_NEWLINE = /[\x00-\x09\x0b-\x1f\x7f-\x9f]/;
const HIDDEN_OR_REORDERING =
  /[\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]|(?<!\p{M}|.)\p{M}/u;
const LONE_SURROGATE = /\p{Cs}/u;

/** Pieces of the corpus, single code points of every kind, and plain letters, in any order. */
const spicy = fc.array(
  fc.oneof(
    fc.string({ unit: codePoint, maxLength: 4 }),
    fc.constantFrom(...HOSTILE_TEXTS.map(({ text }) => text.slice(0, 40)), ...HONEST_TEXTS),
    fc.constantFrom(
      ..."a1 \u200d\u200c\ufe0f\ufe0e\u20e3\u0301\u0915\u0628\u2764\u{1f469}\u{1f3fd}",
    ),
    fc.constantFrom(
      "\u{1f3f4}",
      "\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f}",
      "\ud83d",
    ),
  ),
  { maxLength: 12 },
).map((pieces) => pieces.join(""));

Deno.test("sanitizeLine() keeps every hostile text within one line of a terminal", async () => {
  for (const { label, text } of HOSTILE_TEXTS) {
    const safe = sanitizeLine(text);
    assert.doesNotMatch(safe, CONTROL, label);
    assert.deepEqual((await witness(safe)).faults, [], label);
    assert.equal(sanitizeLine(safe), safe, label);
  }
});

Deno.test("sanitizeText() keeps every hostile text within its own lines of a terminal", async () => {
  for (const { label, text } of HOSTILE_TEXTS) {
    const safe = sanitizeText(text);
    assert.doesNotMatch(safe, CONTROL_BUT_NEWLINE, label);
    assert.deepEqual((await witness(safe)).faults, [], label);
    assert.equal(sanitizeText(safe), safe, label);
  }
});

Deno.test("the witness sees what raw text does to a terminal", async () => {
  const sights: readonly (readonly [string, RegExp])[] = [
    ["CSI erase screen and home", /row above/],
    ["CSI cursor up and erase line", /row above/],
    ["device status", /types/],
    ["device attributes", /types/],
    ["OSC 0 title", /sets the title "pwned"/],
    ["mouse reports", /changes a mode/],
    ["alternate screen", /leaves the screen/],
    ["OSC without end", /row below/],
    ["forged lines", /takes 3 lines/],
    ["bells", /rings/],
  ];
  for (const [label, sight] of sights) {
    const raw = HOSTILE_TEXTS.find((hostile) => hostile.label === label)!.text;
    // A vertical tab moves down like a newline, but is none that the witness expects.
    const { faults } = await witness(raw.replaceAll("\n", "\x0b"));
    assert.match(faults.join("; "), sight, label);
  }
  assert.match((await witness("\x1b[31mred")).faults.join(), /paints/);
});

Deno.test("text of honest people comes through as it is", async () => {
  for (const text of HONEST_TEXTS) {
    assert.equal(sanitizeLine(text), text);
    assert.equal(sanitizeText(text), text);
    assert.deepEqual((await witness(text)).faults, [], text);
  }
});

Deno.test("what was removed or replaced can be seen where it matters", () => {
  assert.equal(sanitizeLine("\x1b[2J"), "␛[2J");
  assert.equal(sanitizeLine("a\0b\x7f"), "a␀b␡");
  assert.equal(sanitizeLine("one\r\ntwo\nthree\u2028four"), "one⏎two⏎three⏎four");
  assert.equal(sanitizeText("one\r\ntwo\rthree\u2029four"), "one\ntwo\nthree\nfour");
  assert.equal(sanitizeLine("a\tb"), "a b");
  assert.equal(sanitizeText("a\tb"), "a    b");
  assert.equal(sanitizeLine("photo\u202egnp.exe"), "photognp.exe");
  assert.equal(sanitizeLine("\u0301a"), "\u25cc\u0301a");
  assert.equal(sanitizeLine("\x9b31mred"), "\ufffd31mred");
});

Deno.test("sanitizeLine() changes nothing the second time, whatever the text", () => {
  fc.assert(
    fc.property(spicy, (text) => {
      const safe = sanitizeLine(text);
      assert.equal(sanitizeLine(safe), safe);
    }),
    { numRuns: 20_000 },
  );
});

Deno.test("sanitizeText() changes nothing the second time, whatever the text", () => {
  fc.assert(
    fc.property(spicy, (text) => {
      const safe = sanitizeText(text);
      assert.equal(sanitizeText(safe), safe);
    }),
    { numRuns: 20_000 },
  );
});

Deno.test("sanitizeLine() lets no control, no hidden and no reordering character through", () => {
  fc.assert(
    fc.property(spicy, (text) => {
      const safe = sanitizeLine(text);
      assert.doesNotMatch(safe, CONTROL);
      assert.doesNotMatch(safe, HIDDEN_OR_REORDERING);
      assert.doesNotMatch(safe, LONE_SURROGATE);
      assert.equal(safe, safe.toWellFormed());
    }),
    { numRuns: 20_000 },
  );
});

Deno.test("whatever is sanitized moves no row of a terminal, sets nothing and asks for nothing", async () => {
  await fc.assert(
    fc.asyncProperty(spicy, async (text) => {
      assert.deepEqual((await witness(sanitizeLine(text))).faults, []);
      assert.deepEqual((await witness(sanitizeText(text))).faults, []);
    }),
    { numRuns: 200 },
  );
});

Deno.test("sanitizeText() is sanitizeLine() for each line, but for tabs", () => {
  const withoutTabs = spicy.map((text) => text.replace(/[\t\r\n\v\f\x85\u2028\u2029]/g, ""));
  fc.assert(
    fc.property(withoutTabs, withoutTabs, (first, second) => {
      assert.equal(
        sanitizeText(`${first}\n${second}`),
        `${sanitizeLine(first)}\n${sanitizeLine(second)}`,
      );
    }),
    { numRuns: 1_000 },
  );
});

Deno.test("a text costs time in proportion to its length", () => {
  for (const { text } of HOSTILE_TEXTS) {
    const flood = text.repeat(Math.ceil(30_000 / text.length));
    const started = performance.now();
    sanitizeLine(flood);
    sanitizeText(flood);
    // Measured: 5 ms; what grows with the square takes minutes.
    assert.ok(performance.now() - started < 2_000);
  }
});

Deno.test("quote() repeats no secret of an invite link, however it was typed", () => {
  const texts = [
    "/join cmdchat://h:1/room?tls#fp=AAAA&token=hunter2",
    "/join cmdchat://h:1/room#hunter2",
    "CMDCHAT://h#token=hunter2",
    "https://h/#room=r&secret=hunter2",
    "https://h/#room%3Dr%26token%3dhunter2",
    "cut off: &secret=hunter2",
    "token=hunter2",
  ];
  for (const text of texts) {
    assert.doesNotMatch(quote(text, 200), /hunter2/, text);
    assert.match(quote(text, 200), /…"$/, text);
  }
  for (const text of ["https://h/page#part", "a token is needed", "h#room=r"]) {
    assert.equal(quote(text), `"${text}"`);
  }
});

Deno.test("quote() gives one short safe line in quotes", () => {
  assert.equal(quote("room"), '"room"');
  assert.equal(quote("a\nb"), '"a⏎b"');
  assert.equal(quote("x".repeat(41)), `"${"x".repeat(39)}…"`);
  assert.equal(quote("\u{1f469}".repeat(9), 4), `"${"\u{1f469}".repeat(3)}…"`);
  fc.assert(fc.property(spicy, (text) => {
    const quoted = quote(text, 20);
    assert.ok([...quoted].length <= 22 && quoted.startsWith('"') && /"$/.test(quoted));
    assert.equal(sanitizeLine(quoted), quoted);
  }));
});
