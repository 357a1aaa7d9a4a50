// Device keys on their way through the server: to one member of the room, whole, and no more often than is right.

import assert from "node:assert/strict";
import { dispatchRequest } from "../../../server/handlers/dispatch.ts";
import { PROOF_ASKS } from "../../../shared/base/limits.ts";
import type { Event } from "../../../shared/messages/messages_v2.ts";
import { makeRelay, seat, type Seated } from "../../helpers/peers/relay.ts";

const nonce = new Uint8Array(32).fill(5);
const key = new Uint8Array(32).fill(6);
const signature = new Uint8Array(64).fill(7);

async function scene() {
  const relay = await makeRelay();
  const [alice, bob, carol] = ["alice", "bob", "carol"].map((name) => seat(relay, { name }));
  return { relay, alice: alice!, bob: bob!, carol: carol! };
}

function proofs({ port }: Seated): Event[] {
  return port.events.filter(({ kind }) => kind === "proof" || kind === "proof_asked");
}

Deno.test("a question and its answer reach the one they are for, as they are, and nobody else", async () => {
  const { alice, bob, carol } = await scene();
  const room = alice.room();
  dispatchRequest(alice.session, { kind: "ask_proof", room, to: bob.session.id, nonce });
  dispatchRequest(bob.session, { kind: "proof", room, to: alice.session.id, key, signature });
  assert.deepEqual(proofs(bob), [{ kind: "proof_asked", room, client: alice.session.id, nonce }]);
  assert.deepEqual(proofs(alice), [{
    kind: "proof",
    room,
    client: bob.session.id,
    key,
    signature,
  }]);
  assert.deepEqual(proofs(carol), []);
});

Deno.test("who is in another room, oneself and nobody get no question, and an old client no message", async () => {
  const { relay, alice, carol } = await scene();
  const old = seat(relay, { name: "old", old: true });
  const away = seat(relay, { name: "dave", rooms: ["hall"] });
  const room = alice.room();
  for (const to of [alice.session.id, away.session.id, 9_999, old.session.id]) {
    dispatchRequest(alice.session, { kind: "ask_proof", room, to, nonce });
    dispatchRequest(alice.session, { kind: "proof", room, to, key, signature });
  }
  dispatchRequest(alice.session, { kind: "ask_proof", room: 9_999, to: carol.session.id, nonce });
  for (const one of [alice, away, carol]) assert.deepEqual(proofs(one), []);
});

Deno.test("who asks too often is not passed on", async () => {
  const { alice, bob } = await scene();
  const room = alice.room();
  for (let n = 0; n < 3 * PROOF_ASKS.messages; n++) {
    dispatchRequest(alice.session, { kind: "ask_proof", room, to: bob.session.id, nonce });
  }
  assert.equal(proofs(bob).length, PROOF_ASKS.messages);
});
