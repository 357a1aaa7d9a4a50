// The most cells that a terminal gives a text, held against terminals with an old and with a newer table of widths.
import assert from "node:assert/strict";
import { breakCells } from "../../../client/render/wrap.ts";
import { mostTextWidth, splitClusters, textWidth } from "../../../client/terminal/width.ts";
import { rowsIn, type WidthTable } from "../../helpers/system/terminal_witness.ts";

// A whole number of clusters of one, two, three and four cells.
const COLUMNS = 12;
const CHUNK = 2_000;
// What tables of widths have as long ranges; they begin and end where a block of Unicode does, or what is assigned.
const RANGES = [/\p{Ideographic}/u, /[\uac00-\ud7a3]/, /\p{Co}/u, /\p{Cn}/u];
const rangeOf = (code: number) =>
  RANGES.findIndex((range) => range.test(String.fromCodePoint(code)));
// All planes that have characters; of the rest, which is unassigned or private, every hundredth.
const CODE_POINTS = Array.from({ length: 0x110000 }, (_, code) => code)
  .filter((code) => code < 0x20000 || (code >> 12) === 0xe0 || code % 100 === 0)
  .filter((code) => !/[\p{Cc}\p{Cs}]/u.test(String.fromCodePoint(code)))
  .filter((code) => rangeOf(code) < 0 || isAtAnEdge(code) || code % 100 === 0);

/** Whether a range of widths may begin or end there. */
function isAtAnEdge(code: number): boolean {
  return code % 16 === 0 || code % 16 === 15 ||
    [code - 1, code + 1].some((other) => rangeOf(other) !== rangeOf(code));
}

/** A text as rows that take the whole width, without an indent. */
function rowsOf(text: string): string[] {
  return breakCells(text, { first: 0, rest: 0, columns: COLUMNS })
    .map(({ start, end }) => text.slice(start, end));
}

for (const unicode of ["6", "11"] as readonly WidthTable[]) {
  Deno.test(`no terminal wraps a row of any code point, alone or behind a letter: widths of Unicode ${unicode}`, async () => {
    const wrapped = new Set<string>();
    for (let from = 0; from < CODE_POINTS.length; from += CHUNK) {
      const rows = CODE_POINTS.slice(from, from + CHUNK).flatMap((code) => {
        const one = String.fromCodePoint(code);
        return [...rowsOf(one.repeat(COLUMNS)), ...rowsOf(`a${one}`.repeat(COLUMNS))];
      });
      const shown = await rowsIn(rows.join("\n"), { columns: COLUMNS, unicode });
      for (const { text, isWrapped } of shown) {
        const last = [...text].at(-1)?.codePointAt(0) ?? 0;
        if (isWrapped) wrapped.add(`U+${last.toString(16)}`);
      }
    }
    assert.equal([...wrapped].slice(0, 20).join(" "), "", `${wrapped.size} code points`);
  });
}

Deno.test("a letter with any number of marks that old tables draw is clusters that a row can hold", () => {
  for (const mark of ["\u1ab0", "\u103a", "\ua674", "\u{1e8d0}", "\ud7b0", "\u034f"]) {
    for (const base of ["a", "\u1100", "\u{1f44d}\u{1f3fd}"]) {
      const text = base + mark.repeat(500);
      const clusters = splitClusters(text);
      assert.ok(clusters.map((cluster) => cluster.text).join("") === text);
      assert.ok(Math.max(...clusters.map(({ widest }) => widest)) <= 16, text.slice(0, 4));
    }
  }
});

/** A sentence of each language, and how many more cells its rows are broken by than it takes. */
const SENTENCES = [
  ["Arabic with vowels", "إِنَّ الْكِتَابَ عَلَى الطَّاوِلَةِ فِي الْغُرْفَةِ", 0],
  ["Hebrew with vowels", "בְּרֵאשִׁית בָּרָא אֱלֹהִים אֵת הַשָּׁמַיִם וְאֵת הָאָרֶץ", 0],
  ["Hindi", "मैं कल दिल्ली जाऊँगा और वहाँ अपने मित्रों से मिलूँगा।", 0],
  ["Bengali", "আমি আগামীকাল ঢাকায় যাব এবং বন্ধুদের সঙ্গে দেখা করব।", 0],
  ["Tamil", "நான் நாளை சென்னைக்குப் போய் நண்பர்களைச் சந்திப்பேன்.", 0],
  ["Telugu", "నేను రేపు హైదరాబాద్ వెళ్లి స్నేహితులను కలుస్తాను.", 0],
  ["Thai", "พรุ่งนี้ฉันจะไปกรุงเทพฯ เพื่อพบเพื่อนที่นั่น", 0],
  ["Lao", "ມື້ອື່ນຂ້ອຍຈະໄປວຽງຈັນເພື່ອພົບໝູ່", 0],
  ["Khmer", "ថ្ងៃស្អែកខ្ញុំនឹងទៅភ្នំពេញដើម្បីជួបមិត្តភក្តិ", 0],
  ["Vietnamese in parts", "Ngày mai tôi sẽ đi Hà Nội để gặp những người bạn".normalize("NFD"), 0],
  ["Korean", "내일 서울에 가서 친구들을 만날 거예요.", 0],
  ["Japanese in parts", "がっこうでプログラムをべんきょうします".normalize("NFD"), 0],
  ["Burmese", "မနက်ဖြန် ကျွန်တော် ရန်ကုန်ကို သွားပြီး သူငယ်ချင်းတွေနဲ့ တွေ့မယ်", 13],
] as const;

for (const [language, sentence, more] of SENTENCES) {
  Deno.test(`rows are broken by the cells that ${language} takes, and those of newer marks alone`, () => {
    assert.equal(mostTextWidth(sentence) - textWidth(sentence), more);
  });
}
