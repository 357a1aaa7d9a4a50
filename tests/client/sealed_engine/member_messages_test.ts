// Texts that change, topics and who is writing, with a relay between the members: what each of them is shown.

import assert from "node:assert/strict";
import type { GroupMember } from "../../../client/mls/commit_rules.ts";
import { MemberState, newId } from "../../../client/sealed_engine/member_state.ts";
import type { SealedRoomEvent } from "../../../client/sealed_engine/engine_protocol.ts";
import { MemberMessages } from "../../../client/sealed_engine/member_messages.ts";
import { RecentTexts } from "../../../client/sealed_engine/recent_texts.ts";
import { identityFor, testKeys } from "../../helpers/peers/sealed_group.ts";
import type { Peer } from "../../helpers/peers/sealed_relay.ts";
import { assertAgreed, dangers, notes, roomOf } from "../../helpers/peers/sealed_room_stories.ts";

let requests = 1_000;

async function revise(peer: Peer, sequence: number, text: string | null): Promise<number> {
  const request = ++requests;
  await peer.machine.handle({ kind: "revise", request, sequence, text });
  await peer.relay.settle();
  return request;
}

async function setTopic(peer: Peer, text: string): Promise<number> {
  const request = ++requests;
  await peer.machine.handle({ kind: "topic", request, text });
  await peer.relay.settle();
  return request;
}

const changes = (peer: Peer) =>
  peer.told("revised").map(({ name, sequence, text }) => [name, sequence, text]);
const topics = (peer: Peer) =>
  peer.told("topic").map(({ name, text, told }) => `${name}${told ? " says" : ""}: ${text}`);

Deno.test("a text of one's own is changed and taken back for everybody who has seen it", async () => {
  const { relay, peers: [alice, bob] } = await roomOf("alice", "bob");
  await bob!.say("teh plan");
  const { sequence = 0 } = alice!.told("text").at(-1) ?? {};
  const request = await revise(bob!, sequence, "the plan");
  const carol = await relay.enter("carol");
  await revise(bob!, sequence, null);
  for (const peer of [alice!, bob!]) {
    assert.deepEqual(changes(peer), [["bob", sequence, "the plan"], ["bob", sequence, null]]);
  }
  assert.equal(bob!.told("revised")[0]?.request, request);
  // Who came later has never seen it.
  assert.deepEqual([changes(carol), carol.texts], [[], []]);
});

Deno.test("a text for one member alone that is longer than any is not shown", async () => {
  const { relay, peers: [alice, bob] } = await roomOf("alice", "bob");
  const to = alice!.machine.status.people.find(({ name }) => name === "bob")?.client ?? 0;
  for (const length of [3_584, 3_585]) {
    const text = "ü".repeat(length);
    await alice!.machine.handle({ kind: "whisper", request: ++requests, to, text });
    await relay.settle();
  }
  assert.deepEqual(bob!.told("direct").map(({ text }) => text.length), [3_584]);
  assert.match(notes(bob!), /alice sent you something unreadable/);
});

Deno.test("nobody changes what another has said: by asking for it", async () => {
  const { relay, peers: [alice, bob, carol] } = await roomOf("alice", "bob", "carol");
  await bob!.say("I am for it");
  const { sequence = 0 } = carol!.told("text").at(-1) ?? {};
  await revise(carol!, sequence, "I am against it");
  assert.match(carol!.told("declined")[0]?.why ?? "", /does not know that message as yours/);
  await relay.advance(2);
  for (const peer of [alice!, bob!, carol!]) assert.deepEqual(changes(peer), []);
  assertAgreed(alice!, bob!, carol!);
});

/** Alice, without a relay: what her program makes of messages, and what she is told. */
function aliceHears() {
  const told: SealedRoomEvent[] = [];
  const core = new MemberState({
    keys: testKeys(),
    name: "alice",
    send() {},
    now: () => 0,
    date: () => 0,
    tell: (event) => void told.push(event),
  });
  const words = new MemberMessages(core);
  return { told, words };
}

Deno.test("a change that names another's text is of no text of its sender's, and shown by nobody", async () => {
  const { told, words } = aliceHears();
  const [bob, carol] = ["bob", "carol"].map((name, leaf) => {
    const { me, signature } = identityFor(name);
    return { ...me, leaf, signatureKey: signature.publicKey };
  }) as [GroupMember, GroupMember];
  const [of, position] = [newId(), { seq: 3, time: 0 }];
  const text = { kind: "text", id: of, text: "I am for it", action: false, reply: null } as const;
  await words.heard(bob, text, position, false);
  const revise = { kind: "revise", id: newId(), of, text: "against it" } as const;
  // Neither under her own handle nor, as a relay could arrange once he is gone, under his.
  for (const evil of [carol, { ...carol, handle: bob.handle, name: bob.name }]) {
    await words.heard(evil, revise, position, false);
  }
  assert.deepEqual(told.map(({ kind }) => kind), ["text"]);
  await words.heard(bob, revise, position, false);
  assert.deepEqual(told.map(({ kind }) => kind), ["text", "revised"]);
});

Deno.test("an answer and a reaction name their text by its id: where its place is another's by now, they are under neither", async () => {
  const { told, words } = aliceHears();
  const { me, signature } = identityFor("bob");
  const bob = { ...me, leaf: 1, signatureKey: signature.publicKey };
  const [first, second] = [newId(), newId()];
  const said = (id: Uint8Array, reply: Uint8Array | null) =>
    ({ kind: "text", id, text: "yes", action: false, reply }) as const;
  await words.heard(bob, said(first, null), { seq: 12, time: 0 }, false);
  await words.heard(bob, said(newId(), first), { seq: 13, time: 0 }, false);
  // The relay has forgotten the end of the room, and gives the place again.
  await words.heard(bob, said(second, null), { seq: 12, time: 0 }, false);
  await words.heard(bob, said(newId(), second), { seq: 13, time: 0 }, false);
  await words.heard(bob, said(newId(), first), { seq: 14, time: 0 }, false);
  await words.heard(bob, said(newId(), newId()), { seq: 15, time: 0 }, false);
  assert.deepEqual(
    told.map((event) => event.kind === "text" ? event.reply : -1),
    [0, 12, 0, 12, 0, 0],
  );
  const [at] = [words.idAt(12)];
  assert.deepEqual(at, second);
  await words.heard(
    bob,
    { kind: "revise", id: newId(), of: first, text: "no" },
    { seq: 16, time: 0 },
    false,
  );
  await words.heard(
    bob,
    { kind: "react", id: newId(), of: first, emoji: "👍", on: true },
    { seq: 17, time: 0 },
    false,
  );
  assert.deepEqual(told.slice(6), []);
});

Deno.test("an answer to a text is shown under it to all who heard it, and without it to who came later", async () => {
  const { relay, peers: [alice, bob] } = await roomOf("alice", "bob");
  await bob!.say("soup at eight?");
  const { sequence = 0 } = alice!.told("text").at(-1) ?? {};
  const carol = await relay.enter("carol");
  const say = async (reply: number) => {
    await alice!.machine.handle({ kind: "say", request: ++requests, text: "yes", reply });
    await relay.settle();
  };
  await say(sequence);
  assert.deepEqual([alice!, bob!, carol].map((peer) => peer.told("text").at(-1)?.reply), [
    sequence,
    sequence,
    0,
  ]);
  await say(9_999);
  assert.match(alice!.told("declined").at(-1)?.why ?? "", /does not know that message any more/);
});

Deno.test("who has another name by now, or came back by a new entrance, still changes what it said", async () => {
  const { relay, peers: [alice, bob] } = await roomOf("alice", "bob");
  await bob!.say("teh plan");
  const { sequence = 0 } = alice!.told("text").at(-1) ?? {};
  await bob!.machine.handle({ kind: "rename", request: 7, name: "robert" });
  await relay.settle();
  await bob!.offline();
  await relay.evictGone();
  await bob!.online();
  await relay.advance(2);
  await revise(bob!, sequence, "the plan");
  assert.deepEqual(changes(alice!), [["robert", sequence, "the plan"]]);
});

Deno.test("a change that was asked for without a link is made once, when it is back", async () => {
  const { relay, peers: [alice, bob] } = await roomOf("alice", "bob");
  await bob!.say("teh plan");
  const { sequence = 0 } = alice!.told("text").at(-1) ?? {};
  await bob!.offline();
  await revise(bob!, sequence, "the plan");
  await bob!.online();
  await relay.advance(12);
  assert.deepEqual(changes(alice!), [["bob", sequence, "the plan"]]);
});

Deno.test("everybody has the last topic in the room's order; who comes later is told it as a member's word", async () => {
  const { relay, peers: [alice, bob, carol] } = await roomOf("alice", "bob", "carol");
  await alice!.machine.handle({ kind: "topic", request: 1, text: "apples" });
  await bob!.machine.handle({ kind: "topic", request: 2, text: "pears" });
  await relay.settle();
  for (const peer of [alice!, bob!, carol!]) {
    assert.deepEqual(topics(peer), ["alice: apples", "bob: pears"]);
  }
  const dave = await relay.enter("dave");
  assert.deepEqual(topics(dave), ["alice says: pears"]);
  await setTopic(dave, "");
  const erin = await relay.enter("erin");
  assert.deepEqual(topics(erin), []);
  assert.equal(topics(alice!).at(-1), "dave: ");
});

Deno.test("who comes back and missed a topic is told it; who was there keeps what it heard", async () => {
  const { relay, peers: [alice, bob] } = await roomOf("alice", "bob");
  await setTopic(alice!, "old");
  await bob!.offline();
  await relay.evictGone();
  await setTopic(alice!, "new");
  await bob!.online();
  await relay.advance(3);
  assert.deepEqual(topics(bob!), ["alice: old", "alice says: new"]);
});

Deno.test("who was here when the topic was set takes nobody's word for another", async () => {
  const { relay, peers: [alice, bob] } = await roomOf("alice", "bob");
  await setTopic(alice!, "the truth");
  for (const name of ["carol", "dave"]) await relay.enter(name);
  assert.deepEqual(topics(bob!), ["alice: the truth"]);
});

Deno.test("a topic that is too long is refused with both numbers", async () => {
  const { peers: [alice, bob] } = await roomOf("alice", "bob");
  await setTopic(alice!, "ä".repeat(129));
  assert.match(alice!.told("declined")[0]?.why ?? "", /258 bytes, at most 256 are allowed/);
  await setTopic(alice!, "ä".repeat(128));
  assert.equal(bob!.told("topic").length, 1);
});

Deno.test("a topic that is said again behind others' is the last one for all", async () => {
  const { relay, peers: [alice, bob, carol] } = await roomOf("alice", "bob", "carol");
  // Alice's link swallows the echo, so that she says it again behind bob's.
  relay.meddle = (frame, to) => to === alice ? undefined : frame;
  await setTopic(alice!, "apples");
  await alice!.offline();
  relay.meddle = (frame) => frame;
  relay.frames = relay.frames.filter(({ from }) => from !== alice!.handleBytes);
  await setTopic(bob!, "pears");
  await alice!.online();
  await relay.advance(12);
  const last = [alice!, bob!, carol!].map((peer) => topics(peer).at(-1)?.split(": ")[1]);
  assert.deepEqual(new Set(last).size, 1, JSON.stringify(last));
});

Deno.test("who is writing is told while it is true, and never said again", async () => {
  const { relay, peers: [alice, bob, carol] } = await roomOf("alice", "bob", "carol");
  await bob!.machine.handle({ kind: "typing" });
  await relay.settle();
  for (const peer of [alice!, carol!]) {
    assert.deepEqual(peer.told("typing").map(({ name }) => name), ["bob"]);
  }
  assert.deepEqual(bob!.told("typing"), []);
  await bob!.offline();
  await bob!.machine.handle({ kind: "typing" });
  await bob!.online();
  relay.meddle = (frame, to) => to === bob ? undefined : frame;
  await bob!.machine.handle({ kind: "typing" });
  relay.meddle = (frame) => frame;
  await relay.advance(15);
  assert.ok(alice!.told("typing").length <= 2);
  assert.deepEqual(bob!.told("declined"), []);
  assert.doesNotMatch(notes(bob!), /sent again/);
  assert.deepEqual(dangers(bob!), []);
});

Deno.test("the relay sees of all that frames of one size, a reaction's among them", async () => {
  const { relay, peers: [alice, bob] } = await roomOf("alice", "bob");
  const before = relay.frames.length;
  await alice!.say("a text");
  await revise(alice!, alice!.told("text")[0]?.sequence ?? 0, "another");
  await setTopic(alice!, "the secret plan");
  await react(alice!, alice!.told("text")[0]?.sequence ?? 0);
  await alice!.machine.handle({ kind: "typing" });
  await relay.settle();
  const frames = relay.frames.slice(before);
  assert.deepEqual(frames.map(({ type }) => type), ["app", "app", "app", "app", "app"]);
  assert.equal(new Set(frames.map(({ body }) => body.length)).size, 1);
  assert.deepEqual([bob!.told("reacted").length, bob!.told("typing").length], [1, 1]);
});

async function react(peer: Peer, sequence: number, on = true): Promise<void> {
  await peer.machine.handle({ kind: "react", request: ++requests, sequence, emoji: "👍", on });
  await peer.relay.settle();
}

const reactions = (peer: Peer) =>
  peer.told("reacted").map(({ name, sequence, emoji, on }) => [name, sequence, emoji, on]);

Deno.test("a reaction reaches all who have the text, whoever said it", async () => {
  const { relay, peers: [alice, bob] } = await roomOf("alice", "bob");
  await bob!.say("shall we?");
  const { sequence = 0 } = alice!.told("text").at(-1) ?? {};
  await react(alice!, sequence);
  await react(bob!, sequence);
  const carol = await relay.enter("carol");
  await react(alice!, sequence, false);
  for (const peer of [alice!, bob!]) {
    assert.deepEqual(reactions(peer), [
      ["alice", sequence, "👍", true],
      ["bob", sequence, "👍", true],
      ["alice", sequence, "👍", false],
    ]);
  }
  assert.deepEqual(reactions(carol), [], "who came later has never seen the text");
  const told = carol.told("declined").length;
  await react(carol, sequence);
  assert.match(carol.told("declined")[told]?.why ?? "", /does not know that message any more/);
});

Deno.test("two texts of one id: a reaction is to the one that was said first", () => {
  const texts = new RecentTexts();
  const id = newId();
  texts.add(new Uint8Array(32).fill(1), { id, sequence: 5 });
  texts.add(new Uint8Array(32).fill(2), { id, sequence: 6 });
  assert.equal(texts.sequenceOfId(id), 5);
  assert.deepEqual(texts.idAt(5), id);
  assert.equal(texts.sequenceOfId(newId()), undefined);
});

/** The state behind a member, with which it says what no client of ours says. */
async function stateOf(peer: Peer): Promise<MemberState> {
  const { say } = MemberState.prototype;
  const found = Promise.withResolvers<MemberState>();
  MemberState.prototype.say = function (...said) {
    found.resolve(this);
    return say.apply(this, said);
  };
  try {
    await peer.say("hi");
  } finally {
    MemberState.prototype.say = say;
  }
  return await found.promise;
}

Deno.test("whoever says hello without end is answered once for each time it comes in", async () => {
  const { relay, peers: [alice, bob, mallory] } = await roomOf("alice", "bob", "mallory");
  const saidByOthers = () =>
    relay.frames.filter(({ type, from }) =>
      type === "app" && [alice, bob].some((peer) => `${from}` === `${peer!.handleBytes}`)
    ).length;
  const evil = await stateOf(mallory!);
  const before = saidByOthers();
  for (let n = 0; n < 10; n++) {
    await evil.say({ kind: "hello", id: newId() });
    await relay.advance(3);
  }
  assert.equal(saidByOthers(), before);
  await mallory!.offline();
  await relay.evictGone();
  await mallory!.online();
  await relay.advance(3);
  assert.equal(saidByOthers(), before + 1, "it came in again");
  assert.equal(mallory!.machine.status.confirmed, true);
});

Deno.test("what was taken back stays so, whatever its author or others say of it later", async () => {
  const { relay, peers: [alice, bob, carol] } = await roomOf("alice", "bob", "carol");
  await bob!.say("teh plan");
  const { sequence = 0 } = carol!.told("text").at(-1) ?? {};
  // Asked for before the echo of what takes it back.
  const taken = ++requests;
  const late = { revised: ++requests, pinned: ++requests };
  await bob!.machine.handle({ kind: "revise", request: taken, sequence, text: null });
  await bob!.machine.handle({ kind: "revise", request: late.revised, sequence, text: "the plan" });
  await carol!.machine.handle({
    kind: "react",
    request: ++requests,
    sequence,
    emoji: "👍",
    on: true,
  });
  const pin = { sequence, authorName: "bob", text: "teh plan" };
  await alice!.machine.handle({ kind: "pin", request: late.pinned, ...pin });
  const [fromBob, fromOthers] = [bob!, alice!].map(({ outbox }) => outbox.splice(0));
  const fromCarol = carol!.outbox.splice(0);
  for (const request of fromBob!) relay.take(bob!, request);
  for (const request of fromOthers!) relay.take(alice!, request);
  for (const request of fromCarol) relay.take(carol!, request);
  await relay.settle();
  for (const peer of [alice!, bob!, carol!]) {
    assert.deepEqual(changes(peer), [["bob", sequence, null]]);
    assert.deepEqual([peer.told("reacted"), peer.told("pinned")], [[], []]);
  }
  const refusals = (peer: Peer) => peer.told("declined").map(({ request, why }) => [request, why]);
  assert.deepEqual(refusals(bob!), [
    [late.revised, "Not changed: you have taken that message back."],
  ]);
  assert.deepEqual(refusals(alice!), [[late.pinned, "Not done: that message was taken back."]]);
  await revise(bob!, sequence, "the plan");
  assert.match(bob!.told("declined").at(-1)?.why ?? "", /does not know that message as yours/);
});

Deno.test("nobody says nothing: an empty text is refused before it leaves", async () => {
  const { relay, peers: [alice, bob] } = await roomOf("alice", "bob");
  await bob!.say("");
  await bob!.say("one");
  const { sequence = 0 } = alice!.told("text").at(-1) ?? {};
  await revise(bob!, sequence, "");
  const [whom] = bob!.machine.status.people.filter(({ own }) => !own);
  const whisper = { kind: "whisper", request: ++requests, to: whom!.client, text: "" } as const;
  await bob!.machine.handle(whisper);
  await relay.settle();
  assert.deepEqual(bob!.told("declined").map(({ why }) => why), [
    "Not sent: it is empty.",
    "Not sent: it is empty.",
    "Not sent: it is empty.",
  ]);
  assert.deepEqual(alice!.texts, ["bob: one"]);
  assert.deepEqual([changes(alice!), alice!.told("direct")], [[], []]);
});
