// The plain renderer: no time, no color, and a mark in the first column of every line that no member wrote.

import {
  aboutText,
  chatLines,
  moreText,
  type Renderer,
  roomSwitchText,
  roomTag,
  safeLine,
  safeLines,
  systemText,
  whoSays,
} from "./text.ts";
import { NOTE_WORDS } from "../base/note_level.ts";
import { transferText } from "./transfer_text.ts";

/** Creates a renderer for `<name> text`, `* system line`, `- note`. Further lines of a message are indented. */
export function createMinimalRenderer(): Renderer {
  return {
    chat(line) {
      const text = aboutText(line) + chatLines(line).join("\n    ");
      return `${roomTag(line)}${whoSays(line)} ${text}`;
    },
    system: (line) => `* ${systemText(line)}`,
    file(event, _time, tag = "") {
      const shown = transferText(event);
      return shown === undefined ? undefined : `- ${tag}${shown.text}`;
    },
    note: ({ level, text, hint }) =>
      (level === "info"
        ? safeLines(text).map((line) => `- ${line}`).join("\n")
        : NOTE_WORDS[level] + safeLine(text)) +
      (hint === undefined ? "" : `\nhint: ${safeLine(hint)}`),
    link: ({ text, hint }) =>
      `- ${safeLine(text)}` + (hint === undefined ? "" : `\nhint: ${safeLine(hint)}`),
    roomSwitch: (room) => `- ${roomSwitchText(room)}`,
    more: (rows, n) => `    ${moreText(rows, n)}`,
  };
}
