import assert from "node:assert/strict";
import {
  HAND_OVER_REQUEST_BYTES,
  HandOverAuth,
  handOverRequest,
} from "../../../server/admin/hand_over_auth.ts";
import { TokenGate } from "../../../server/admin/token_gate.ts";
import { CryptoError } from "../../../shared/base/errors.ts";

const TOKEN = "for-the-admin";
const OTHER = "somebody else's";
const STATE = new TextEncoder().encode("all that a server knows");

/** A gate that lets nobody wait. */
function gateOf(token: string): TokenGate {
  return new TokenGate(token, () => Promise.resolve());
}

/** A desk with STATE, given once. */
function newDesk(): { desk: HandOverAuth; readonly given: number } {
  let given = 0;
  const take = () => given++ === 0 ? Promise.resolve(STATE) : undefined;
  const desk = new HandOverAuth({ token: TOKEN, gate: gateOf(TOKEN) }, take);
  return {
    desk,
    get given() {
      return given;
    },
  };
}

Deno.test("who has the token gets everything once, and on the way it is not to be read", async () => {
  const { desk } = newDesk();
  const ask = handOverRequest(TOKEN, desk.challenge());
  const sealed = await desk.give(ask.body);
  assert.ok(sealed instanceof Uint8Array);
  assert.ok(!new TextDecoder().decode(sealed).includes("server"));
  assert.deepEqual(ask.open(sealed), STATE);
  assert.equal(await desk.give(handOverRequest(TOKEN, desk.challenge()).body), "nothing");
});

Deno.test("who has not, repeats what another asked, or asks without a challenge, gets nothing", async () => {
  const scene = newDesk();
  const { desk } = scene;
  assert.equal(await desk.give(new Uint8Array(HAND_OVER_REQUEST_BYTES)), "unauthorized");
  const wrong = handOverRequest(OTHER, desk.challenge());
  assert.equal(await desk.give(wrong.body), "unauthorized");
  for (const length of [0, HAND_OVER_REQUEST_BYTES - 1, HAND_OVER_REQUEST_BYTES + 1]) {
    desk.challenge();
    assert.equal(await desk.give(new Uint8Array(length)), "unauthorized", `${length} bytes`);
  }
  const wrongTwice = handOverRequest(TOKEN, desk.challenge()).body.fill(0, -1);
  assert.equal(await desk.give(wrongTwice), "unauthorized");
  assert.equal(await desk.give(wrongTwice), "unauthorized");
  assert.equal(scene.given, 0);
  const heard = handOverRequest(TOKEN, desk.challenge()).body;
  assert.ok(await desk.give(heard) instanceof Uint8Array);
  assert.equal(await desk.give(heard), "unauthorized", "a challenge counts once");
  assert.equal(scene.given, 1);
});

Deno.test("who listens in the server's place learns no token, and cannot hand over what is not the server's", async () => {
  // Whoever is there chooses the challenge, sees the ask, and can only guess the token.
  const impostor = new HandOverAuth(
    { token: OTHER, gate: gateOf(OTHER) },
    () => Promise.resolve(STATE),
  );
  const ask = handOverRequest(TOKEN, impostor.challenge());
  assert.equal(await impostor.give(ask.body), "unauthorized");
  const own = handOverRequest(OTHER, impostor.challenge());
  const forged = await impostor.give(own.body);
  assert.ok(forged instanceof Uint8Array);
  assert.throws(() => ask.open(forged), CryptoError);
  assert.throws(() => ask.open(new Uint8Array()), CryptoError);
});

Deno.test("guesses at the desk wait for guesses at the pages: there is one row of them", async () => {
  const pause = Promise.withResolvers<void>();
  const gate = new TokenGate(TOKEN, () => pause.promise);
  const desk = new HandOverAuth({ token: TOKEN, gate }, () => Promise.resolve(STATE));
  const guess = gate.check(OTHER);
  const ask = handOverRequest(TOKEN, desk.challenge());
  let given: unknown;
  const giving = desk.give(ask.body).then((sealed) => given = sealed);
  await new Promise((resolve) => setTimeout(resolve));
  assert.equal(given, undefined);
  pause.resolve();
  assert.equal(await guess, "wrong");
  assert.deepEqual(ask.open(await giving as Uint8Array), STATE);
});
