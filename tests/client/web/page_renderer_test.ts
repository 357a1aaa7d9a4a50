// What the page gets of a line: every part with its role, safe, and unable to pass for another part.
import assert from "node:assert/strict";
import type { PageActions } from "../../../client/web/page_actions.ts";
import type { PageView } from "../../../client/web/page_view.ts";
import { createPageRenderer } from "../../../client/web/page_renderer.ts";
import { plainText, type RenderedLine, rowText } from "../../../client/render/shown.ts";
import { clockTime } from "../../../client/render/text.ts";
import { HOSTILE_TEXTS } from "../../helpers/hostile/hostile_text.ts";

/** What a test needs of a view and of what it calls. */
export type PageEnds = { readonly view: PageView; readonly actions: PageActions };

const TIME = "2026-01-02T03:04:05.678Z";
const CLOCK = clockTime(TIME).slice(0, 5);
const LINE = {
  sender: "bob",
  text: "hi",
  room: "lobby",
  time: TIME,
  sequence: 7 as never,
  own: false,
  mention: false,
};
const renderer = createPageRenderer();

function spansOf(line: RenderedLine): readonly (readonly [string, string])[][] {
  return line.rows.map((row) => row.map(({ role, text }) => [role, text] as const));
}

Deno.test("a message is its time, number, name and text, and further rows are text alone", () => {
  const line = renderer.chat({ ...LINE, text: "see `x` at https://a.example/\nmore" });
  assert.deepEqual(spansOf(line), [
    [
      ["time", CLOCK],
      ["number", "#7"],
      ["name", "bob"],
      ["text", "see "],
      ["code", "`x`"],
      ["text", " at "],
      ["link", "https://a.example/"],
    ],
    [["text", "more"]],
  ]);
  assert.equal(line.rows[0]?.at(-1)?.target, "https://a.example/");
  assert.deepEqual([line.room, line.time, line.kind, line.direct], ["lobby", TIME, "chat", false]);
});

Deno.test("a direct message names both, and says who can read it", () => {
  const line = renderer.chat({ ...LINE, to: "carol" });
  assert.deepEqual(spansOf(line), [[
    ["time", CLOCK],
    ["name", "bob → carol"],
    ["about", "(server can read) "],
    ["text", "hi"],
  ]]);
  assert.equal(line.direct, true);
});

Deno.test("no text of a peer leaves its span, and none holds a control character", () => {
  for (const { label, text } of HOSTILE_TEXTS) {
    const lines = [
      renderer.chat({ ...LINE, text, sender: text }),
      renderer.chat({ ...LINE, to: text, quote: { sequence: 1, sender: text, text } }),
      renderer.system({ text, room: text, time: text, event: "notice" }),
      renderer.note({ level: "error", text, hint: text, time: TIME }),
      renderer.connection({ state: "lost", text, hint: text, name: text, room: text, time: TIME }),
    ];
    for (const line of lines) {
      // deno-lint-ignore no-control-regex -- what must not be there
      assert.doesNotMatch(plainText(line), /[\x00-\x09\x0b-\x1f\x7f-\x9f]/, label);
      for (const row of line.rows) assert.ok(!rowText(row).includes("\n"), label);
      for (const { role, target } of line.rows.flat()) {
        if (role === "link") assert.match(target ?? "", /^https?:\/\/[!-~]+$/i, label);
      }
    }
    assert.deepEqual(lines[0]?.rows.slice(1).flat().filter(({ role }) => role === "name"), []);
  }
});
