// Kicks, locks and names with a relay between the members, as stories: what each of them is shown.

import assert from "node:assert/strict";
import type { Peer } from "../../helpers/peers/sealed_relay.ts";
import {
  accept,
  assertAgreed,
  dangers,
  notes,
  roomOf,
} from "../../helpers/peers/sealed_room_stories.ts";

let requests = 1_000;

function numberOf(peer: Peer, name: string): number {
  return peer.machine.status.people.find((person) => person.name === name)?.client ?? 0;
}

async function kick(by: Peer, name: string, reason = ""): Promise<number> {
  const request = ++requests;
  await by.machine.handle({ kind: "kick", request, whom: numberOf(by, name), reason });
  await by.relay.settle();
  return request;
}

async function lock(by: Peer, locked: boolean): Promise<number> {
  const request = ++requests;
  await by.machine.handle({ kind: "lock", request, locked });
  await by.relay.settle();
  return request;
}

async function rename(peer: Peer, name: string): Promise<number> {
  const request = ++requests;
  await peer.machine.handle({ kind: "rename", request, name });
  await peer.relay.settle();
  return request;
}

const decisions = (peer: Peer) =>
  peer.told("moderated").map(({ what, name, whomName, reason }) =>
    [what, name, whomName, reason].filter(Boolean).join(" ")
  );

const answered = (peer: Peer) => peer.told("done").map(({ request }) => request);
const refusals = (peer: Peer) => peer.told("declined").map(({ why }) => why).join();

Deno.test("the maker removes a member, who is told why and leaves; the others go on", async () => {
  const { relay, peers: [alice, bob, carol] } = await roomOf("alice", "bob", "carol");
  const request = await kick(alice!, "bob", "enough");
  for (const peer of [alice!, bob!, carol!]) {
    assert.deepEqual(decisions(peer), ["kick alice bob enough"]);
    assert.deepEqual(dangers(peer), []);
  }
  assert.equal(bob!.machine.status.phase, "out");
  assert.deepEqual(answered(alice!), [request]);
  for (const peer of [alice!, carol!]) {
    assert.deepEqual(peer.told("left").map(({ name }) => name), ["bob"]);
  }
  assertAgreed(alice!, carol!);
  await carol!.say("peace");
  assert.deepEqual(alice!.texts, ["carol: peace"]);
  assert.deepEqual(bob!.texts, []);
  // The relay has heard that bob's place is empty, and asks nobody any more.
  assert.equal(relay.connections.find(({ handle }) => handle === bob!.handle)?.isMember, false);
});

Deno.test("only who made the room can remove and lock, and everybody knows who that is", async () => {
  const { peers: [alice, bob, carol] } = await roomOf("alice", "bob", "carol");
  await kick(bob!, "carol");
  await lock(bob!, true);
  assert.equal(refusals(bob!).match(/only alice, the maker of this room, can do that/g)?.length, 2);
  await kick(alice!, "alice");
  assert.match(refusals(alice!), /that is you/);
  assertAgreed(alice!, bob!, carol!);
  for (const { machine: { status } } of [alice!, bob!, carol!]) {
    assert.equal(status.people.find(({ client }) => client === status.maker)?.name, "alice");
  }
});

Deno.test("a kick whose commit is lost on its way is tried again until it holds", async () => {
  const { relay, peers: [alice, bob, carol] } = await roomOf("alice", "bob", "carol");
  const take = relay.take.bind(relay);
  let lost = 1;
  relay.take = (peer, request) => {
    if (request.kind === "sealed_commit" && lost-- > 0) return;
    take(peer, request);
  };
  await kick(alice!, "bob");
  assertAgreed(alice!, bob!, carol!);
  await relay.advance(12);
  assertAgreed(alice!, carol!);
  assert.equal(bob!.machine.status.phase, "out");
});

Deno.test("who is removed while away is told when the connection is back, and does not come in again", async () => {
  const { relay, peers: [alice, bob, carol] } = await roomOf("alice", "bob", "carol");
  await bob!.offline();
  await kick(alice!, "bob", "you know why");
  await bob!.online();
  await relay.advance(15);
  assert.deepEqual(decisions(bob!), ["kick alice bob you know why"]);
  assert.equal(bob!.machine.status.phase, "out");
  assertAgreed(alice!, carol!);
});

Deno.test("whose program comes back with a key that was removed is removed again", async () => {
  const { relay, peers: [alice, bob, carol] } = await roomOf("alice", "bob", "carol");
  await kick(alice!, "bob");
  await bob!.offline();
  await bob!.online();
  await relay.advance(15);
  assert.ok(decisions(alice!).length > 1);
  assert.equal(bob!.machine.status.phase, "out");
  assertAgreed(alice!, carol!);
});

Deno.test("the maker who comes back with the same client is the maker still, also after it was taken out", async () => {
  const { relay, peers: [alice, bob, carol] } = await roomOf("alice", "bob", "carol");
  await alice!.offline();
  await kick(bob!, "carol");
  assert.match(refusals(bob!), /only alice/);
  await relay.evictGone();
  await kick(bob!, "carol");
  assert.match(refusals(bob!), /has left, and nobody else can/);
  assert.equal(bob!.machine.status.maker, 0);
  await alice!.online();
  await relay.advance(3);
  assertAgreed(alice!, bob!, carol!);
  assert.match(
    notes(bob!),
    /alice made this room and has left[^]*alice, who made this room, is back/,
  );
  await kick(alice!, "bob");
  assertAgreed(alice!, carol!);
});

Deno.test("who comes with another client under the maker's name is not the maker", async () => {
  const { relay, peers: [alice, bob, carol] } = await roomOf("alice", "bob", "carol");
  await alice!.machine.handle({ kind: "leave" });
  await relay.settle();
  await alice!.offline();
  const second = await relay.enter("alice");
  await kick(second, "bob");
  assert.match(refusals(second), /has left/);
  assertAgreed(second, bob!, carol!);
});

Deno.test("nobody comes into a locked room but who is in it; who waits outside is told", async () => {
  const { relay, peers: [alice, bob] } = await roomOf("alice", "bob");
  const request = await lock(alice!, true);
  assert.deepEqual(answered(alice!), [request]);
  assert.deepEqual(decisions(bob!), ["lock alice"]);
  assert.equal(bob!.machine.status.locked, true);
  const dave = await relay.enter("dave");
  assert.equal(dave.machine.status.phase, "out");
  assert.match(notes(dave), /The room is locked/);
  await bob!.offline();
  await alice!.machine.handle({ kind: "renew" });
  await bob!.online();
  assertAgreed(alice!, bob!);
  await lock(alice!, false);
  assert.deepEqual(decisions(bob!), ["lock alice", "unlock alice"]);
  await dave.offline();
  await dave.online();
  await relay.advance(3);
  assertAgreed(alice!, bob!, dave);
});

Deno.test("a lock ends with its maker's place, and the maker who comes back puts it on again", async () => {
  const { relay, peers: [alice, bob, carol] } = await roomOf("alice", "bob", "carol");
  await lock(alice!, true);
  await alice!.offline();
  await relay.evictGone();
  assert.equal(bob!.machine.status.locked, false);
  assert.match(notes(bob!), /no longer locked/);
  await alice!.online();
  await relay.advance(3);
  assertAgreed(alice!, bob!, carol!);
  for (const peer of [alice!, bob!, carol!]) assert.equal(peer.machine.status.locked, true);
});

Deno.test("who was removed cannot come back into a locked room, whatever the relay does for it", async () => {
  const { relay, peers: [alice, , carol] } = await roomOf("alice", "bob", "carol");
  await lock(alice!, true);
  const { epoch } = alice!.machine.status;
  await kick(alice!, "bob");
  const again = await relay.enter("bob");
  assert.equal(again.machine.status.phase, "out");
  assert.ok(alice!.machine.status.epoch > epoch);
  assertAgreed(alice!, carol!);
});

Deno.test("a member takes another name: everybody sees who it was, and it is the same person to them", async () => {
  const { relay, peers: [alice, bob, carol] } = await roomOf("alice", "bob", "carol");
  await accept(alice!, "bob");
  const before = numberOf(alice!, "bob");
  const request = await rename(bob!, "robert");
  assert.deepEqual(answered(bob!), [request]);
  for (const peer of [alice!, bob!, carol!]) {
    assert.deepEqual(
      peer.told("renamed").map(({ name, previous }) => `${previous} is ${name}`),
      ["bob is robert"],
    );
    assert.deepEqual(dangers(peer), []);
  }
  const robert = alice!.machine.status.people.find(({ name }) => name === "robert");
  assert.deepEqual([robert?.client, robert?.verified], [before, true]);
  assert.equal(bob!.machine.status.name, "robert");
  await bob!.say("it is me");
  assert.deepEqual(carol!.texts, ["robert: it is me"]);
  await bob!.offline();
  for (let i = 0; i < 3; i++) await alice!.machine.handle({ kind: "renew" });
  await bob!.online();
  await relay.advance(3);
  assertAgreed(alice!, bob!, carol!);
});

Deno.test("a taken name cannot be taken, and whoever takes a name that was another's alarms the others", async () => {
  const { peers: [alice, bob, carol] } = await roomOf("alice", "bob", "carol");
  await rename(bob!, "CAROL");
  assert.match(refusals(bob!), /has that name, or one that looks like it/);
  await rename(bob!, "robert");
  await rename(carol!, "bob");
  assert.match(dangers(alice!).join(), /bob has another key/);
  await alice!.say("to whom?");
  assert.match(refusals(alice!), /bob came back with another key/);
});

Deno.test("two who want one name at once: one has it, the other is told", async () => {
  const { relay, peers: [alice, bob, carol] } = await roomOf("alice", "bob", "carol");
  await bob!.machine.handle({ kind: "rename", request: 1, name: "zoe" });
  await carol!.machine.handle({ kind: "rename", request: 2, name: "zoe" });
  await relay.settle();
  assertAgreed(alice!, bob!, carol!);
  assert.deepEqual([answered(bob!), answered(carol!)], [[1], []]);
  assert.match(refusals(carol!), /has that name/);
});

Deno.test("a change that the members undo takes the name back", async () => {
  const { relay, peers: [alice, bob, carol] } = await roomOf("alice", "bob", "carol");
  await rename(bob!, "robert");
  const { seq } = relay;
  const epoch = alice!.machine.status.epoch - 1;
  relay.epoch = epoch;
  for (const { inbox } of relay.peers) {
    inbox.push({ kind: "sealed_void", room: 1, seq, epoch, last: seq });
  }
  await relay.settle();
  assertAgreed(alice!, bob!, carol!);
  assert.equal(bob!.machine.status.name, "bob");
  assert.deepEqual(alice!.told("renamed").at(-1), {
    kind: "renamed",
    client: numberOf(alice!, "bob"),
    name: "bob",
    previous: "robert",
  });
});

Deno.test("who cannot come back for long, because nobody has the epoch that the relay names, is told what helps", async () => {
  const { relay, peers: [alice, bob] } = await roomOf("alice", "bob");
  const body = new Uint8Array(1_052);
  for (const { inbox, handleBytes: from } of relay.peers) {
    const identity = { room: 1, seq: relay.seq + 1, epoch: relay.epoch ?? 0 };
    const roster = new Uint8Array();
    const frame = { ...identity, from, ask: 0, time: 0, roster, body };
    inbox.push({ kind: "sealed_frame", type: "commit", ...frame });
  }
  relay.seq++;
  relay.epoch = (relay.epoch ?? 0) + 1;
  await relay.settle();
  await relay.advance(11);
  for (const { machine } of [alice!, bob!]) await machine.handle({ kind: "renew" });
  await relay.advance(120);
  for (const peer of [alice!, bob!]) {
    assert.equal(notes(peer).match(/leave it and join again by its link/g)?.length, 1);
  }
});

Deno.test("a former member who brings an old state back after a restart is shown to all, and removed again", async () => {
  const { relay, peers: [alice, bob, carol] } = await roomOf("alice", "bob", "carol");
  await kick(alice!, "bob");
  await lock(alice!, true);
  await alice!.machine.handle({ kind: "renew" });
  await relay.settle();
  await relay.restart();
  // Bob's program holds the group as it was with him, and is the first to come.
  await bob!.online();
  assert.equal(bob!.machine.status.phase, "in");
  await alice!.online();
  await carol!.online();
  await relay.advance(15);
  assertAgreed(alice!, carol!);
  for (const peer of [alice!, carol!]) {
    assert.deepEqual(peer.told("joined").map(({ name }) => name).at(-1), "bob");
    assert.deepEqual(peer.told("left").map(({ name }) => name), ["bob", "bob"]);
    assert.equal(peer.machine.status.locked, true);
  }
});
