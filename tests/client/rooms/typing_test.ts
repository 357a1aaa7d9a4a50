import assert from "node:assert/strict";
import { Typing } from "../../../client/rooms/typing.ts";
import { TYPING_QUIET_MS } from "../../../shared/base/limits.ts";
import { ManualClock } from "../../helpers/fakes/chat_fakes.ts";

function open(wanted = true) {
  const clock = new ManualClock();
  const told: number[] = [];
  const typing = new Typing({
    clock,
    isWanted: () => wanted,
    onChange: () => {},
    tell: () => told.push(clock.now()),
  });
  return { clock, told, typing };
}

Deno.test("that we are writing is told at once, then once in a while, and anew after what was said", async () => {
  const { clock, told, typing } = open();
  for (const text of ["h", "he", "hel"]) typing.entered(text);
  assert.deepEqual(told, [0]);
  await clock.pass(TYPING_QUIET_MS);
  typing.entered("hello");
  typing.said();
  typing.entered("a");
  assert.deepEqual(told, [0, TYPING_QUIET_MS, TYPING_QUIET_MS]);
});

Deno.test("commands, an empty line, and a user who does not want it tell nothing", () => {
  const { told, typing } = open();
  for (const text of ["", "/", "/ms", "/msg bob psst", "/join dev"]) typing.entered(text);
  assert.deepEqual(told, []);
  for (const text of ["/me waves", "//etc"]) {
    typing.said();
    typing.entered(text);
  }
  assert.equal(told.length, 2);
  const unwanted = open(false);
  unwanted.typing.entered("hello");
  unwanted.typing.begins(1, "bob");
  assert.deepEqual([unwanted.told, unwanted.typing.in(1)], [[], []]);
});

Deno.test("who is writing is shown in their room, until they said it or stopped", async () => {
  const { clock, typing } = open();
  typing.begins(1, "bob");
  typing.begins(2, "carol");
  assert.deepEqual([typing.in(1), typing.in(2), typing.in(undefined)], [["bob"], ["carol"], []]);
  typing.ends(1, "carol");
  assert.deepEqual(typing.in(2), ["carol"], "another room's carol goes on");
  typing.ends(2, "carol");
  await clock.pass(TYPING_QUIET_MS);
  typing.begins(1, "bob");
  await clock.pass(TYPING_QUIET_MS);
  assert.deepEqual(typing.in(1), ["bob"], "a further sign counts from its own time");
  await clock.pass(TYPING_QUIET_MS);
  assert.deepEqual(typing.in(1), []);
});

Deno.test("a server that says without end that somebody is writing costs one timer and one redraw each", async () => {
  const clock = new ManualClock();
  let [timers, changes] = [0, 0];
  const typing = new Typing({
    clock: {
      now: () => clock.now(),
      date: () => clock.date(),
      utc: () => clock.utc(),
      wait(ms) {
        timers++;
        return clock.wait(ms);
      },
    },
    isWanted: () => true,
    onChange: () => changes++,
    tell() {},
  });
  for (let n = 0; n < 100_000; n++) typing.begins(1, `eve${n % 100}`);
  assert.deepEqual([timers, changes, typing.in(1).length], [1, 32, 32]);
  await clock.pass(2 * TYPING_QUIET_MS);
  assert.deepEqual([typing.in(1), changes], [[], 33]);
});
