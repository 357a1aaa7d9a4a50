// deno-lint-ignore-file no-control-regex -- answers of a terminal begin with ESC
// Asks the terminal what it can do.

import type { Tty } from "./terminal.ts";

/** The answers; undefined = no answer. */
export interface TerminalFacts {
  /** Whether a letter of two UTF-8 bytes takes one cell. */
  readonly utf8: boolean | undefined;
  readonly bracketedPaste: boolean | undefined;
}

// A letter of two bytes and "where is the cursor", then DECRQM for mode 2004 (xterm's control sequences). Every terminal
// answers the last question (DA1), and nothing follows that answer.
const QUESTIONS = "\r\u00e9\x1b[6n\r\x1b[K\x1b[?2004$p\x1b[c";
const LAST_ANSWER = /\x1b\[\?[\d;]*c/;

/** Asks, and waits at most `waitMs` for the answers. Keys typed meanwhile are dropped. */
export async function probeTerminal(tty: Tty, waitMs: number): Promise<TerminalFacts> {
  tty.write(QUESTIONS);
  await tty.flush();
  const answers = await readAnswers(tty, waitMs);
  const column = /\x1b\[\d+;(\d+)R/.exec(answers)?.[1];
  const mode = /\x1b\[\?2004;(\d)\$y/.exec(answers)?.[1];
  return {
    utf8: column === undefined ? undefined : column === "2",
    bracketedPaste: mode === undefined ? undefined : mode !== "0" && mode !== "4",
  };
}

async function readAnswers(tty: Tty, waitMs: number): Promise<string> {
  const chunks = tty.input[Symbol.asyncIterator]();
  const decoder = new TextDecoder();
  let text = "";
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), waitMs);
  });
  while (!LAST_ANSWER.test(text)) {
    const next = await Promise.race([chunks.next(), late]);
    if (next === undefined || next.done) break;
    text += decoder.decode(next.value, { stream: true });
  }
  clearTimeout(timer);
  return text;
}
