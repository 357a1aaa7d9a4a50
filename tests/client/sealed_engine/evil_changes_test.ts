// Kicks, locks and names: what the maker of a sealed room may do, what others may, and what is refused by everybody.

import assert from "node:assert/strict";
import { makeCredential } from "../../../client/mls/credential.ts";
import * as mls from "../../../client/mls/group_library.ts";
import type { CommitIntent } from "../../../client/mls/commit_rules.ts";
import { openEnvelope, sealEnvelope } from "../../../client/mls/envelope.ts";
import { readInvitation, rosterOf } from "../../../client/mls/joining.ts";
import { readMessage } from "../../../client/mls/strict_reader.ts";
import {
  evilMaker,
  joinAs,
  mallory,
  MARK,
  membershipOf,
  refusedByAll,
  threePeople,
} from "../../helpers/mls/evil_member.ts";
import type { Rights } from "../../../client/mls/leaf.ts";
import { identityFor, type OrderedRoom } from "../../helpers/peers/sealed_group.ts";

const REASON = new TextEncoder().encode("because");

/** The maker's commit, as everybody takes it. */
async function byMaker(
  room: OrderedRoom,
  { locked, ...intent }: CommitIntent & { readonly locked?: boolean },
) {
  const maker = room.of("alice");
  const { rights } = maker.group;
  const outgoing = await maker.group.startCommit({
    ...(locked === undefined ? {} : { rights: { ...rights, locked } }),
    ...intent,
  });
  return await room.deliver(room.frame("commit", maker.identity.me.handle, outgoing));
}

Deno.test("who made the room removes one who is here: all hear by whom and why, and it is out", async () => {
  const room = await threePeople();
  const bob = room.of("bob");
  const outcomes = await byMaker(room, { removed: [bob.group.ownLeaf], kick: "noise" });
  for (const [who, kind] of [["alice", "epoch"], ["bob", "removed"], ["carol", "epoch"]] as const) {
    const outcome = outcomes[who];
    assert.ok(outcome?.kind === kind, JSON.stringify(outcome));
    const { by, whom, reason } = (outcome as { kick: NonNullable<typeof outcome["kick"]> }).kick;
    assert.deepEqual([by.name, whom.name, reason], ["alice", "bob", "noise"]);
  }
  room.members.splice(room.members.indexOf(bob), 1);
  room.assertAgreed();
  const text = await room.of("carol").group.seal(new TextEncoder().encode("without bob"));
  const frame = room.frame("app", room.of("carol").identity.me.handle, text);
  await room.deliver(frame);
  assert.equal((await bob.group.receive({ ...frame }, () => true)).kind, "unreadable");
});

Deno.test("everybody knows the maker by its key, also who joined by another's word", async () => {
  const room = await threePeople();
  const dave = await room.join("dave", room.of("carol"));
  for (const { group } of [...room.members, dave]) {
    assert.equal(group.maker?.name, "alice");
    assert.deepEqual(group.maker?.signatureKey, room.of("alice").identity.signature.publicKey);
  }
});

Deno.test("another member's kick is refused, also of one who says that it made the room", async () => {
  const room = await threePeople();
  const { identity, state } = await mallory(room);
  const removed = [room.of("bob").group.ownLeaf];
  const kick = await mls.commit(state, { removed, kick: REASON, authenticated: MARK });
  await refusedByAll(room, identity.me.handle, kick.message, /only the maker of the room/);
  const extensions = [{ extensionType: 0xf001, extensionData: identity.signature.publicKey }];
  const claimed = { ...state, groupContext: { ...state.groupContext, extensions } };
  const claim = await mls.commit(claimed, { removed, kick: REASON, authenticated: MARK });
  await refusedByAll(room, identity.me.handle, claim.message, /./);
});

Deno.test("who was away when a commit came refuses it by every rule but that of who is here", async () => {
  const room = await threePeople();
  const { identity, state } = await mallory(room);
  const [bob, carol] = ["bob", "carol"].map((name) => room.of(name).group.ownLeaf) as [
    number,
    number,
  ];
  const rights = { ...mls.rightsOf(state), locked: true };
  const taken = membershipOf(identity, { as: { ...identity.me, name: "carol" } });
  const alice = room.of("alice").group;
  const outcomeOf = async (plan: Omit<mls.CommitPlan, "authenticated">) => {
    const { message, next } = await mls.commit(state, { ...plan, authenticated: MARK });
    const body = sealEnvelope(identity.keys, "commit", message);
    const { epoch } = alice;
    const roster = rosterOf(identity.keys, next);
    const frame = room.frame("commit", identity.me.handle, { epoch, body, roster });
    const outcome = await alice.receive(frame, () => true);
    if (outcome.kind === "unsound") {
      alice.goBack({ seq: frame.seq, epoch, last: frame.seq });
      return outcome.why;
    }
    return outcome.kind;
  };
  assert.match(await outcomeOf({ removed: [bob], kick: REASON }), /only the maker of the room/);
  assert.match(await outcomeOf({ rights }), /does not moderate/);
  assert.match(await outcomeOf({ leaf: taken }), /name is taken/);
  assert.equal(await outcomeOf({ removed: [bob, carol] }), "epoch");
});

Deno.test("a kick without somebody, of several, or with a reason that is no text is refused", async () => {
  const { room, identity, state } = await evilMaker();
  const [bob, carol] = ["bob", "carol"].map((name) => room.of(name).group.ownLeaf) as [
    number,
    number,
  ];
  const kick = async (plan: Omit<mls.CommitPlan, "authenticated">) => {
    const { message } = await mls.commit(state, { ...plan, authenticated: MARK });
    await refusedByAll(room, identity.me.handle, message, /exactly one|reason|Update path|void/);
  };
  await kick({ kick: REASON });
  await kick({ removed: [bob, carol], kick: REASON });
  await kick({ removed: [carol], kick: new Uint8Array([0xff]) });
  await kick({ removed: [carol], kick: new Uint8Array(257).fill(0x61) });
});

Deno.test("a maker whom the relay tells that somebody is gone removes nobody who is here", async () => {
  const room = await threePeople();
  const carol = room.of("carol").group.ownLeaf;
  const outgoing = await room.of("alice").group.startCommit({ removed: [carol] });
  const frame = room.frame("commit", room.of("alice").identity.me.handle, outgoing);
  const outcomes = await room.deliver(frame);
  for (const who of ["bob", "carol"]) {
    const outcome = outcomes[who];
    assert.ok(outcome?.kind === "unsound", who);
    assert.match(outcome.why, /who is here/);
  }
});

Deno.test("a locked room takes nobody in who is not in it, and is open when the maker is gone", async () => {
  const room = await threePeople();
  const [alice, bob, carol] = ["alice", "bob", "carol"].map((name) => room.of(name));
  await byMaker(room, { locked: true });
  room.assertAgreed();
  assert.ok(room.members.every(({ group }) => group.isLocked));
  const stranger = identityFor("dave");
  const commit = await joinAs(room, membershipOf(stranger));
  await refusedByAll(room, stranger.me.handle, commit, /the room is locked/);
  // Who has a leaf comes back to it, and renewed keys and other names leave the lock as it is.
  const info = readInvitation(alice!.identity.keys, await alice!.group.groupInfo());
  assert.equal(info.locked, true);
  room.members.splice(room.members.indexOf(bob!), 1);
  await room.join(bob!.identity, carol);
  await room.commit(alice!);
  await byMaker(room, { name: "alicia" });
  assert.ok(room.members.every(({ group }) => group.isLocked));
  await byMaker(room, { locked: false });
  assert.ok(room.members.every(({ group }) => !group.isLocked));
  await byMaker(room, { locked: true });
  await room.commit(carol!, [alice!]);
  assert.ok(room.members.every(({ group }) => !group.isLocked && group.maker === undefined));
  await room.join("dave", carol);
  room.assertAgreed();
});

Deno.test("nobody but who moderates can lock the room, and nobody but its maker makes ops", async () => {
  const room = await threePeople();
  const { identity, state } = await mallory(room);
  const rights = mls.rightsOf(state);
  const own = identity.signature.publicKey;
  const refused = async (to: Partial<Rights>, why: RegExp) => {
    const claim = { rights: { ...rights, ...to }, authenticated: MARK };
    const { message } = await mls.commit(state, claim);
    await refusedByAll(room, identity.me.handle, message, why);
  };
  await refused({ locked: true }, /does not moderate/);
  await refused({ ops: [own] }, /only the maker of the room makes ops/);
  await refused({ maker: own }, /somebody else made the room/);
  await refused({ ops: [own.slice(1)] }, /not as the protocol says/);
  await refused({ ops: [own, own] }, /not as the protocol says/);
  const many = Array.from({ length: 33 }, (_, n) => new Uint8Array(32).fill(n));
  await refused({ ops: many }, /not as the protocol says/);
});

Deno.test("an op removes and locks, decides nothing about those who moderate, and may stop being one", async () => {
  const room = await threePeople();
  const { identity, state } = await mallory(room);
  const own = identity.signature.publicKey;
  const outgoing = await room.of("alice").group.startCommit({
    rights: { ...room.of("alice").group.rights, ops: [own] },
  });
  await room.deliver(room.frame("commit", room.of("alice").identity.me.handle, outgoing));
  for (const { group } of room.members) assert.deepEqual(group.rights.ops, [own]);
  const read = readMessage(openEnvelope(identity.keys, "commit", outgoing.body));
  assert.ok(read.kind === "private");
  const { next } = await mls.processOne(state, read);
  const rights = mls.rightsOf(next);
  const commit = async (plan: Omit<mls.CommitPlan, "authenticated">) =>
    (await mls.commit(next, { ...plan, authenticated: MARK })).message;
  const carol = room.of("carol").identity.signature.publicKey;
  const alice = room.of("alice").group.ownLeaf;
  const refused = async (plan: Omit<mls.CommitPlan, "authenticated">, why: RegExp) =>
    await refusedByAll(room, identity.me.handle, await commit(plan), why);
  await refused({ removed: [alice], kick: REASON }, /removes nobody who moderates/);
  await refused({ rights: { ...rights, ops: [own, carol] } }, /only the maker of the room makes/);
  await refused({ rights: { ...rights, ops: [carol] } }, /only the maker of the room makes/);
  await refused({ rights, removed: [alice] }, /./);
  const accepted = sealEnvelope(
    identity.keys,
    "commit",
    await commit({ rights: { ...rights, ops: [], locked: true } }),
  );
  const claim = await mls.commit(next, {
    rights: { ...rights, ops: [], locked: true },
    authenticated: MARK,
  });
  const roster = rosterOf(identity.keys, claim.next);
  const { epoch } = room.of("alice").group;
  const frame = room.frame("commit", identity.me.handle, { epoch, body: accepted, roster });
  for (const outcome of Object.values(await room.deliver(frame))) {
    assert.equal(outcome.kind, "epoch");
  }
  for (const { group } of room.members) {
    assert.deepEqual([group.rights.ops, group.isLocked], [[], true]);
  }
  const dave = identityFor("dave");
  await refusedByAll(room, dave.me.handle, await joinAs(room, membershipOf(dave)), /is locked/);
});

Deno.test("a member takes another name under its own key; all see who it was", async () => {
  const room = await threePeople();
  const bob = room.of("bob");
  const outgoing = await bob.group.startCommit({ name: "robert" });
  const outcomes = await room.deliver(room.frame("commit", bob.identity.me.handle, outgoing));
  for (const outcome of Object.values(outcomes)) {
    assert.ok(outcome.kind === "epoch");
    const renamed = outcome.renamed.map(({ previous, member }) => [previous, member.name]);
    assert.deepEqual([renamed, outcome.joined, outcome.left], [[["bob", "robert"]], [], []]);
  }
  const names = room.of("carol").group.members.map(({ name }) => name);
  assert.deepEqual(names, ["alice", "robert", "carol"]);
});

for (
  const [what, name, why] of [
    ["a taken name", "carol", /name is taken/],
    ["a taken name in other case", "CAROL", /name is taken/],
    ["a lookalike name", "cаrol", /name is taken|credential/],
    ["a name that is none", "server", /credential/],
    ["an escape sequence", "\u001b[2Jbob", /credential/],
  ] as const
) {
  Deno.test(`a member that takes ${what} is refused`, async () => {
    const room = await threePeople();
    const { identity, state } = await mallory(room);
    const leaf = membershipOf(identity, { as: { ...identity.me, name } });
    const { message } = await mls.commit(state, { leaf, authenticated: MARK });
    await refusedByAll(room, identity.me.handle, message, why);
  });
}

Deno.test("a member can take neither another's handle nor a name without the link, nor rename others", async () => {
  const room = await threePeople();
  const { identity: own, state } = await mallory(room);
  const { handle } = room.of("bob").identity.me;
  const twin = membershipOf(own, { as: { name: "mallory", handle } });
  const taken = await mls.commit(state, { leaf: twin, authenticated: MARK });
  await refusedByAll(room, own.me.handle, taken.message, /another key or connection/);
  const keys = { ...own.keys, admission: new Uint8Array(32) };
  const forged = membershipOf(own, { as: { ...own.me, name: "eve" }, keys });
  const without = await mls.commit(state, { leaf: forged, authenticated: MARK });
  await refusedByAll(room, own.me.handle, without.message, /credential/);
  const bob = room.of("bob");
  const identity = makeCredential(
    own.keys,
    { ...bob.identity.me, name: "bobby" },
    bob.identity.signature.publicKey,
  );
  const ratchetTree = state.ratchetTree.map((node, at) =>
    at === 2 * bob.group.ownLeaf && node?.nodeType === "leaf"
      ? {
        ...node,
        leaf: { ...node.leaf, credential: { credentialType: "basic" as const, identity } },
      }
      : node
  );
  const other = await mls.commit({ ...state, ratchetTree }, { authenticated: MARK });
  await refusedByAll(room, own.me.handle, other.message, /./);
});
