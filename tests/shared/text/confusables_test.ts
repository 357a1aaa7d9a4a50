import assert from "node:assert/strict";
import process from "node:process";
import {
  CONFUSABLES_PACKED,
  SCRIPT_CASE_PAIRS,
  SCRIPT_SHAPES_PACKED,
} from "../../../shared/text/confusables.ts";
import { nameKey } from "../../../shared/text/names.ts";
import { readText } from "../../helpers/repo/sources.ts";

const NAME_CHARACTER = /^[\p{L}\p{Mn}\p{Mc}\p{Nd}]$/u;

/** Pairs of UTS #39's confusables.txt that a chat would meet first. */
const UTS39: readonly (readonly [string, string])[] = [
  ["a", "\u0430\u0251\u03b1"],
  ["c", "\u0441\u217d"],
  ["e", "\u0435\u212e\u04bd"],
  ["o", "\u043e\u03bf\u0585\u05e1\u0665\u06f5\u0966"],
  ["p", "\u0440\u03c1"],
  ["x", "\u0445\u00d7"],
  ["y", "\u0443\u03b3\u028f"],
  ["l", "\u0456\u04cf\u05d5\u0627\u06f1\u13a5"],
  ["s", "\u0455\ua731"],
  ["j", "\u0458\u03f3"],
  ["h", "\u04bb\u0570"],
  ["w", "\u0461\u051d\u026f"],
];

function codes(differences: string, before = 0): number[] {
  let code = before;
  return differences.split(",").map((difference) => code += Number.parseInt(difference, 36));
}

Deno.test("the table is of the Unicode version that this runtime knows, 17.0", async () => {
  const [first = ""] = (await readText("shared/text/confusables.ts")).split("\n");
  assert.match(first, /from confusables\.txt, Unicode 17\.0\.0; do not edit\.$/);
  // A runtime that knows more letters than the table needs a newer table.
  assert.equal(process.versions["unicode"], "17.0");
});

Deno.test("the table decodes to rows of ascending name characters, each in it once", () => {
  const seen = new Set<number>();
  let first = 0;
  for (const row of CONFUSABLES_PACKED.replaceAll("\n", "").split(";")) {
    assert.match(row, /^[0-9a-z+]+:[0-9a-z,]+$/);
    let last = -1;
    const sources = codes(row.split(":")[1]!, first);
    first = sources[0]!;
    for (const code of sources) {
      assert.ok(code > last && !seen.has(code), code.toString(16));
      assert.match(String.fromCodePoint(code), NAME_CHARACTER);
      seen.add(code);
      last = code;
    }
  }
  assert.ok(seen.size > 1_500, `${seen.size} characters`);
});

Deno.test("the shapes that show a script are Greek, Cyrillic, or look like it", () => {
  const shapes = codes(SCRIPT_SHAPES_PACKED.replaceAll("\n", ""));
  const isOfScript = (code: number) =>
    /[\p{Script=Greek}\p{Script=Cyrillic}]/u.test(String.fromCodePoint(code));
  assert.ok(shapes.filter(isOfScript).length > 100);
  assert.ok(shapes.every((code) => NAME_CHARACTER.test(String.fromCodePoint(code))));
});

Deno.test("what ASCII letters are mistaken for has their key", () => {
  for (const [letter, lookalikes] of UTS39) {
    for (const lookalike of lookalikes) {
      if (!NAME_CHARACTER.test(lookalike.normalize("NFKD"))) continue;
      assert.equal(nameKey(lookalike), nameKey(letter), `${lookalike} ${letter}`);
    }
  }
});

Deno.test("no two ASCII letters share a key, but for those that look alike", () => {
  const groups = new Map<string, string>();
  for (let code = 0x21; code < 0x7f; code++) {
    const letter = String.fromCharCode(code);
    if (!/[a-z0-9]/.test(letter)) continue;
    groups.set(nameKey(letter), (groups.get(nameKey(letter)) ?? "") + letter);
  }
  assert.deepEqual([...groups.values()].filter((group) => group.length > 1).sort(), ["0o", "1il"]);
});

Deno.test("letters that differ by case only have one key, in a name that shows its script", () => {
  const wrong: string[] = [];
  for (let code = 0x80; code < 0x20000; code++) {
    if (code >= 0xd800 && code < 0xe000) continue;
    const letter = String.fromCodePoint(code);
    const [upper, lower] = [letter.toUpperCase(), letter.toLowerCase()];
    if (upper === lower || !/^\p{L}$/u.test(letter)) continue;
    // Zhe and xi look like no Latin letter: they show the script, as a name of several letters does.
    const shown = /\p{Script=Cyrillic}/u.test(letter) ? "\u0436" : "\u03be";
    if (nameKey(shown + upper) !== nameKey(shown + lower)) wrong.push(letter);
  }
  assert.equal(wrong.join(""), "");
});

Deno.test("the pairs of letters that only a script makes one are short and lead to one key", () => {
  for (const [from, to] of SCRIPT_CASE_PAIRS) {
    assert.ok(from !== to && from.length <= 4 && to.length <= 4, `${from} ${to}`);
    assert.ok(!SCRIPT_CASE_PAIRS.some(([other]) => other === to), `${to} leads on`);
  }
});
