import { getLogger } from "@logtape/logtape";
import assert from "node:assert/strict";
import { GuessLog } from "../../../server/admin/guess_log.ts";

function openGuessLog() {
  const lines: string[] = [];
  const timers: (() => void)[] = [];
  const log = Object.create(getLogger("guess-log-test"), {
    warning: {
      value: (text: string, { address, guesses }: Record<string, unknown>) =>
        lines.push(`${text} ${address} ${guesses}`),
    },
  });
  const guessLog = new GuessLog({ log, later: (run) => timers.push(run) });
  return { guessLog, lines, timers };
}

Deno.test("note() logs a source's first guess at once, and the others as one line a minute", () => {
  const { guessLog, lines, timers } = openGuessLog();
  for (let n = 0; n < 100; n++) guessLog.note("192.0.2.1");
  guessLog.note("198.51.100.2");
  for (let n = 1; n < 4; n++) guessLog.note(`2001:db8::${n}`);
  assert.deepEqual(lines.splice(0), [
    "wrong admin credentials 192.0.2.1 1",
    "wrong admin credentials 198.51.100.2 1",
    "wrong admin credentials 2001:db8::/64 1",
  ]);
  assert.equal(timers.length, 1);
  timers.shift()?.();
  assert.deepEqual(lines.splice(0), [
    "wrong admin credentials 192.0.2.1 99",
    "wrong admin credentials 2001:db8::/64 2",
  ]);
  guessLog.note("192.0.2.1");
  assert.deepEqual(lines, ["wrong admin credentials 192.0.2.1 1"]);
  assert.equal(timers.length, 1);
});

Deno.test("a thousand sources cause seventeen lines a minute at most", () => {
  const { guessLog, lines, timers } = openGuessLog();
  for (let n = 0; n < 1_000; n++) guessLog.note(`10.0.${n >> 8}.${n & 255}`);
  assert.equal(lines.length, 17);
  assert.equal(lines.at(-1), "wrong admin credentials others 1");
  timers.shift()?.();
  assert.equal(lines.at(-1), "wrong admin credentials others 983");
  assert.equal(lines.length, 18);
});
