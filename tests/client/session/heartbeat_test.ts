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

function watched(options: { readonly canAsk?: boolean } = {}) {
  const clock = new SleepyClock();
  const told = { asked: 0, dead: 0 };
  const heartbeat = new Heartbeat({
    clock,
    patienceMs: PATIENCE_MS,
    ask: options.canAsk === false ? undefined : () => told.asked++,
    onDead: () => told.dead++,
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
  assert.deepEqual(told, { asked: 0, dead: 1 });
});

Deno.test("a jump of the date is a wake from sleep: the server is asked, and gone without an answer in 3 s", async () => {
  const { clock, told, pass } = watched();
  await pass(2);
  clock.slept = 6_000;
  await pass(1);
  assert.deepEqual(told, { asked: 1, dead: 0 });
  await pass(WAKE_ANSWER_MS / 1_000 + 1);
  assert.deepEqual(told, { asked: 1, dead: 1 });
});

Deno.test("a server that answers after a wake stays, and each wake asks again", async () => {
  const { clock, told, heartbeat, pass } = watched();
  for (const slept of [3_600_000, 7_200_000]) {
    clock.slept = slept;
    await pass(1);
    heartbeat.heard();
    await pass(10);
  }
  assert.deepEqual(told, { asked: 2, dead: 0 });
});

Deno.test("a date that is set back, or a moment late, is no wake", async () => {
  const { clock, told, pass } = watched();
  clock.slept = -3_600_000;
  await pass(1);
  clock.slept += 3_000;
  await pass(1);
  assert.deepEqual(told, { asked: 0, dead: 0 });
});

Deno.test("where the wire has no word for it, nobody is asked and silence decides", async () => {
  const { clock, told, pass } = watched({ canAsk: false });
  clock.slept = 3_600_000;
  await pass(10);
  assert.deepEqual(told, { asked: 0, dead: 0 });
});

Deno.test("after its end a heartbeat says nothing", async () => {
  const { told, over, pass } = watched();
  over.abort();
  await pass(100);
  assert.deepEqual(told, { asked: 0, dead: 0 });
});
