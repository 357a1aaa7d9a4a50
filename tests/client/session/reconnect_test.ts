import assert from "node:assert/strict";
import { Backoff, keepConnected } from "../../../client/session/reconnect.ts";
import type { Session } from "../../../client/session/session.ts";
import { BusyError, UnauthorizedError } from "../../../client/session/refusal.ts";
import { IdentityError, ServerBusyError } from "../../../shared/channel/handshake_error.ts";
import type { Fingerprint } from "../../../shared/crypto/fingerprint.ts";
import { ConnectionError } from "../../../shared/base/errors.ts";
import { FakeSession, ManualClock, turns } from "../../helpers/fakes/chat_fakes.ts";

interface Run {
  readonly clock: ManualClock;
  readonly attempts: number[];
  readonly waits: number[];
  readonly ended: Promise<unknown>;
  readonly stop: () => void;
}

function run(
  outcomes: (Session | Error)[],
  serve: () => Promise<Session | undefined> = () => Promise.resolve(undefined),
  { asksTrust = false, backoff = new Backoff(() => 0) } = {},
): Run {
  const clock = new ManualClock();
  const [attempts, waits]: [number[], number[]] = [[], []];
  const ending = new AbortController();
  const ended = keepConnected({
    open() {
      attempts.push(clock.now());
      const next = outcomes.shift() ?? new ConnectionError("down");
      return next instanceof Error ? Promise.reject(next) : Promise.resolve(next);
    },
    serve,
    onDown: () => {},
    onWaiting: (seconds) => void waits.push(seconds),
    clock,
    backoff,
    signal: ending.signal,
    asksTrust,
  }).then(() => undefined, (error) => error);
  return { clock, attempts, waits, ended, stop: () => ending.abort() };
}

Deno.test("Backoff grows from 1-2 s to 15-30 s and starts anew after reset()", () => {
  const low = new Backoff(() => 1);
  const high = new Backoff(() => 0);
  const pauses = (backoff: Backoff) => Array.from({ length: 6 }, () => backoff.next());
  assert.deepEqual(pauses(high), [2_000, 4_000, 8_000, 16_000, 30_000, 30_000]);
  assert.deepEqual(pauses(low), [1_000, 2_000, 4_000, 8_000, 15_000, 15_000]);
  low.reset();
  assert.equal(low.next(), 1_000);
  const random = new Backoff().next();
  assert.ok(random >= 1_000 && random <= 2_000);
});

Deno.test("keepConnected() comes back to a busy server when that says so, or up to a quarter later", async () => {
  for (const [random, at] of [[0, 8_000], [1, 10_000]] as const) {
    const { clock, attempts, stop, ended } = run(
      [new ServerBusyError(8_000), new FakeSession()],
      undefined,
      { backoff: new Backoff(() => random) },
    );
    await turns();
    for (let second = 0; second < 11; second++) await clock.pass(1_000);
    assert.deepEqual(attempts.slice(0, 2), [0, at]);
    stop();
    assert.equal(await ended, undefined);
  }
});

Deno.test("keepConnected() throws the fault of the first attempt", async () => {
  const error = new ConnectionError("refused");
  assert.equal(await run([error]).ended, error);
});

Deno.test("keepConnected() tries a busy server again from the first attempt on", async () => {
  const { attempts, clock, stop, ended } = run([new BusyError("full"), new FakeSession()]);
  await turns();
  assert.equal(attempts.length, 1);
  await clock.pass(1_000);
  await clock.pass(1_000);
  assert.equal(attempts.length, 2);
  stop();
  assert.equal(await ended, undefined);
});

Deno.test("after one session keepConnected() goes on forever, and counts the seconds down", async () => {
  const { attempts, waits, clock, stop, ended } = run([new FakeSession()]);
  await turns();
  for (let second = 0; second < 14; second++) await clock.pass(1_000);
  assert.deepEqual(attempts, [0, 2_000, 6_000, 14_000]);
  assert.deepEqual(waits.slice(0, 6), [2, 1, 4, 3, 2, 1]);
  stop();
  assert.equal(await ended, undefined);
});

Deno.test("a refused token ends keepConnected() after a session as well", async () => {
  const error = new UnauthorizedError("no");
  const { clock, ended } = run([new FakeSession(), error]);
  await turns();
  await clock.pass(1_000);
  await clock.pass(1_000);
  assert.equal(await ended, error);
});

Deno.test("keepConnected() closes a session that broke, and throws on what is a bug", async () => {
  const session = new FakeSession();
  const bug = new TypeError("bug");
  assert.equal(await run([session], () => Promise.reject(bug)).ended, bug);
  assert.ok(session.closed);
});

function stranger(): IdentityError {
  return new IdentityError("another", { seen: `SHA256:${"B".repeat(42)}A` as Fingerprint });
}

Deno.test("a server that has another key now ends it where nobody can be asked, and at the first attempt", async () => {
  const error = stranger();
  const later = run([new FakeSession(), error]);
  await turns();
  for (let s = 0; s < 2; s++) await later.clock.pass(1_000);
  assert.equal(await later.ended, error);
  const first = stranger();
  assert.equal(await run([first], undefined, { asksTrust: true }).ended, first);
});

Deno.test("where the other one was only remembered, the user is asked at the first attempt already", async () => {
  const remembered = () => new IdentityError("no", { seen: "B" as never, isRemembered: true });
  const { attempts, clock, stop, ended } = run([remembered(), new FakeSession()], undefined, {
    asksTrust: true,
  });
  await turns();
  for (let s = 0; s < 2; s++) await clock.pass(1_000);
  assert.equal(attempts.length, 2);
  stop();
  assert.equal(await ended, undefined);
  const error = remembered();
  assert.equal(await run([error], undefined, { asksTrust: false }).ended, error);
});

Deno.test("where the user is asked, a server that has another key now is tried on, and at once after wake()", async () => {
  const backoff = new Backoff(() => 0);
  const { attempts, clock, stop, ended } = run([new FakeSession(), stranger()], undefined, {
    asksTrust: true,
    backoff,
  });
  await turns();
  for (let s = 0; s < 2; s++) await clock.pass(1_000);
  assert.equal(attempts.length, 2);
  backoff.wake();
  await turns();
  assert.equal(attempts.length, 3, "no pause is waited for");
  await clock.pass(1_000);
  assert.equal(attempts.length, 3, "the pause behind it is a whole one");
  stop();
  assert.equal(await ended, undefined);
});
