// Terminal modes that a prompt sets, and how they are reset, so that the shell finds its terminal unchanged. Also
// what the prompt sends beside painting: bell, notices, questions.

import { stripVTControlCharacters } from "node:util";
import type { Alert } from "./terminal.ts";

/** Bracketed paste on: pasted line ends arrive as text, not as Enter. */
export const PASTE_BRACKETS_ON = "\x1b[?2004h";

/** The same, off. */
export const PASTE_BRACKETS_OFF = "\x1b[?2004l";

/** What a prompt needs: the brackets around a paste. */
export const TERMINAL_MODES_ON = PASTE_BRACKETS_ON;

/** Back to the ordinary screen, plain styles, auto-wrap, no synchronized output, no bracketed paste, the cursor shown. */
export const TERMINAL_MODES_OFF = "\x1b[?1047l\x1b[m\x1b[?7h\x1b[?2026l\x1b[?2004l\x1b[?25h";

/**
 * What another program may have left behind, back as it was: the scroll region (the cursor stays), the character sets,
 * insert mode, application keys, mouse reports.
 */
export const AFTER_PROGRAM =
  "\x1b7\x1b[r\x1b8\x0f\x1b(B\x1b[4l\x1b[?1l\x1b>\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1006l";

/** After a program that died: out of the alternate screen, and below all that stands on the other one. */
export const AFTER_DEAD_PROGRAM = "\x1b[?1047l\x1b[r\x1b[999B\r\n";

/** The shape of the cursor (DECSCUSR): a bar, a block, and what the user has. */
export const CURSOR_SHAPES = { insert: "\x1b[6 q", normal: "\x1b[2 q", own: "\x1b[0 q" } as const;

/** The bell. */
export const BELL = "\x07";

/** What calls for the user's attention. */
export function alertSequence({ notice }: Alert): string {
  return BELL + (notice === undefined ? "" : noticeSequence(notice));
}

/** A notice on the desktop: OSC 9 (iTerm2, Windows Terminal, kitty …) or OSC 777 (rxvt, foot, WezTerm …). */
export function noticeSequence({ form, text }: NonNullable<Alert["notice"]>): string {
  // The caller has sanitized the text. Here it must not end the sequence, whatever it is.
  const safe = stripVTControlCharacters(text).replace(/\p{Cc}/gu, " ");
  switch (form) {
    case "osc9":
      return `\x1b]9;${safe}\x1b\\`;
    case "osc777":
      return `\x1b]777;notify;cmdchat;${safe.replaceAll(";", ",")}\x1b\\`;
  }
}

/**
 * Asks for the background's color (OSC 11), and then what the terminal is (DA1). Every terminal answers the second
 * question, so that its answer tells that none to the first will come any more.
 */
export const BACKGROUND_QUERY = "\x1b]11;?\x1b\\\x1b[c";
/** How the answer begins. */
export const BACKGROUND_REPORT = "11;";
/** An answer to DA1, without its ESC. */
export const DEVICE_REPORT = /^\[\?[\d;]*c$/;
/** Where the cursor is (CPR), without its ESC; the first group is the column. */
export const CURSOR_REPORT = /^\[\d+;(\d+)R$/;

/**
 * Asks how far each of these texts moves the cursor (CPR), and then what the terminal is (DA1). Synchronized output keeps
 * the texts from being seen; the row is empty again at the end.
 */
export function widthQuery(texts: readonly string[]): string {
  const asked = texts.map((text) => `\r${text}\x1b[6n`).join("");
  return `\x1b[?2026h${asked}\r\x1b[K\x1b[?2026l\x1b[c`;
}
