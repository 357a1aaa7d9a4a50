// What a reaction may be: one emoji and nothing else. A grammar and not a list, so that an emoji which is newer than this
// program is one as well; each part of it is bounded (UTS #51, section 1.4.9, without what nobody uses).

import { REACTION_MAX_BYTES } from "../base/limits.ts";

const PICTURE = "\\p{Extended_Pictographic}(?:\\ufe0f|\\p{Emoji_Modifier})?";
const REACTION = new RegExp(
  [
    // Joined pictures, such as a family: as many as sanitizeText() leaves together.
    `${PICTURE}(?:\\u200d${PICTURE}){0,3}`,
    "\\p{Regional_Indicator}{2}",
    "[0-9#*]\\ufe0f?\\u20e3",
  ].map((form) => `^(?:${form})$`).join("|"),
  "u",
);
const encoder = new TextEncoder();

/** Whether a text is one emoji. */
export function isReaction(text: string): boolean {
  return text.length <= REACTION_MAX_BYTES && REACTION.test(text) &&
    encoder.encode(text).length <= REACTION_MAX_BYTES;
}

/** What two reactions have in common that look the same, whatever programs wrote them. */
export function reactionKey(emoji: string): string {
  return emoji.replaceAll("\ufe0f", "");
}
