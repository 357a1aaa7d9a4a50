// What a relay can do to a sealed room, over real sockets and with real members, and what each of them is told: every
// text here is one that a user sees.

import assert from "node:assert/strict";
import { SealedGroup } from "../../../client/mls/group.ts";
import { generateSignatureKeys } from "../../../client/mls/cipher_suite.ts";
import { deriveRoomKeys } from "../../../client/mls/room_keys.ts";
import type { EventOf, SealedEvent } from "../../../shared/messages/messages_v2.ts";
import { frameOf, HostileRelay } from "../../helpers/hostile/hostile_relay.ts";
import { agreed, SealedMember } from "../../helpers/peers/sealed_member.ts";

function newSecret(): Uint8Array {
  return crypto.getRandomValues(new Uint8Array(32));
}

interface Scene extends AsyncDisposable {
  readonly relay: HostileRelay;
  readonly secret: Uint8Array;
  readonly members: readonly SealedMember[];
}

/** A room with these members, all of them confirmed; a hostile relay that has been honest so far. */
async function openScene(...names: string[]): Promise<Scene> {
  const relay = await HostileRelay.start();
  const secret = newSecret();
  const members: SealedMember[] = [];
  for (const name of names) members.push(await SealedMember.join(relay, secret, name));
  await agreed(members);
  const [first] = members;
  for (const member of members) {
    await member.until(() => member.status.confirmed || members.length === 1, "a confirmation");
  }
  // Whoever has heard this has heard all that came before it.
  await first?.say("hello");
  for (const member of members) {
    await member.until(() => member.texts.length === 1, "the first word");
  }
  return {
    relay,
    secret,
    members,
    async [Symbol.asyncDispose]() {
      await Promise.all(members.map((member) => member[Symbol.asyncDispose]()));
      await relay[Symbol.asyncDispose]();
    },
  };
}

/** What a member was told that is more than news. */
function alarms({ notes }: SealedMember): string[] {
  return notes.filter((note) => !note.startsWith("info"));
}

const LEFT_OUT = "danger: The server left out or repeated something of this room.";
const COMING_BACK = "warning: The room continued without you; you are rejoining it.";

const UNREAD =
  "warning: A message of this room could not be read. The server says that alice sent it.";

function isText(event: SealedEvent): event is EventOf<"sealed_frame"> {
  return event.kind === "sealed_frame" && event.type === "app";
}

Deno.test("a frame that is left out is noticed with the next one, and the member comes back", async () => {
  await using scene = await openScene("alice", "bob");
  const [alice, bob] = scene.members as [SealedMember, SealedMember];
  let dropped = false;
  scene.relay.lie = (event, { n }) => {
    if (n !== 1 || dropped || !isText(event)) return [event];
    dropped = true;
    return [];
  };
  await alice.say("withheld");
  await alice.say("shown");
  await bob.until(() => alarms(bob).length >= 2, "the alarm");
  assert.deepEqual(alarms(bob), [LEFT_OUT, COMING_BACK]);
  await agreed([alice, bob]);
  assert.deepEqual(alarms(alice), []);
  assert.equal(bob.texts.includes("alice: withheld"), false);
});

Deno.test("a frame that is repeated is noticed, and nothing is shown twice", async () => {
  await using scene = await openScene("alice", "bob");
  const [alice, bob] = scene.members as [SealedMember, SealedMember];
  scene.relay.lie = (event, { n }) => n === 1 && isText(event) ? [event, event] : [event];
  await alice.say("once");
  await bob.until(() => alarms(bob).length >= 2, "the alarm");
  scene.relay.lie = (event) => [event];
  assert.deepEqual(alarms(bob), [LEFT_OUT, COMING_BACK]);
  await agreed([alice, bob]);
  assert.equal(bob.texts.filter((text) => text === "alice: once").length, 1);
});

Deno.test("an old frame under a new number cannot be read", async () => {
  await using scene = await openScene("alice", "bob");
  const [alice, bob] = scene.members as [SealedMember, SealedMember];
  await alice.say("once");
  const victim = scene.relay.victims[1];
  await bob.until(() => bob.texts.includes("alice: once"), "the message");
  const old = victim?.told.findLast(isText) as EventOf<"sealed_frame">;
  victim?.tell({ ...old, seq: old.seq + 1 });
  await bob.until(() => alarms(bob).length >= 1, "the alarm");
  assert.deepEqual(alarms(bob), [UNREAD]);
  assert.equal(bob.texts.filter((text) => text === "alice: once").length, 1);
});

Deno.test("two frames in the other order are noticed", async () => {
  await using scene = await openScene("alice", "bob");
  const [alice, bob] = scene.members as [SealedMember, SealedMember];
  let first: SealedEvent | undefined;
  scene.relay.lie = (event, { n }) => {
    if (n !== 1 || !isText(event)) return [event];
    if (first === undefined) {
      first = event;
      return [];
    }
    return [event, first];
  };
  await alice.say("one");
  await alice.say("two");
  await bob.until(() => alarms(bob).length >= 2, "the alarm");
  scene.relay.lie = (event) => [event];
  assert.deepEqual(alarms(bob), [LEFT_OUT, COMING_BACK]);
  await agreed([alice, bob]);
});

Deno.test("a frame that is changed is not read, and nothing of it is shown", async () => {
  await using scene = await openScene("alice", "bob");
  const [alice, bob] = scene.members as [SealedMember, SealedMember];
  scene.relay.lie = (event, { n }) => {
    if (n !== 1 || !isText(event)) return [event];
    const body = event.body.with(20, (event.body[20] as number) ^ 1);
    return [{ ...event, body }];
  };
  await alice.say("meet at eight");
  await bob.until(() => alarms(bob).length >= 1, "the alarm");
  assert.deepEqual(alarms(bob), [UNREAD]);
  assert.deepEqual(bob.texts, ["alice: hello"]);
});

Deno.test("words in a member's mouth: a frame in somebody else's name is not read, one in our own is an alarm", async () => {
  await using scene = await openScene("alice", "bob");
  const [alice, bob] = scene.members as [SealedMember, SealedMember];
  const [first, second] = scene.relay.victims;
  const last = second?.told.findLast(isText) as EventOf<"sealed_frame">;
  const at = { seq: last.seq + 1, epoch: alice.status.epoch };
  second?.tell(frameOf({ ...at, from: first?.handle ?? new Uint8Array(16) }));
  await bob.until(() => alarms(bob).length >= 1, "the alarm");
  assert.deepEqual(alarms(bob), [UNREAD]);
  first?.tell(frameOf({ ...at, from: first.handle }));
  await alice.until(() => alarms(alice).length >= 1, "the alarm");
  assert.deepEqual(alarms(alice), ["danger: The server has sent something in your name."]);
});

Deno.test("a message that the relay swallows is sent again and said so; it arrives once", async () => {
  await using scene = await openScene("alice", "bob");
  const [alice, bob] = scene.members as [SealedMember, SealedMember];
  let swallowed = 0;
  scene.relay.swallow = (request, { n }) =>
    request.kind === "sealed_app" && n === 0 && swallowed++ === 0;
  const request = alice.start("are you there?");
  await alice.until(() => swallowed === 1, "the relay's taking it");
  assert.equal(alice.isAcknowledged(request), false);
  await alice.skip(11_000);
  await bob.until(() => bob.texts.includes("alice: are you there?"), "the message");
  const told = alarms(alice).filter((alarm) => !alarm.includes("has the link of this room"));
  assert.deepEqual(told, [
    "warning: What you said has not come back from the server; it is sent again.",
  ]);
  await alice.until(() => alice.isAcknowledged(request), "the echo");
  assert.equal(bob.texts.filter((text) => text === "alice: are you there?").length, 1);
});

Deno.test("a ghost is refused by all: a commit that nobody with the link has made", async () => {
  await using scene = await openScene("alice", "bob");
  const [alice, bob] = scene.members as [SealedMember, SealedMember];
  const { epoch } = alice.status;
  const seq = (scene.relay.victims[0]?.told.findLast(isText)?.seq ?? 0) + 1;
  const ghost = frameOf({ seq, epoch, type: "commit", from: new Uint8Array(16).fill(66) });
  for (const victim of scene.relay.victims) victim.tell(ghost);
  for (const member of [alice, bob]) {
    await member.until(() => alarms(member).length >= 1, "the alarm");
    assert.match(alarms(member)[0] ?? "", /^warning: A change of the room was refused: /);
    assert.deepEqual(member.status.people.map(({ name }) => name), ["alice", "bob"]);
    assert.equal(member.status.epoch, epoch);
  }
});

Deno.test("an invented room is never joined: a newcomer is told that what it gets is not of its room", async () => {
  await using scene = await openScene("alice");
  const keys = deriveRoomKeys(newSecret());
  const me = { name: "alice", handle: "00".repeat(8) };
  const invented = await SealedGroup.create(
    { keys, me, signature: generateSignatureKeys() },
    0,
  );
  const body = await invented.groupInfo();
  scene.relay.lie = (event) => event.kind === "sealed_group_info" ? [{ ...event, body }] : [event];
  await using bob = new SealedMember(scene.secret, "bob");
  await bob.connect(scene.relay);
  await bob.until(() => alarms(bob).length >= 1, "the alarm");
  assert.deepEqual(alarms(bob), [
    "danger: What the server sends as this room does not belong to it: trying again.",
  ]);
  assert.equal(bob.status.phase, "entering");
  assert.deepEqual(bob.status.people, []);
});

Deno.test("a newcomer who is shown an old state of the room sits alone there, and knows it", async () => {
  await using scene = await openScene("alice", "bob");
  const [alice, bob] = scene.members as [SealedMember, SealedMember];
  // The relay keeps the GroupInfo of now, lets the room go on, and hands it out later.
  const probe = new SealedMember(scene.secret, "probe");
  await probe.connect(scene.relay);
  await probe.isIn();
  const old = scene.relay.victims[2]?.told.find(({ kind }) => kind === "sealed_group_info");
  await probe.leave();
  await probe[Symbol.asyncDispose]();
  await agreed([alice, bob]);
  let seq = 0;
  scene.relay.lie = (event, { n }) => n < 3 || event.kind === "sealed_attached" ? [event] : [];
  scene.relay.swallow = (request, victim) => {
    if (victim.n < 3) return false;
    if (request.kind === "sealed_join") {
      victim.tell({ ...old as EventOf<"sealed_group_info">, ask: request.ask });
    }
    if (request.kind === "sealed_commit" || request.kind === "sealed_app") {
      const type = request.kind === "sealed_commit" ? "commit" : "app";
      const { ask, room, epoch, body } = request;
      victim.tell(frameOf({ room, seq: ++seq, type, epoch, ask, body, from: victim.handle }));
    }
    return true;
  };
  await using carol = await SealedMember.join(scene.relay, scene.secret, "carol");
  await carol.say("is anybody here?");
  await carol.skip(11_000);
  await carol.until(() => alarms(carol).length >= 1, "the alarm");
  assert.deepEqual(alarms(carol), [
    "warning: Nobody has confirmed you yet: the server may be showing you an old room.",
  ]);
  assert.equal(carol.status.confirmed, false);
  assert.notEqual(carol.status.code, alice.status.code);
  assert.deepEqual(alice.texts, ["alice: hello"]);
});

Deno.test("a room that is split has two codes, its halves cannot read each other, and it becomes one again", async () => {
  await using scene = await openScene("alice", "bob", "carol");
  const [alice, bob, carol] = scene.members as [SealedMember, SealedMember, SealedMember];
  await using other = await HostileRelay.start();
  await carol.cut();
  await carol.connect(other);
  await carol.until(() => carol.status.phase === "in", "the other half");
  await carol.say("only on this side");
  await carol.until(() => carol.status.code !== alice.status.code, "another code");
  await alice.say("only on that side");
  assert.equal(carol.texts.includes("alice: only on that side"), false);
  assert.equal(bob.texts.includes("carol: only on this side"), false);
  await carol.cut();
  await carol.connect(scene.relay);
  await agreed([alice, bob, carol]);
  assert.deepEqual(alarms(carol), [COMING_BACK]);
  await carol.say("together again");
  await bob.until(() => bob.texts.includes("carol: together again"), "the message");
});

Deno.test("a relay that says somebody is gone has one member remove them, and the others refuse it", async () => {
  await using scene = await openScene("alice", "bob", "carol", "dave");
  const [alice, bob, carol, dave] = scene.members as [
    SealedMember,
    SealedMember,
    SealedMember,
    SealedMember,
  ];
  const { handle } = scene.relay.victims[3] as { handle: Uint8Array };
  const bobsEnd = scene.relay.victims[1];
  bobsEnd?.tell({ kind: "sealed_gone", room: 1, handle, left: true });
  bobsEnd?.tell({ kind: "sealed_evict_please", room: 1, handles: [handle] });
  await alice.until(() => alarms(alice).length >= 2, "the alarm");
  assert.match(alarms(alice)[0] ?? "", /^warning: A change of the room was refused: /);
  assert.equal(
    alarms(alice)[1],
    "warning: The members have undone an invalid change of the room.",
  );
  for (const member of [alice, carol]) {
    await member.until(() => member.status.people.some(({ name }) => name === "dave"), "dave");
  }
  assert.ok(dave.status.people.length >= 3);
  await carol.say("dave stays");
  await dave.until(() => dave.texts.includes("carol: dave stays"), "the message");
  assert.ok(bob.status.phase !== "offline");
});
