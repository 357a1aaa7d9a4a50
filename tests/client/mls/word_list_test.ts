import assert from "node:assert/strict";
import { wordsOf } from "../../../client/mls/word_list.ts";

Deno.test("there are 256 words, and their first four letters differ", () => {
  const words = wordsOf(Uint8Array.from({ length: 256 }, (_, byte) => byte));
  assert.equal(new Set(words.map((word) => word.slice(0, 4))).size, 256);
  for (const word of words) assert.match(word, /^[a-z]{4,8}$/);
});
