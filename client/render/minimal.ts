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
import { fromTheLeft } from "../terminal/width.ts";
import { transferText } from "./transfer_text.ts";
import { INDENT, wrapLines } from "./wrap.ts";

/** How the plain renderer draws. */
export interface MinimalOptions {
  /** Width of the terminal in cells; undefined or absent if rows are not wrapped. */
  readonly columns?: () => number | undefined;
}

/** Creates a renderer for `<name> text`, `* system line`, `- note`. Further lines of a message are indented. */
export function createMinimalRenderer(options: MinimalOptions = {}): Renderer {
  function draw(lines: readonly string[], keepsWords = false): string {
    const columns = options.columns?.();
    const rows = columns === undefined
      ? lines.join(`\n${INDENT}`)
      : wrapLines(lines, { first: 0, columns, keepsWords });
    return fromTheLeft(rows);
  }

  function withHint(rows: string, hint: string | undefined): string {
    return hint === undefined ? rows : `${rows}\n${draw([`hint: ${safeLine(hint)}`])}`;
  }

  return {
    chat(line) {
      const [start = "", ...rest] = chatLines(line);
      return draw([`${roomTag(line)}${whoSays(line)} ${aboutText(line)}${start}`, ...rest]);
    },
    system: (line) => draw([`* ${systemText(line)}`]),
    file(event, _time, tag = "") {
      const shown = transferText(event);
      return shown === undefined ? undefined : draw([`- ${tag}${shown.text}`]);
    },
    note({ level, text, hint, isCopyable }) {
      const rows = level === "info"
        ? safeLines(text).map((line) => draw([`- ${line}`], isCopyable)).join("\n")
        : draw([NOTE_WORDS[level] + safeLine(text)]);
      return withHint(rows, hint);
    },
    link: ({ text, hint }) => withHint(draw([`- ${safeLine(text)}`]), hint),
    roomSwitch: (room) => draw([`- ${roomSwitchText(room)}`]),
    more: (rows, n) => `    ${moreText(rows, n)}`,
  };
}
