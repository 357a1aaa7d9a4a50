import assert from "node:assert/strict";
import {
  CHALLENGE_BYTES,
  FINISH_MS,
  HAND_OVER_REQUEST_BYTES,
  HandOverAuth,
  handOverRequest,
} from "../../../server/admin/hand_over_auth.ts";
import { TokenGate } from "../../../server/admin/token_gate.ts";
import { CryptoError } from "../../../shared/base/errors.ts";

const TOKEN = "for-the-admin-alone";
const OTHER = "somebody else's";
const STATE = new TextEncoder().encode("all that a server knows");
const PEER = "127.0.0.1";

/** A process that gives STATE to holders of `token`, with a clock that the test moves. */
function openGiver(token = TOKEN) {
  const events: string[] = [];
  const timers: { run: () => void; ms: number; isCancelled: boolean }[] = [];
  const clock = { now: 5_000 };
  const gate = new TokenGate(token, {
    pause: () => Promise.resolve(),
    onGuess: (source) => events.push(`guess ${source}`),
  });
  const options = {
    notice: () => ({ format: "a format", port: 5050 }),
    token,
    gate,
    now: () => clock.now,
    later(run: () => void, ms: number) {
      const timer = { run, ms, isCancelled: false };
      timers.push(timer);
      return () => void (timer.isCancelled = true);
    },
  };
  const auth = new HandOverAuth(options, {
    prepare: () => {
      events.push("prepare");
      return Promise.resolve(STATE);
    },
    finish: () => events.push("finish"),
    resume: () => events.push("resume"),
  });
  const runTimers = () => {
    for (const { run, isCancelled } of timers.splice(0)) if (!isCancelled) run();
  };
  return { auth, events, clock, timers, runTimers };
}

Deno.test("the holder of the token gets the state, which is sealed, and finishes once it serves", async () => {
  const { auth, events, timers, runTimers } = openGiver();
  const asked = handOverRequest(TOKEN, auth.challenge());
  const sealed = await auth.give(asked.body, PEER);
  assert.ok(sealed instanceof Uint8Array);
  assert.ok(!new TextDecoder().decode(sealed).includes("server"));
  assert.deepEqual(asked.open(sealed), STATE);
  assert.deepEqual(timers.map(({ ms }) => ms), [FINISH_MS]);
  assert.equal(
    await auth.finish(asked.body, PEER),
    "unauthorized",
    "the request is no proof of it",
  );
  assert.equal(await auth.finish(asked.finish, PEER), undefined);
  assert.equal(await auth.finish(asked.finish, PEER), "nothing");
  runTimers();
  assert.deepEqual(events, ["prepare", `guess ${PEER}`, "finish"]);
});

Deno.test("without a finish in time the giver resumes, and a late finish is refused", async () => {
  const { auth, events, runTimers } = openGiver();
  const first = handOverRequest(TOKEN, auth.challenge());
  assert.ok(await auth.give(first.body, PEER) instanceof Uint8Array);
  runTimers();
  assert.deepEqual(events, ["prepare", "resume"]);
  assert.equal(await auth.finish(first.finish, PEER), "nothing");
  const second = handOverRequest(TOKEN, auth.challenge());
  assert.ok(await auth.give(second.body, PEER) instanceof Uint8Array);
  assert.equal(await auth.finish(second.finish, PEER), undefined);
  assert.deepEqual(events, ["prepare", "resume", "prepare", "finish"]);
});

Deno.test("a second process gets the same state where the first one failed, and only it can finish", async () => {
  const { auth, events, runTimers } = openGiver();
  const first = handOverRequest(TOKEN, auth.challenge());
  await auth.give(first.body, PEER);
  const second = handOverRequest(TOKEN, auth.challenge());
  assert.deepEqual(second.open(await auth.give(second.body, PEER) as Uint8Array), STATE);
  assert.equal(await auth.finish(first.finish, PEER), "nothing");
  assert.equal(await auth.finish(second.finish, PEER), undefined);
  runTimers();
  assert.deepEqual(events, ["prepare", "finish"]);
});

Deno.test("a wrong proof, a changed, old, used or foreign challenge, and any other length get nothing", async () => {
  const { auth, events, clock } = openGiver();
  const { auth: other } = openGiver();
  for (const length of [0, HAND_OVER_REQUEST_BYTES - 1, HAND_OVER_REQUEST_BYTES + 1]) {
    assert.equal(await auth.give(new Uint8Array(length), PEER), "unauthorized", `${length} bytes`);
  }
  assert.equal(await auth.give(new Uint8Array(HAND_OVER_REQUEST_BYTES), PEER), "stale");
  const wrong = handOverRequest(OTHER, auth.challenge());
  assert.equal(await auth.give(wrong.body, PEER), "unauthorized");
  const foreign = handOverRequest(TOKEN, other.challenge());
  assert.equal(await auth.give(foreign.body, PEER), "stale", "of another process");
  for (let n = 0; n < CHALLENGE_BYTES; n++) {
    const challenge = auth.challenge();
    challenge[n] = (challenge[n] ?? 0) ^ 1;
    assert.equal(await auth.give(handOverRequest(TOKEN, challenge).body, PEER), "stale");
  }
  const old = handOverRequest(TOKEN, auth.challenge());
  clock.now += 30_000;
  assert.equal(await auth.give(old.body, PEER), "stale");
  assert.ok(!events.includes("prepare"));
  const heard = handOverRequest(TOKEN, auth.challenge());
  const both = await Promise.all([auth.give(heard.body, PEER), auth.give(heard.body, PEER)]);
  assert.deepEqual(both.filter((given) => given === "stale").length, 1, "a challenge counts once");
  assert.equal(await auth.give(heard.body, PEER), "stale");
});

Deno.test("however many challenges are asked for, an earlier one still counts", async () => {
  const { auth } = openGiver();
  const asked = handOverRequest(TOKEN, auth.challenge());
  for (let n = 0; n < 10_000; n++) auth.challenge();
  assert.ok(await auth.give(asked.body, PEER) instanceof Uint8Array);
});

Deno.test("an impostor at the server's address learns no token and cannot hand over a state of its own", async () => {
  // It chooses the challenge, sees the request, and can only guess the token.
  const { auth: impostor } = openGiver(OTHER);
  const asked = handOverRequest(TOKEN, impostor.challenge());
  assert.equal(await impostor.give(asked.body, PEER), "unauthorized");
  const own = handOverRequest(OTHER, impostor.challenge());
  const forged = await impostor.give(own.body, PEER);
  assert.ok(forged instanceof Uint8Array);
  assert.throws(() => asked.open(forged), CryptoError);
  assert.throws(() => asked.open(new Uint8Array()), CryptoError);
});

Deno.test("a giver resumes at once when the process that holds a connection ends, and nothing finishes later", async () => {
  const { auth, events, timers, runTimers } = openGiver();
  const asked = handOverRequest(TOKEN, auth.challenge());
  const { promise, resolve } = Promise.withResolvers<void>();
  const holding = auth.hold(asked.hold, { peer: PEER, gone: () => promise });
  assert.ok(await auth.give(asked.body, PEER) instanceof Uint8Array);
  resolve();
  assert.equal(await holding, undefined);
  assert.deepEqual(events, ["prepare", "resume"]);
  assert.deepEqual(timers.map(({ isCancelled }) => isCancelled), [true]);
  assert.equal(await auth.finish(asked.finish, PEER), "nothing");
  runTimers();
  assert.deepEqual(events, ["prepare", "resume"]);
});

Deno.test("a process that ends while the state is prepared is not waited for, and one that has ended before gets nothing", async () => {
  const { auth, events, timers } = openGiver();
  const asked = handOverRequest(TOKEN, auth.challenge());
  const gone = { peer: PEER, gone: () => Promise.resolve() };
  const giving = auth.give(asked.body, PEER);
  // The proof is checked behind that of the request, so that the state is on its way.
  await Promise.all([giving, auth.hold(asked.hold, gone)]);
  assert.deepEqual(events, ["prepare", "resume"]);
  const early = handOverRequest(TOKEN, auth.challenge());
  assert.equal(await auth.hold(early.hold, gone), undefined);
  assert.equal(await auth.give(early.body, PEER), "stale");
  assert.deepEqual(events, ["prepare", "resume"]);
  assert.ok(timers.every(({ isCancelled }) => isCancelled));
});

Deno.test("a process that is not waited for any longer holds up nothing, and one that has not asked yet stays", async () => {
  const { auth, events, runTimers } = openGiver();
  const slow = handOverRequest(TOKEN, auth.challenge());
  const next = handOverRequest(TOKEN, auth.challenge());
  const ended: string[] = [];
  const stays = { peer: PEER, gone: () => new Promise<void>(() => {}) };
  const holding = auth.hold(slow.hold, stays).then(() => void ended.push("slow"));
  const { promise, resolve } = Promise.withResolvers<void>();
  const other = auth.hold(next.hold, { peer: PEER, gone: () => promise })
    .then(() => void ended.push("next"));
  assert.ok(await auth.give(slow.body, PEER) instanceof Uint8Array);
  runTimers();
  await holding;
  assert.deepEqual(events, ["prepare", "resume"]);
  assert.ok(await auth.give(next.body, PEER) instanceof Uint8Array);
  assert.deepEqual(ended, ["slow"]);
  resolve();
  await other;
  assert.deepEqual(events, ["prepare", "resume", "prepare", "resume"]);
});

Deno.test("whoever has no token, or another challenge, ends nothing by going; who finished may go", async () => {
  const { auth, events, runTimers } = openGiver();
  const asked = handOverRequest(TOKEN, auth.challenge());
  assert.ok(await auth.give(asked.body, PEER) instanceof Uint8Array);
  const gone = { peer: PEER, gone: () => Promise.resolve() };
  for (const wrong of [asked.body, asked.finish, handOverRequest(OTHER, auth.challenge()).hold]) {
    assert.equal(await auth.hold(wrong, gone), "unauthorized");
  }
  assert.equal(await auth.hold(new Uint8Array(), gone), "unauthorized");
  const other = handOverRequest(TOKEN, auth.challenge());
  assert.equal(await auth.hold(other.hold, gone), undefined);
  const stays = { peer: PEER, gone: () => new Promise<void>(() => {}) };
  const holding = auth.hold(asked.hold, stays);
  await new Promise((resolve) => setTimeout(resolve));
  assert.equal(await auth.finish(asked.finish, PEER), undefined);
  assert.equal(await holding, undefined, "the answer to it must not hold up the end");
  runTimers();
  assert.deepEqual(events.filter((event) => !event.startsWith("guess")), ["prepare", "finish"]);
});
