// Terminal modes that a prompt changes, and the way back; both sides of the promise that a shell finds
// its terminal as it was.

/** Bracketed paste on: pasted line ends arrive as text, not as Enter. */
export const TERMINAL_MODES_ON = "\x1b[?2004h";

/** Back to plain styles, auto-wrap, no synchronised output, no bracketed paste, the cursor shown. */
export const TERMINAL_MODES_OFF = "\x1b[m\x1b[?7h\x1b[?2026l\x1b[?2004l\x1b[?25h";
