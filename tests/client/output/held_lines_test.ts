import assert from "node:assert/strict";
import { HeldLines } from "../../../client/output/held_lines.ts";
import { HELD_LINES_MAX } from "../../../client/base/limits.ts";

Deno.test("held lines come once, in order, by room, and only the last ones", () => {
  const held = new HeldLines();
  const line = (text: string) => ({ room: "den", time: "", draw: () => text });
  const take = (room: string) => held.take(room).map(({ draw }) => draw(false));
  held.keep("dev", line("one"));
  for (let n = 0; n <= HELD_LINES_MAX; n++) held.keep("den", line(`${n}`));
  assert.deepEqual(take("dev"), ["one"]);
  assert.deepEqual(take("dev"), []);
  const den = take("den");
  assert.deepEqual([den.length, den[0], den.at(-1)], [HELD_LINES_MAX, "1", `${HELD_LINES_MAX}`]);
});
