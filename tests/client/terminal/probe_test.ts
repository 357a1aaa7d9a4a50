import assert from "node:assert/strict";
import type { Tty } from "../../../client/terminal/terminal.ts";
import { probeTerminal } from "../../../client/terminal/probe.ts";

/** A terminal that answers with these bytes, in pieces. */
function terminal(...answers: readonly string[]): Tty & { readonly asked: string } {
  let asked = "";
  return {
    columns: 80,
    rows: 24,
    input: (async function* () {
      for (const answer of answers) yield new TextEncoder().encode(answer);
      await new Promise(() => {});
    })(),
    write: (text) => void (asked += text),
    flush: () => Promise.resolve(),
    onResize: () => {},
    measure: () => {},
    suspend: () => {},
    resume: () => {},
    stopping: "job",
    stop: () => {},
    onStop: () => {},
    close: () => Promise.resolve(),
    get asked() {
      return asked;
    },
  };
}

Deno.test("a terminal that answers everything is understood, however its answers are cut", async () => {
  const tty = terminal("\x1b[7;", "2R\x1b[?2004;2$", "y\x1b[?62;22c");
  assert.deepEqual(await probeTerminal(tty, 5_000), { utf8: true, bracketedPaste: true });
  assert.ok(tty.asked.endsWith("\x1b[c"), "the question that every terminal answers comes last");
});

Deno.test("one without UTF-8 moves two cells, and one without brackets says so", async () => {
  const tty = terminal("\x1b[7;3R", "\x1b[?2004;0$y", "\x1b[?1;2c");
  assert.deepEqual(await probeTerminal(tty, 5_000), { utf8: false, bracketedPaste: false });
});

Deno.test("what it does not answer stays open, at once where the last answer came", async () => {
  assert.deepEqual(await probeTerminal(terminal("\x1b[?6c"), 60_000), {
    utf8: undefined,
    bracketedPaste: undefined,
  });
});

Deno.test("a terminal that says nothing is not waited for longer than told", async () => {
  assert.deepEqual(await probeTerminal(terminal(), 20), {
    utf8: undefined,
    bracketedPaste: undefined,
  });
});
