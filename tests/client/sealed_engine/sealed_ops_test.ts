// Ops and pins of a sealed room with a relay between the members, as stories: what each of them is shown.

import assert from "node:assert/strict";
import type { Peer } from "../../helpers/peers/sealed_relay.ts";
import { assertAgreed, decide, notes, roomOf } from "../../helpers/peers/sealed_room_stories.ts";

// Those of the stories' own decisions are smaller.
let requests = 2_000;

async function pin(by: Peer, sequence: number, authorName = "", text = ""): Promise<void> {
  await by.machine.handle({ kind: "pin", request: ++requests, sequence, authorName, text });
  await by.relay.settle();
}

const decisions = (peer: Peer) =>
  peer.told("moderated").map(({ what, name, whomName }) =>
    [what, name, whomName].filter(Boolean).join(" ")
  );
const refusals = (peer: Peer) => peer.told("declined").map(({ why }) => why).join();
const pins = (peer: Peer) =>
  peer.told("pinned").map(({ name, pin, told }) =>
    [told ? "told by" : "by", name, pin?.authorName, pin?.text].filter(Boolean).join(" ")
  );
const placesOfPins = (peer: Peer) => peer.told("pinned").map(({ pin }) => pin?.sequence ?? 0);
const opsOf = ({ machine: { status } }: Peer) =>
  status.ops.map((op) => status.people.find(({ client }) => client === op)?.name);

Deno.test("the maker makes an op: all are told by whom, and the op removes and locks", async () => {
  const { relay, peers: [alice, bob, carol] } = await roomOf("alice", "bob", "carol");
  await decide(alice!, "op", "bob");
  for (const peer of [alice!, bob!, carol!]) {
    assert.deepEqual(decisions(peer), ["op alice bob"]);
    assert.deepEqual(opsOf(peer), ["bob"]);
  }
  await decide(bob!, "op", "carol");
  await decide(bob!, "kick", "alice");
  assert.match(refusals(bob!), /only alice, the maker of this room, can do that/);
  assert.match(refusals(bob!), /nobody can do that to the maker/);
  await decide(bob!, "lock");
  assert.equal(carol!.machine.status.locked, true);
  await decide(bob!, "unlock");
  await decide(bob!, "kick", "carol");
  assert.deepEqual(decisions(alice!), [
    "op alice bob",
    "lock bob",
    "unlock bob",
    "kick bob carol",
  ]);
  assert.equal(carol!.machine.status.phase, "out");
  const dave = await relay.enter("dave");
  assert.deepEqual(opsOf(dave), ["bob"]);
  assertAgreed(alice!, bob!, dave);
});

Deno.test("ops keep the room when its maker has left; who takes its right back, or goes, has none", async () => {
  const { relay, peers: [alice, bob, carol] } = await roomOf("alice", "bob", "carol");
  await decide(alice!, "op", "bob");
  await decide(alice!, "op", "carol");
  await decide(alice!, "op", "carol");
  assert.match(refusals(alice!), /moderates the room already/);
  await decide(bob!, "kick", "carol");
  assert.match(refusals(bob!), /only the maker to an op/);
  await decide(alice!, "deop", "carol");
  await decide(alice!, "lock");
  await alice!.machine.handle({ kind: "leave" });
  await relay.settle();
  await alice!.offline();
  assert.equal(bob!.machine.status.locked, true);
  assert.match(notes(carol!), /alice made this room and has left: its ops moderate it\./);
  await decide(carol!, "unlock");
  assert.match(refusals(carol!), /only an op of this room can do that: bob\./);
  await decide(bob!, "op", "carol");
  assert.match(refusals(bob!), /has left, and nobody else can/);
  await decide(bob!, "kick", "carol");
  assert.equal(carol!.machine.status.phase, "out");
  await decide(bob!, "deop", "bob");
  assert.deepEqual(opsOf(bob!), []);
  assert.equal(bob!.machine.status.locked, false);
  assert.match(notes(bob!), /nobody moderates it any more/);
});

Deno.test("a room whose maker leaves says that nobody moderates it, and nobody takes it over, by no name", async () => {
  const { relay, peers: [alice, bob, carol] } = await roomOf("alice", "bob", "carol");
  await alice!.machine.handle({ kind: "leave" });
  await relay.settle();
  await alice!.offline();
  const told = /alice made this room and has left: nobody moderates it any more\./;
  for (const peer of [bob!, carol!]) assert.match(notes(peer), told);
  const thief = await relay.enter("alice");
  await relay.advance(4);
  for (const one of [bob!, thief]) {
    for (const what of ["lock", "kick", "op"] as const) await decide(one, what, "carol");
    await pin(one, 1, "bob", "x");
    const all = refusals(one).match(/the maker of this room has left, and nobody else can/g);
    assert.equal(all?.length, 4, refusals(one));
  }
  assert.equal(carol!.machine.status.maker, 0);
  assert.doesNotMatch(notes(carol!), /is back/);
  assertAgreed(bob!, carol!, thief);
});

Deno.test("an op whom the maker removes is none any more, also when it comes back", async () => {
  const { relay, peers: [alice, bob, carol] } = await roomOf("alice", "bob", "carol");
  await decide(alice!, "op", "bob");
  await decide(alice!, "kick", "bob");
  assert.deepEqual(carol!.machine.status.ops, []);
  await bob!.offline();
  await bob!.online();
  await relay.advance(15);
  assert.deepEqual(opsOf(carol!), []);
  assertAgreed(alice!, carol!);
});

Deno.test("a pin is told to all and, as a member's word, to who comes; it follows its text and goes with it", async () => {
  const { relay, peers: [alice, bob, carol] } = await roomOf("alice", "bob", "carol");
  await bob!.machine.handle({ kind: "say", request: ++requests as never, text: "soup at eight" });
  await relay.settle();
  const sequence = carol!.told("text").at(-1)?.sequence ?? 0;
  await pin(carol!, sequence, "bob", "soup at eight");
  assert.match(refusals(carol!), /only alice, the maker of this room, can do that/);
  await pin(alice!, sequence, "bob", "soup at eight");
  for (const peer of [alice!, bob!, carol!]) {
    assert.deepEqual(pins(peer), ["by alice bob soup at eight"]);
  }
  const dave = await relay.enter("dave");
  await relay.advance(3);
  assert.match(pins(dave).join(), /^told by (?:alice|bob|carol) bob soup at eight$/);
  const revise = async (text: string | null) => {
    await bob!.machine.handle({ kind: "revise", request: ++requests, sequence, text });
    await relay.settle();
  };
  await revise("soup at nine");
  const eve = await relay.enter("eve");
  await relay.advance(3);
  assert.match(pins(eve).join(), /bob soup at nine$/);
  await revise(null);
  assert.equal(dave.told("pinned").at(-1)?.pin, null);
  assert.deepEqual(placesOfPins(carol!), [sequence]);
  assert.deepEqual(placesOfPins(dave), [0, 0, 0]);
  const fay = await relay.enter("fay");
  await relay.advance(3);
  assert.deepEqual(pins(fay), []);
});

Deno.test("a pin of somebody who does not moderate the room is shown by nobody", async () => {
  const { relay, peers: [alice, bob, carol] } = await roomOf("alice", "bob", "carol");
  await decide(alice!, "op", "bob");
  await bob!.machine.handle({ kind: "say", request: ++requests as never, text: "me first" });
  await relay.settle();
  const sequence = carol!.told("text").at(-1)?.sequence ?? 0;
  // Bob pins while alice takes his right: what counts is the order.
  const take = relay.take.bind(relay);
  const held: (() => void)[] = [];
  relay.take = (peer, request) => {
    if (peer === bob && request.kind === "sealed_app") held.push(() => take(peer, request));
    else take(peer, request);
  };
  await pin(bob!, sequence, "bob", "me first");
  relay.take = take;
  await decide(alice!, "deop", "bob");
  for (const release of held) release();
  await relay.settle();
  assert.deepEqual(pins(alice!), []);
  assert.deepEqual(pins(carol!), []);
});
