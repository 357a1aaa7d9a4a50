import assert from "node:assert/strict";
import { Heartbeat } from "../../../client/session/heartbeat.ts";
import { WAKE_ANSWER_MS } from "../../../client/base/limits.ts";
import { ManualClock } from "../../helpers/fakes/chat_fakes.ts";

const PATIENCE_MS = 45_000;

/** A clock whose date can jump while no time passes, as a machine's does that sleeps. */
class SleepyClock extends ManualClock {
  slept = 0;

  override date(): number {
    return super.date() + this.slept;
  }
}

function watched(options: { readonly canAsk?: boolean; readonly answerMs?: number } = {}) {
  const clock = new SleepyClock();
  const told = { asked: 0, dead: 0, silence: 0 };
  const heartbeat = new Heartbeat({
    clock,
    patienceMs: PATIENCE_MS,
    answerMs: options.answerMs,
    ask: options.canAsk === false ? undefined : () => told.asked++,
    onDead: () => told.dead++,
    onSilence: () => told.silence++,
  });
  const over = new AbortController();
  void heartbeat.watch(over.signal);
  const pass = async (seconds: number) => {
    for (let n = 0; n < seconds; n++) await clock.pass(1_000);
  };
  return { clock, told, heartbeat, over, pass };
}

Deno.test("a server is gone after 45 s of silence, once, and any sign of life begins them anew", async () => {
  const { told, heartbeat, pass } = watched();
  await pass(45);
  assert.equal(told.dead, 0);
  heartbeat.heard();
  await pass(45);
  assert.equal(told.dead, 0);
  await pass(10);
  assert.deepEqual([told.asked, told.dead], [0, 1]);
});

Deno.test("a jump of the date is a wake from sleep: the server is asked, and gone without an answer in 3 s", async () => {
  const { clock, told, pass } = watched();
  await pass(2);
  clock.slept = 6_000;
  await pass(1);
  assert.deepEqual([told.asked, told.dead], [1, 0]);
  await pass(WAKE_ANSWER_MS / 1_000 + 1);
  assert.deepEqual([told.asked, told.dead], [1, 1]);
});

Deno.test("who says that it woke has the server asked at once, and once; without an answer in 3 s it is gone", async () => {
  const { told, heartbeat, pass } = watched();
  await pass(2);
  heartbeat.wake();
  heartbeat.wake();
  assert.deepEqual([told.asked, told.dead], [1, 0]);
  heartbeat.heard();
  await pass(5);
  heartbeat.wake();
  await pass(WAKE_ANSWER_MS / 1_000 + 1);
  assert.deepEqual([told.asked, told.dead], [2, 1]);
});

Deno.test("a server that answers after a wake stays, and each wake asks again", async () => {
  const { clock, told, heartbeat, pass } = watched();
  for (const slept of [3_600_000, 7_200_000]) {
    clock.slept = slept;
    await pass(1);
    heartbeat.heard();
    await pass(10);
  }
  assert.deepEqual([told.asked, told.dead], [2, 0]);
});

Deno.test("a date that is set back, or a moment late, is no wake", async () => {
  const { clock, told, pass } = watched();
  clock.slept = -3_600_000;
  await pass(1);
  clock.slept += 3_000;
  await pass(1);
  assert.deepEqual([told.asked, told.dead], [0, 0]);
});

Deno.test("where the wire has no word for it, nobody is asked and silence decides", async () => {
  const { clock, told, pass } = watched({ canAsk: false });
  clock.slept = 3_600_000;
  await pass(10);
  assert.deepEqual([told.asked, told.dead], [0, 0]);
});

Deno.test("after its end a heartbeat says nothing", async () => {
  const { told, over, pass } = watched();
  over.abort();
  await pass(100);
  assert.deepEqual([told.asked, told.dead], [0, 0]);
});

Deno.test("a server that owes an answer is silent after 5 s, and no longer once it speaks", async () => {
  const { heartbeat, told, pass } = watched();
  heartbeat.expect();
  await pass(4);
  assert.equal(heartbeat.silentMs, undefined);
  await pass(1);
  assert.equal(heartbeat.silentMs, 5_000);
  assert.equal(told.silence, 1);
  heartbeat.expect();
  await pass(3);
  assert.equal(heartbeat.silentMs, 8_000);
  assert.equal(told.silence, 4);
  heartbeat.heard();
  assert.equal(heartbeat.silentMs, undefined);
  assert.equal(told.silence, 5);
  await pass(30);
  assert.equal(told.silence, 5);
});

Deno.test("a server that owes nothing may be quiet; where it speaks by itself, it is silent after that and 5 s", async () => {
  const quiet = watched();
  await quiet.pass(44);
  assert.equal(quiet.heartbeat.silentMs, undefined);
  const old = watched({ canAsk: false });
  await old.pass(19);
  assert.equal(old.heartbeat.silentMs, undefined);
  await old.pass(1);
  assert.equal(old.heartbeat.silentMs, 20_000);
});

Deno.test("a link is tried when the user types after a quiet while, and not at each key", async () => {
  const { heartbeat, told, pass } = watched();
  heartbeat.nudge();
  await pass(5);
  heartbeat.nudge();
  heartbeat.expect();
  heartbeat.nudge();
  assert.equal(told.asked, 1);
  const old = watched({ canAsk: false });
  await old.pass(10);
  old.heartbeat.nudge();
  assert.equal(old.told.asked, 0);
});

Deno.test("where another server could take over, one that owes an answer is left sooner; silence alone is no reason", async () => {
  const { heartbeat, told, pass } = watched({ answerMs: 10_000 });
  await pass(14);
  assert.equal(told.dead, 0, "nothing was asked");
  heartbeat.expect();
  await pass(9);
  heartbeat.heard();
  heartbeat.expect();
  await pass(10);
  assert.equal(told.dead, 0);
  await pass(1);
  assert.equal(told.dead, 1);
});
