import assert from "node:assert/strict";
import { DeferredLines } from "../../../client/output/deferred_lines.ts";
import { plainRow, plainText } from "../../../client/render/shown.ts";
import { DEFERRED_LINES_MAX } from "../../../client/base/limits.ts";

Deno.test("held lines come once, in order, by room, and only the last ones", () => {
  const held = new DeferredLines();
  const line = (text: string) => ({
    room: "den",
    time: "",
    draw: () => ({ kind: "note" as const, rows: [plainRow(text)] }),
  });
  const take = (room: string) =>
    held.take(room).map(({ draw }) => plainText(draw({ elsewhere: false })));
  held.keep("dev", line("one"));
  for (let n = 0; n <= DEFERRED_LINES_MAX; n++) held.keep("den", line(`${n}`));
  assert.deepEqual(take("dev"), ["one"]);
  assert.deepEqual(take("dev"), []);
  const den = take("den");
  assert.deepEqual([den.length, den[0], den.at(-1)], [
    DEFERRED_LINES_MAX,
    "1",
    `${DEFERRED_LINES_MAX}`,
  ]);
});
