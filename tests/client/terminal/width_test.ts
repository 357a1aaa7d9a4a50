import assert from "node:assert/strict";
import fc from "fast-check";
import stringWidth from "string-width";
import { breakCells, breakWords } from "../../../client/render/wrap.ts";
import { drawnWidth, learnWidths, splitClusters } from "../../../client/terminal/width.ts";

const SEGMENTER = new Intl.Segmenter(undefined, { granularity: "grapheme" });
// All planes that have characters; of the rest, which is unassigned or private, every hundredth.
const CODE_POINTS = Array.from({ length: 0x110000 }, (_, code) => code)
  .filter((code) => code < 0x20000 || (code >> 12) === 0xe0 || code % 100 === 0);
// Circled numbers and fillers of Hangul, which old tables take as wide.
const ONCE_WIDE = /[\u3248-\u324f\u115f\u3164]/;
const SIGNS = ["\ufe0e", "\ufe0f", "\u200d", "\u20e3", "\u0301", "\u{1f3fd}", "\u{e0067}"];

// A picture has two cells at most, whatever stands beside it in its cluster.
function cells(text: string, width: number): number {
  return /\p{Emoji_Modifier}/u.test(text) ? Math.min(2, width) : width;
}

function difference(text: string): string | undefined {
  const [ours, theirs] = [cells(text, drawnWidth(text)), cells(text, stringWidth(text))];
  if (ours === theirs) return undefined;
  const points = [...text].map((one) => (one.codePointAt(0) as number).toString(16)).join(" ");
  return `${points}: ${ours}, string-width ${theirs}`;
}

function* clustersOf(texts: Iterable<string>): Generator<string> {
  for (const text of texts) for (const { segment } of SEGMENTER.segment(text)) yield segment;
}

function requireSame(clusters: Iterable<string>): number {
  const [found, seen]: [string[], Set<string>] = [[], new Set()];
  for (const cluster of clusters) {
    seen.add(cluster);
    const said = difference(cluster);
    if (said !== undefined && found.length < 20) found.push(said);
  }
  assert.deepEqual(found, []);
  return seen.size;
}

Deno.test("drawnWidth() gives every code point the cells that string-width gives it", () => {
  const points = CODE_POINTS.map((code) => String.fromCodePoint(code));
  assert.equal(requireSame(points), CODE_POINTS.length);
});

Deno.test("drawnWidth() agrees with string-width about every code point before a selector, joiner, mark or tone", () => {
  const emoji = /[\p{Emoji}\p{Extended_Pictographic}\p{Regional_Indicator}]/u;
  function* texts() {
    for (const code of CODE_POINTS) {
      const one = String.fromCodePoint(code);
      const isEmoji = emoji.test(one);
      if (!isEmoji && code % 7 !== 0 && code > 0x1200) continue;
      for (const sign of SIGNS) {
        yield one + sign;
        if (isEmoji) {
          for (const more of [...SIGNS, "\u{1f467}", "\u2764"]) yield one + sign + more;
        }
      }
    }
  }
  assert.ok(requireSame(clustersOf(texts())) > 50_000);
});

Deno.test("drawnWidth() gives every emoji that Unicode recommends two cells, as string-width does", () => {
  const people = ["\u{1f468}", "\u{1f469}", "\u{1f9d1}"];
  const tones = ["", "\u{1f3fb}", "\u{1f3fc}", "\u{1f3fd}", "\u{1f3fe}", "\u{1f3ff}"];
  const things = Array.from({ length: 0x20000 }, (_, code) => String.fromCodePoint(code))
    .filter((one) => /\p{Emoji}/u.test(one))
    .flatMap((one) => tones.flatMap((tone) => [one + tone, `${one}${tone}\ufe0f`]));
  const letters = Array.from({ length: 26 }, (_, n) => String.fromCodePoint(0x1f1e6 + n));
  const candidates = [
    ...things,
    ...letters.flatMap((a) => letters.map((b) => a + b)),
    ...[..."0123456789#*"].map((key) => `${key}\ufe0f\u20e3`),
    ...things.flatMap((one) =>
      [...people, ...things.slice(0, 20)].map((person) => `${person}\u200d${one}`)
    ),
    ...things.flatMap((one) => ["\u2640\ufe0f", "\u2642\ufe0f"].map((sex) => `${one}\u200d${sex}`)),
  ];
  const recommended = candidates.filter((text) => /^\p{RGI_Emoji}$/v.test(text));
  assert.ok(recommended.length > 2_900, `${recommended.length} sequences`);
  requireSame(recommended);
  assert.deepEqual(recommended.filter((text) => drawnWidth(text) !== 2), []);
});

Deno.test("drawnWidth() agrees with string-width about clusters of any code points", () => {
  const point = fc.oneof(
    fc.constantFrom(...SIGNS, "\u{1f469}", "\u{1f1e9}", "\u2764", "1", "a", "\u0600", "\u0915"),
    fc.constantFrom("\u094d", "\u093f", "\u1100", "\u1161", "\u11a8", "\uac00", "\u0e33", "\uff9e"),
    fc.constantFrom("\u115f", "\u{16d63}", "\u{16d67}", "\u200b", "\u00ad", "\ud83d", "\u{110bd}"),
    fc.integer({ min: 0x80, max: 0x10ffff }).map((code) => String.fromCodePoint(code)),
  );
  const texts = fc.array(point, { maxLength: 8 }).map((points) => points.join(""));
  fc.assert(
    fc.property(texts, (text) => {
      for (const cluster of clustersOf([text])) assert.equal(difference(cluster), undefined);
    }),
    { numRuns: 20_000 },
  );
});

Deno.test("splitClusters() splits as the runtime does, also where it does not ask it", () => {
  const clusters = (text: string) => splitClusters(text).map((cluster) => cluster.text);
  const segments = (text: string) => Array.from(SEGMENTER.segment(text), ({ segment }) => segment);
  for (let code = 0x20; code < 0x10000; code++) {
    const one = String.fromCharCode(code);
    for (const text of [`a${one}`, `${one}${one}`, `${one}·`, `\u{1f469}${one}`]) {
      if (clusters(text).join("|") !== segments(text).join("|")) {
        assert.fail(`differs with U+${code.toString(16)}`);
      }
    }
  }
});

Deno.test("letters that join without end are clusters that a row can hold, of the same text and width", () => {
  const endless = [
    ["conjuncts", "\u0915\u094d".repeat(500) + "\u0915"],
    ["consonants of Hangul", "\u1100".repeat(500)],
    ["vowels of Thai", "\u0e33".repeat(500)],
    ["letters in front of another", "\u0d4e".repeat(500) + "<"],
    ["vowels of Kirat Rai", "\u{16d63}".repeat(500)],
    ["tones of skin", "\u{1f44d}" + "\u{1f3fd}".repeat(500)],
  ] as const;
  for (const [what, text] of endless) {
    const clusters = splitClusters(text);
    assert.equal(clusters.map((cluster) => cluster.text).join(""), text, what);
    const widest = Math.max(...clusters.map((cluster) => cluster.widest));
    assert.ok(widest <= 16, `${what}: ${widest} cells`);
    for (const columns of [20, 80]) {
      for (const breakRows of [breakCells, breakWords]) {
        for (const { start, end } of breakRows(`<eve> ${text}`, { first: 0, columns })) {
          const row = splitClusters(`<eve> ${text}`.slice(start, end));
          const cells = row.reduce((sum, cluster) => sum + cluster.widest, 0);
          assert.ok(cells <= columns - 4 || start === 0 && cells <= columns, `${what}: ${cells}`);
        }
      }
    }
  }
});

Deno.test("splitClusters() gives letters, numbers and signs the cells of string-width, also where it knows them by heart", () => {
  for (let code = 0x20; code < 0x10000; code++) {
    const one = String.fromCharCode(code);
    if (!/[\p{L}\p{N}\p{P}\p{S}\p{Zs}]/u.test(one) || /\p{Emoji}/u.test(one) && code > 0x7f) {
      continue;
    }
    // Vowels and finals of Hangul have no cell of their own: they are drawn within the syllable.
    if (/[\u1160-\u11ff\ud7b0-\ud7ff]/.test(one)) continue;
    const [cluster] = splitClusters(one);
    const [width, widest] = [stringWidth(one), cluster?.widest];
    const most = ONCE_WIDE.test(one) ? 2 : one === "\uffa0" ? 1 : width;
    if (cluster?.width !== width || widest !== most) {
      assert.fail(`U+${code.toString(16)}: ${cluster?.width}, ${widest}, string-width ${width}`);
    }
  }
});

Deno.test("selectors count in each part of a cluster, and signs that are older than pictures are wide in any terminal", () => {
  const widest = (text: string) => splitClusters(text).map((cluster) => cluster.widest);
  try {
    // The selector makes each heart wide, and nothing joins them.
    assert.deepEqual(widest("\u2764\ufe0f\u200d\u2764\ufe0f"), [4]);
    assert.deepEqual(widest("\u2764\ufe0f"), [2]);
    learnWidths({ family: 4, variation: 2 });
    assert.deepEqual(splitClusters("\u2764\ufe0f\u200d\u{1f525}")[0]?.width, 4);
    learnWidths({ family: 4, variation: 1 });
    assert.deepEqual(widest("\u2764\ufe0f\u200d\u2764\ufe0f"), [2]);
    // Without a table of pictures these were wide already.
    learnWidths({ picture: 1 });
    for (const sign of ["\u3030", "\u303d", "\u3297", "\u3299", "\u3299\ufe0f"]) {
      assert.deepEqual(widest(sign), [2]);
    }
    assert.deepEqual(widest("\u{1f600}"), [1]);
  } finally {
    learnWidths({});
  }
});
