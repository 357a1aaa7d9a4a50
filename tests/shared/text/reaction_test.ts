import assert from "node:assert/strict";
import { isReaction, reactionKey } from "../../../shared/text/reaction.ts";
import { sanitizeLine } from "../../../shared/base/sanitize.ts";
import { emojiByName } from "../../../client/editing/emoji.ts";
import { HOSTILE_TEXTS } from "../../helpers/hostile/hostile_text.ts";

Deno.test("isReaction() takes every emoji of the table, and those with tones, joiners, flags and keycaps", () => {
  for (const [name, emoji] of emojiByName()) assert.ok(isReaction(emoji), name);
  for (const emoji of ["👍🏽", "👩‍👩‍👧‍👦", "🇩🇪", "1️⃣", "❤", "🏳️‍🌈", "🧑🏻‍❤️‍🧑🏿"]) {
    assert.ok(isReaction(emoji), emoji);
  }
});

Deno.test("isReaction() takes nothing else, and what it takes no sanitizer changes", () => {
  const others = ["", " ", "a", "1", "👍 ", " 👍", "👍👍", "👍\n", "👍a", "👍\u0301", "\u200d👍"];
  for (
    const text of [
      ...others,
      "👍‍",
      "🇩",
      "👍🏽🏽",
      `👩${"‍👩".repeat(4)}`,
      "\x1b[2J",
      "x".repeat(1_000),
    ]
  ) {
    assert.equal(isReaction(text), false, JSON.stringify(text));
  }
  for (const { label, text } of HOSTILE_TEXTS) {
    if (isReaction(text)) assert.equal(sanitizeLine(text), text, label);
  }
});

Deno.test("reactionKey() does not tell apart what looks the same", () => {
  assert.equal(reactionKey("❤"), reactionKey("❤️"));
  assert.notEqual(reactionKey("👍"), reactionKey("👍🏽"));
});
