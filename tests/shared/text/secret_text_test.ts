import assert from "node:assert/strict";
import { readSecretBytes, readSecretText } from "../../../shared/text/secret_text.ts";

/** A text as it stands in a file, and its lines. */
const GOOD: Readonly<Record<string, readonly string[]>> = {
  "": [],
  " \r\n\t\n": [],
  "one": ["one"],
  "one\n": ["one"],
  "one\r\n": ["one"],
  "one\r": ["one"],
  "\ufeffone\r\n": ["one"],
  "  one\t \u00a0\n": ["one"],
  "one\r\n\r\ntwo\n three ": ["one", "two", "three"],
  "o'n\"e": ["o'n\"e"],
  "'": ["'"],
  "two words": ["two words"],
  "grün 🔑": ["grün 🔑"],
};

for (const [text, lines] of Object.entries(GOOD)) {
  Deno.test(`the lines of a secret's text ${JSON.stringify(text)}`, () => {
    for (const read of [readSecretText(text), readSecretBytes(new TextEncoder().encode(text))]) {
      assert.ok("lines" in read);
      assert.deepEqual(read.lines.map((line) => line.text), lines);
    }
  });
}

const BAD: readonly (readonly [bytes: readonly number[] | string, fault: string])[] = [
  ["one\n'two'\n", "line 2 is in quotes, which would be a part of it"],
  ['"one"', "line 1 is in quotes, which would be a part of it"],
  ["one\ntw\0o", "line 2 has a NUL character"],
  ["one\x1b[2J", "line 1 has a control character"],
  [[0x61, 0x0a, 0x0a, 0xff, 0xfe], "line 3 is not UTF-8 text"],
  // Text as Windows' "Unicode" is written.
  [[0xff, 0xfe, 0x61, 0x00], "line 1 is not UTF-8 text"],
  [[0x61, 0x00, 0x62, 0x00], "line 1 has a NUL character"],
];

for (const [bytes, fault] of BAD) {
  Deno.test(`a secret's text is refused: ${fault} (${JSON.stringify(bytes)})`, () => {
    const all = typeof bytes === "string"
      ? new TextEncoder().encode(bytes)
      : Uint8Array.from(bytes);
    assert.deepEqual(readSecretBytes(all), { fault });
  });
}

Deno.test("lines keep their numbers in the file", () => {
  const read = readSecretText("\n# one\n\ntwo");
  assert.deepEqual(read, { lines: [{ line: 2, text: "# one" }, { line: 4, text: "two" }] });
});
