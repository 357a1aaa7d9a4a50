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

Deno.test("the boundaries near an index are those of the whole text", () => {
  const segmenter = new Intl.Segmenter(undefined, { granularity: "grapheme" });
  fc.assert(fc.property(fc.array(fc.constantFrom(...PIECES), { maxLength: 40 }), (pieces) => {
    const text = pieces.join("");
    const bounds = [...segmenter.segment(text)].map(({ index }) => index).concat(text.length);
    for (let index = 0; index <= text.length; index++) {
      const next = bounds.find((bound) => bound > index) ?? text.length;
      assert.equal(nextBoundary(text, index), next);
      const before = bounds.findLast((bound) => bound < index) ?? 0;
      assert.equal(previousBoundary(text, index), before);
      assert.equal(snapToBoundary(text, index), bounds.includes(index) ? index : next);
    }
  }));
});
