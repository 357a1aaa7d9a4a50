// Sealed groups as stories: who joins, who reads what, who is out.

import assert from "node:assert/strict";
import { join, readInvitation } from "../../../client/mls/joining.ts";
import { encodePayload, TEXT_MAX_BYTES } from "../../../client/mls/payload.ts";
import { SEALED_APP_MAX_BYTES } from "../../../shared/base/limits.ts";
import { SealedGroup } from "../../../client/mls/group.ts";
import { OrderedRoom } from "../../helpers/peers/sealed_group.ts";

const yes = () => true;

Deno.test("three join by the link, talk, and have one code that changes with every commit", async () => {
  const room = await OrderedRoom.create("alice");
  const codes = new Set([room.of("alice").group.code]);
  for (const name of ["bob", "carol"]) {
    await room.join(name);
    room.assertAgreed();
    codes.add(room.of("alice").group.code);
  }
  for (const member of room.members) {
    await room.sayToAll(member, `hello from ${member.identity.me.name}`);
  }
  await room.commit(room.of("bob"));
  room.assertAgreed();
  codes.add(room.of("alice").group.code);
  assert.equal(codes.size, 4);
  assert.match(room.of("alice").group.code, /^(?:\d{5} ){5}\d{5}$/);
});

Deno.test("who was removed cannot open the next message", async () => {
  // The library's 1.6.2 and 2.0.0-rc.10 made a commit without a path here, and the removed member read on.
  const room = await OrderedRoom.create("alice");
  await room.join("bob");
  const carol = await room.join("carol");
  await room.commit(room.of("alice"), [carol]);
  room.assertAgreed();
  const outgoing = await room.of("bob").group.seal(new TextEncoder().encode("without carol"));
  const frame = room.frame("app", room.of("bob").identity.me.handle, outgoing);
  const outcomes = await room.deliver(frame);
  assert.equal(outcomes["alice"]?.kind, "text");
  const outcome = await carol.group.receive(frame, yes);
  assert.equal(outcome.kind, "unreadable", JSON.stringify(outcome));
});

Deno.test("who joined cannot open what was said before", async () => {
  const room = await OrderedRoom.create("alice");
  const bob = await room.join("bob");
  const outgoing = await bob.group.seal(new TextEncoder().encode("before carol"));
  const early = room.frame("app", bob.identity.me.handle, outgoing);
  await room.deliver(early);
  const carol = await room.join("carol");
  const again = { ...early, seq: room.sequence + 1 };
  assert.equal((await carol.group.receive(again, yes)).kind, "unreadable");
});

Deno.test("two commit at once: one wins, the other goes on from there", async () => {
  const room = await OrderedRoom.create("alice");
  const bob = await room.join("bob");
  const alice = room.of("alice");
  const first = await alice.group.startCommit();
  await bob.group.startCommit();
  const outcomes = await room.deliver(room.frame("commit", alice.identity.me.handle, first));
  assert.deepEqual([outcomes["alice"]?.kind, outcomes["bob"]?.kind], ["epoch", "epoch"]);
  assert.equal(bob.group.isCommitting, false);
  room.assertAgreed();
  await room.commit(bob);
  await room.sayToAll(bob, "after the race");
  await room.sayToAll(alice, "and back");
});

Deno.test("a message that was sealed before a commit and comes after it is read by all", async () => {
  const room = await OrderedRoom.create("alice");
  const bob = await room.join("bob");
  const alice = room.of("alice");
  const commit = await alice.group.startCommit();
  const early = await bob.group.seal(new TextEncoder().encode("one"));
  await room.deliver(room.frame("app", bob.identity.me.handle, early));
  const late = await bob.group.seal(new TextEncoder().encode("two"));
  const own = await alice.group.seal(new TextEncoder().encode("three"));
  await room.deliver(room.frame("commit", alice.identity.me.handle, commit));
  const two = await room.deliver(room.frame("app", bob.identity.me.handle, late));
  assert.equal(two["alice"]?.kind, "text", JSON.stringify(two["alice"]));
  const three = await room.deliver(room.frame("app", alice.identity.me.handle, own));
  assert.equal(three["bob"]?.kind, "text", JSON.stringify(three["bob"]));
  room.assertAgreed();
});

Deno.test("a voided commit is gone back from, by those who took it, and never taken again", async () => {
  const room = await OrderedRoom.create("alice");
  await room.join("bob");
  const carol = await room.join("carol");
  const [alice, bob] = [room.of("alice"), room.of("bob")];
  const { epoch, code } = alice.group;
  const commit = await bob.group.startCommit();
  const frame = room.frame("commit", bob.identity.me.handle, commit);
  await room.deliver(frame);
  assert.equal(alice.group.epoch, epoch + 1);
  for (const { group } of room.members) {
    assert.deepEqual(group.goBack({ seq: frame.seq, epoch, last: room.sequence }), {
      joined: [],
      left: [],
      renamed: [],
    });
  }
  assert.equal(alice.group.code, code);
  room.assertAgreed();
  const again = await room.deliver(room.frame("commit", bob.identity.me.handle, commit));
  assert.deepEqual([...new Set(Object.values(again).map(({ kind }) => kind))], ["unsound"]);
  for (const member of [alice, bob, carol]) await room.sayToAll(member, "as before");
  await room.commit(bob);
  room.assertAgreed();
});

Deno.test("after ten seconds there is no way back from a commit", async () => {
  const room = await OrderedRoom.create("alice");
  const alice = room.of("alice");
  await room.commit(alice);
  alice.group.forgetPrevious();
  assert.equal(
    alice.group.goBack({ seq: room.sequence, epoch: 0, last: room.sequence }),
    undefined,
  );
});

Deno.test("who lost its place comes back in it, with the same name and key, and is no newcomer", async () => {
  const room = await OrderedRoom.create("alice");
  const bob = await room.join("bob");
  await room.join("carol");
  room.members.splice(room.members.indexOf(bob), 1);
  await room.commit(room.of("carol"));
  const invitation = readInvitation(bob.identity.keys, await room.of("alice").group.groupInfo());
  const joining = await join(bob.identity, invitation);
  const frame = room.frame("commit", bob.identity.me.handle, joining);
  const { alice } = await room.deliver(frame);
  assert.ok(alice?.kind === "epoch", JSON.stringify(alice));
  assert.deepEqual([alice.joined, alice.left], [[], []]);
  room.members.push({
    identity: bob.identity,
    group: await SealedGroup.joined(joining, frame.seq),
  });
  room.assertAgreed();
  await room.sayToAll(room.of("bob"), "back again");
});

Deno.test("the largest that a member can say fits what the relay passes on as talk, twice", async () => {
  const room = await OrderedRoom.create("alice");
  const fill = (length: number) => new Uint8Array(length).fill(255);
  const texts = [
    { kind: "direct", id: fill(16), to: fill(16), enc: fill(32), sealed: fill(2 * TEXT_MAX_BYTES) },
    {
      kind: "text",
      id: fill(16),
      text: "x".repeat(TEXT_MAX_BYTES),
      action: true,
      reply: fill(16),
    },
  ] as const;
  for (const text of texts) {
    const { body } = await room.of("alice").group.seal(encodePayload(text));
    assert.ok(2 * body.length <= SEALED_APP_MAX_BYTES + 28, `${text.kind}: ${body.length}`);
  }
});

Deno.test("keys that a member leaves out cost the others a thousand at once, and then two for each of its messages", async () => {
  const room = await OrderedRoom.create("alice");
  const bob = await room.join("bob");
  const { handle } = bob.identity.me;
  const [alice, text] = [room.of("alice"), new TextEncoder().encode("x")];
  let seq = room.sequence;
  /** Bob says something behind so many messages that never left him. */
  const sayAfter = async (skipped: number, from = handle) => {
    for (let n = 0; n < skipped; n++) await bob.group.seal(text);
    const frame = { ...room.frame("app", from, await bob.group.seal(text)), seq: ++seq };
    return (await alice.group.receive(frame, yes)).kind;
  };
  // What a relay forgets is never more than a member says before it renews its keys.
  assert.equal(await sayAfter(500), "text");
  assert.equal(await sayAfter(0), "text");
  assert.equal(await sayAfter(400, "ab".repeat(16)), "unreadable", "nobody here has that handle");
  assert.equal(await sayAfter(0), "text", "400 keys, for which there was room");
  assert.equal(await sayAfter(200), "unreadable");
  // Each further message makes up for two, and is one more that was left out until it is read.
  const later = [];
  for (let n = 0; n < 120; n++) later.push(await sayAfter(0));
  const first = later.indexOf("text");
  assert.ok(first > 80 && first < 110, `${first}`);
  assert.ok(later.slice(first).every((kind) => kind === "text"));
});

Deno.test("in a new epoch a member whose keys were left out is read again at once", async () => {
  const room = await OrderedRoom.create("alice");
  const bob = await room.join("bob");
  const text = new TextEncoder().encode("x");
  for (const skipped of [900, 900]) {
    for (let n = 0; n < skipped; n++) await bob.group.seal(text);
    await room.deliver(room.frame("app", bob.identity.me.handle, await bob.group.seal(text)));
  }
  assert.equal((await room.say(bob, "unread"))["alice"]?.kind, "unreadable");
  await room.commit(bob);
  assert.equal((await room.say(bob, "read"))["alice"]?.kind, "text");
});
