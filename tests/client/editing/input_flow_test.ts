// The input wrapped to rows: a flow that takes one change after the other shows what a fresh one shows.

import assert from "node:assert/strict";
import fc from "fast-check";
import { InputFlow } from "../../../client/editing/input_flow.ts";
import { parseStyled } from "../../../client/terminal/layout.ts";
import {
  learnWidths,
  nextBoundary,
  previousBoundary,
  snapToBoundary,
  splitClusters,
  textWidth,
} from "../../../client/terminal/width.ts";

/** Whatever may join what stands beside it, or changes rows. */
const PIECES = [
  ..."ab \n\t字カé",
  "\u0301",
  "\u200d",
  "\u{1f469}",
  "\u{1f3fd}",
  "\u{1f1e9}",
  "\u{1f1ea}",
  "\u0915",
  "\u094d",
  "\u093f",
  "\u1100",
  "\u1161",
  "각",
  "\u202e",
  "\u0600",
  "\ud83d",
  "longer words ",
  "line\nends\n",
  // Wider than a row may be.
  "\u{1f469}\u200d".repeat(12),
  "\u0915\u094d".repeat(12),
  "\u1100".repeat(12),
  "\u{16d63}".repeat(9),
];

const changes = fc.array(
  fc.record({
    at: fc.double({ min: 0, max: 1, noNaN: true }),
    removed: fc.nat({ max: 9 }),
    added: fc.array(fc.constantFrom(...PIECES), { maxLength: 6 }),
    columns: fc.constantFrom(12, 12, 12, 2, 40),
    prompt: fc.constantFrom("> ", "> ", "> ", "", "a longer prompt> "),
  }),
  { minLength: 1, maxLength: 30 },
);

Deno.test("rows that are kept from change to change are those of a text that is laid out at once", () => {
  fc.assert(
    fc.property(changes, (all) => {
      const flow = new InputFlow();
      let text = "";
      for (const { at, removed, added, columns, prompt } of all) {
        const start = Math.round(at * text.length);
        text = text.slice(0, start) + added.join("") + text.slice(start + removed);
        const input = { text, cursor: start, columns };
        const fresh = new InputFlow();
        for (const each of [flow, fresh]) each.update(parseStyled(prompt), input);
        assert.deepEqual(flow.rows(0, Infinity), fresh.rows(0, Infinity));
        assert.deepEqual([flow.height, flow.cursor], [fresh.height, fresh.cursor]);
        for (let row = 0; row < flow.height; row++) {
          for (const column of [0, 3, 99]) {
            assert.equal(flow.indexAt({ row, column }), fresh.indexAt({ row, column }));
          }
        }
      }
    }),
    { numRuns: 300 },
  );
});

Deno.test("once the widths of clusters are others, nothing of the text before is left", () => {
  for (const text of ["", "\u{1f600}b"]) {
    const [flow, fresh] = [new InputFlow(), new InputFlow()];
    flow.update([], { text: "\u{1f600}\nc", cursor: 0, columns: 12 });
    learnWidths({ picture: 1 });
    for (const each of [flow, fresh]) each.update([], { text, cursor: 0, columns: 12 });
    assert.deepEqual(flow.rows(0, Infinity), fresh.rows(0, Infinity));
    assert.equal(flow.height, 1);
    learnWidths({});
  }
});

const texts = fc.array(fc.constantFrom(...PIECES), { maxLength: 40 }).map((all) => all.join(""));

/** Where the clusters of a text begin, and where it ends. */
function boundsOf(text: string): number[] {
  let end = 0;
  return [0, ...splitClusters(text).map((cluster) => end += cluster.text.length)];
}

Deno.test("the cursor stands behind the glyphs that are painted before it, also within what is wider than a row may be", () => {
  fc.assert(fc.property(texts, fc.constantFrom(12, 20, 80), (text, columns) => {
    const flow = new InputFlow();
    for (const cursor of boundsOf(text)) {
      flow.update([], { text, cursor, columns });
      const { row, column } = flow.cursor;
      let cells = 0;
      const painted = (flow.rows(row, 1)[0] ?? []).map(({ width }) => cells += width);
      assert.ok(column === 0 || painted.includes(column), `${column} of ${painted}`);
      if (cursor === text.length) assert.equal(column, cells);
    }
  }));
});

Deno.test("no key moves the cursor over more than a row may hold", () => {
  const text = "\u{1f469}\u200d".repeat(40);
  for (let index = 0; index < text.length; index = nextBoundary(text, index)) {
    assert.ok(textWidth(text.slice(index, nextBoundary(text, index))) <= 16);
  }
  const flow = new InputFlow();
  flow.update([], { text, cursor: text.length, columns: 12 });
  const above = snapToBoundary(text, flow.indexAt({ ...flow.cursor, row: flow.cursor.row - 1 }));
  flow.update([], { text, cursor: above, columns: 12 });
  assert.equal(flow.cursor.row, flow.height - 2);
});

Deno.test("the boundaries near an index are those of the whole text", () => {
  const segmenter = new Intl.Segmenter(undefined, { granularity: "grapheme" });
  fc.assert(fc.property(texts, (text) => {
    const bounds = boundsOf(text);
    const whole = new Set(bounds);
    for (const { index } of segmenter.segment(text)) assert.ok(whole.has(index));
    for (let index = 0; index <= text.length; index++) {
      const next = bounds.find((bound) => bound > index) ?? text.length;
      assert.equal(nextBoundary(text, index), next);
      const before = bounds.findLast((bound) => bound < index) ?? 0;
      assert.equal(previousBoundary(text, index), before);
      assert.equal(snapToBoundary(text, index), bounds.includes(index) ? index : next);
    }
  }));
});
