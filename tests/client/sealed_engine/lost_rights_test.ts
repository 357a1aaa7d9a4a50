// Members whose rights change while what they decide is on its way, and members who act on rights that they had: what each
// of them is shown, with a relay between them.

import assert from "node:assert/strict";
import type { ToRelay } from "../../../client/sealed_engine/engine_protocol.ts";
import type { Connection, Peer, TestRelay } from "../../helpers/peers/sealed_relay.ts";
import {
  assertAgreed,
  dangers,
  decide,
  notes,
  roomOf,
  wants,
} from "../../helpers/peers/sealed_room_stories.ts";

// Those of the stories' own decisions are smaller.
let requests = 2_000;

/** From now on what a member commits reaches the relay behind all that others say. Returns what lets it through. */
function delayCommits(relay: TestRelay, slow: Peer): () => Promise<void> {
  const take = relay.take.bind(relay);
  const held: ToRelay[] = [];
  relay.take = (peer: Connection, request: ToRelay) => {
    if (peer === slow && request.kind === "sealed_commit") held.push(request);
    else take(peer, request);
  };
  return async () => {
    relay.take = take;
    for (const request of held) take(slow, request);
    await relay.settle();
  };
}

const refusals = (peer: Peer) => peer.told("declined").map(({ why }) => why);
const REFUSED = /A change of the room was refused/;

for (const what of ["kick", "lock"] as const) {
  Deno.test(`an op whose right is taken while its ${what} is on its way commits nothing that it may not`, async () => {
    const { relay, peers: [alice, bob, carol] } = await roomOf("alice", "bob", "carol");
    await decide(alice!, "op", "bob");
    const release = delayCommits(relay, bob!);
    await decide(bob!, what, what === "kick" ? "carol" : "");
    await decide(alice!, "deop", "bob");
    await release();
    for (const peer of [alice!, bob!, carol!]) assert.doesNotMatch(notes(peer), REFUSED);
    assert.deepEqual(refusals(bob!), [
      "Not done: only alice, the maker of this room, can do that.",
    ]);
    assertAgreed(alice!, bob!, carol!);
  });
}

Deno.test("whom the maker has made an op since, the one who removed them before leaves alone", async () => {
  const { relay, peers: [alice, bob, carol, dave] } = await roomOf("alice", "bob", "carol", "dave");
  await decide(alice!, "op", "bob");
  await decide(bob!, "kick", "carol");
  // A program that does not understand that it was removed comes back with its key.
  const release = delayCommits(relay, bob!);
  await carol!.offline();
  await carol!.online();
  await decide(alice!, "op", "carol");
  await release();
  await relay.advance(15);
  for (const peer of [alice!, bob!, carol!, dave!]) assert.doesNotMatch(notes(peer), REFUSED);
  assertAgreed(alice!, bob!, carol!, dave!);
});

Deno.test("two ops who remove each other at once are both told that they cannot, and both stay", async () => {
  const { relay, peers: [alice, bob, carol] } = await roomOf("alice", "bob", "carol");
  await decide(alice!, "op", "bob");
  await decide(alice!, "op", "carol");
  await wants(bob!, "kick", "carol");
  await wants(carol!, "kick", "bob");
  await relay.settle();
  for (const peer of [bob!, carol!]) {
    assert.match(refusals(peer).join(), /only the maker to an op/);
    assert.deepEqual(dangers(peer), []);
  }
  assertAgreed(alice!, bob!, carol!);
});

Deno.test("what a relay passes on of a member who was removed is shown by nobody, and all are told", async () => {
  const { relay, peers: [alice, bob, carol] } = await roomOf("alice", "bob", "carol");
  // Sealed while she was in the room, and ordered behind her removal.
  await carol!.machine.handle({ kind: "say", request: ++requests as never, text: "I was right" });
  await carol!.machine.handle({ kind: "topic", request: ++requests, text: "carol's room" });
  const late = carol!.outbox.splice(0);
  await decide(alice!, "kick", "carol");
  for (const request of late) relay.take(carol!, request);
  await relay.settle();
  const why = "carol is not in the room any more; what the server passes on of them is not shown.";
  for (const peer of [alice!, bob!]) {
    assert.deepEqual(peer.texts, []);
    assert.deepEqual(peer.told("topic"), []);
    assert.deepEqual(dangers(peer), [why]);
  }
  await bob!.say("on we go");
  assert.deepEqual(alice!.texts, ["bob: on we go"]);
  assertAgreed(alice!, bob!);
});
