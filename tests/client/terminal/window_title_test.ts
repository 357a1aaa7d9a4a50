import assert from "node:assert/strict";
import { WindowTitle } from "../../../client/terminal/window_title.ts";

Deno.test("a title is set once, the one before is put aside first and put back at the end", () => {
  const written: string[] = [];
  const title = new WindowTitle((text) => written.push(text));
  title.set(undefined);
  for (const text of ["den", "den", "(1) den", undefined, undefined]) title.set(text);
  assert.deepEqual(written, [
    "\x1b[22;2t\x1b]2;den\x1b\\",
    "\x1b]2;(1) den\x1b\\",
    "\x1b[23;2t",
  ]);
});

Deno.test("no title ends its sequence, or is long", () => {
  const written: string[] = [];
  new WindowTitle((text) => written.push(text)).set(`a\x1b\\b\x07c\x9cd${"x".repeat(200)}`);
  const [, text = ""] = /^.\[22;2t.\]2;(.*).\\$/su.exec(written[0] ?? "") ?? [];
  assert.ok(text.length > 3 && text.length <= 80);
  assert.doesNotMatch(text, /\p{Cc}/u);
});
