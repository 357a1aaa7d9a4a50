import assert from "node:assert/strict";
import { checkBytes, fitsBytes } from "../../../shared/base/text_bytes.ts";

Deno.test("a text is as long as its UTF-8, whatever its string counts", () => {
  for (
    const [text, bytes] of [["abc", 3], ["äöü", 6], ["名前", 6], ["👍👍", 8], ["", 0]] as const
  ) {
    assert.equal(fitsBytes(text, bytes), true, text);
    assert.equal(fitsBytes(text, bytes - 1), false, text);
  }
});

Deno.test("checkBytes() refuses with both numbers", () => {
  checkBytes("äöü", 6, "set the topic");
  assert.throws(() => checkBytes("äöü", 5, "set the topic"), {
    name: "LimitError",
    message: "Cannot set the topic: it has 6 bytes, at most 5 are allowed",
  });
});
