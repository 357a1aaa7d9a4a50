// Terminal modes that a prompt changes, and the way back; both sides of the promise that a shell finds
// its terminal as it was. And what it asks of the terminal beside painting.

import { stripVTControlCharacters } from "node:util";
import type { Alert } from "./terminal.ts";

/** Bracketed paste on: pasted line ends arrive as text, not as Enter. */
export const TERMINAL_MODES_ON = "\x1b[?2004h";

/** Back to plain styles, auto-wrap, no synchronised output, no bracketed paste, the cursor shown. */
export const TERMINAL_MODES_OFF = "\x1b[m\x1b[?7h\x1b[?2026l\x1b[?2004l\x1b[?25h";

/** Rings. */
export const BELL = "\x07";

/** A notice on the desktop: OSC 9 (iTerm2, Windows Terminal, kitty …) or OSC 777 (rxvt, foot, WezTerm …). */
export function noticeSequence({ form, text }: NonNullable<Alert["notice"]>): string {
  // Whatever it is, it must not end the sequence: the caller's text is safe, this one is certain.
  const safe = stripVTControlCharacters(text).replace(/\p{Cc}/gu, " ");
  switch (form) {
    case "osc9":
      return `\x1b]9;${safe}\x1b\\`;
    case "osc777":
      return `\x1b]777;notify;cmdchat;${safe.replaceAll(";", ",")}\x1b\\`;
  }
}

/** Asks for the background's colour (OSC 11); whoever does not know it says nothing. */
export const BACKGROUND_QUERY = "\x1b]11;?\x1b\\";
/** How the answer begins. */
export const BACKGROUND_REPORT = "11;";
