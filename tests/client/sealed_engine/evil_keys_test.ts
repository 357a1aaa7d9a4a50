// Commits and GroupInfos that the library takes, and RFC 9420 or the protocol does not: made by a member who signs them
// rightly and tells the relay of the right members, so that nothing but the rule itself refuses them.

import assert from "node:assert/strict";
import { encodeRatchetTree, type RatchetTree } from "ts-mls/ratchetTree.js";
import type { GroupInfo } from "ts-mls/groupInfo.js";
import type { Proposal } from "ts-mls/proposal.js";
import { sealEnvelope } from "../../../client/mls/envelope.ts";
import * as mls from "../../../client/mls/group_library.ts";
import { join, readInvitation } from "../../../client/mls/joining.ts";
import { extensionsOf, KICK_PROPOSAL } from "../../../client/mls/strict_reader.ts";
import type { Rights } from "../../../client/mls/leaf.ts";
import {
  evilMaker,
  mallory,
  membershipOf,
  refusedByAll,
  takenByAll,
  threePeople,
} from "../../helpers/mls/evil_member.ts";
import {
  externalInit,
  forgeCommit,
  forgeGroupInfo,
  forgeJoin,
} from "../../helpers/mls/forged_commit.ts";
import { identityFor, type OrderedRoom } from "../../helpers/peers/sealed_group.ts";

/** The encryption key of that node of the tree. */
function keyAt({ ratchetTree }: mls.MlsState, at: number): Uint8Array {
  const node = ratchetTree[at];
  assert.ok(node !== undefined, `node ${at} is not blank`);
  return node.nodeType === "leaf" ? node.leaf.hpkePublicKey : node.parent.hpkePublicKey;
}

/** Somebody comes in, and everybody's next commit holds. */
async function goesOn(room: OrderedRoom): Promise<void> {
  await room.join("dave");
  for (const name of ["alice", "bob", "carol", "dave"]) await room.commit(room.of(name));
  for (const member of room.members) await room.sayToAll(member, "all of us");
}

Deno.test("a commit and a join that are forged as they should be are taken by all", async () => {
  const room = await threePeople();
  const { identity, state } = await mallory(room);
  await takenByAll(room, identity.me.handle, await forgeCommit(state));
  const eve = identityFor("eve");
  await takenByAll(room, eve.me.handle, await forgeJoin(room, membershipOf(eve)));
  await goesOn(room);
});

Deno.test("a second leaf with the signature key of a first is refused: nobody could come in or commit after it", async () => {
  const room = await threePeople();
  const { identity } = await mallory(room);
  const twin = { ...identityFor("twin"), signature: identity.signature };
  await refusedByAll(room, twin.me.handle, await forgeJoin(room, membershipOf(twin)), /key twice/);
  await goesOn(room);
});

Deno.test("a leaf with the encryption key of another node is refused, of a member and of one who joins", async () => {
  const room = await threePeople();
  const { identity, state } = await mallory(room);
  // Alice's leaf, and the node above alice and bob.
  for (const at of [0, 1]) {
    const keys = { leaf: keyAt(state, at) };
    const commit = await forgeCommit(state, { keys });
    await refusedByAll(room, identity.me.handle, commit, /a key twice/);
    const eve = identityFor("eve");
    const joining = await forgeJoin(room, membershipOf(eve), { keys });
    await refusedByAll(room, eve.me.handle, joining, /a key twice/);
  }
  await goesOn(room);
});

Deno.test("a path whose nodes have one key, or that of a leaf, is refused", async () => {
  const room = await threePeople();
  const { identity, state } = await mallory(room);
  const key = crypto.getRandomValues(new Uint8Array(32));
  for (const nodes of [[key, key], [undefined, keyAt(state, 2)]]) {
    const commit = await forgeCommit(state, { keys: { nodes } });
    await refusedByAll(room, identity.me.handle, commit, /a key twice/);
  }
  await goesOn(room);
});

Deno.test("a path whose keys do not come from its secrets is refused: who is below could not open the next one", async () => {
  const room = await threePeople();
  const { identity, state } = await mallory(room);
  const root = [undefined, crypto.getRandomValues(new Uint8Array(32))];
  const commit = await forgeCommit(state, { keys: { nodes: root } });
  await refusedByAll(room, identity.me.handle, commit, /nobody can encrypt to its keys/);
  const eve = identityFor("eve");
  const nodes = [crypto.getRandomValues(new Uint8Array(32)), undefined];
  const joining = await forgeJoin(room, membershipOf(eve), { keys: { nodes } });
  await refusedByAll(room, eve.me.handle, joining, /nobody can encrypt to its keys/);
  await goesOn(room);
});

Deno.test("a member's commit that takes its secret from outside of the group is refused", async () => {
  const room = await threePeople();
  const { identity, state } = await mallory(room);
  const init = await externalInit(state);
  const remove = { proposalType: "remove" as const, remove: { removed: 0 } };
  for (const proposals of [[init], [init, remove]]) {
    const commit = await forgeCommit(state, { proposals });
    await refusedByAll(room, identity.me.handle, commit, /not as the protocol says/);
  }
  await goesOn(room);
});

function rightsProposal(rights: Rights): Proposal {
  const groupContextExtensions = { extensions: extensionsOf(rights) };
  return { proposalType: "group_context_extensions", groupContextExtensions };
}

Deno.test("a commit that changes rights has no path, and every other one has one", async () => {
  const { room, identity, state } = await evilMaker();
  const { handle } = identity.me;
  const rights = mls.rightsOf(state);
  for (const locked of [true, false]) {
    const proposals = [rightsProposal({ ...rights, locked })];
    const withPath = await forgeCommit(state, { proposals });
    await refusedByAll(room, handle, withPath, /not as the protocol says/);
  }
  const remove = { proposalType: "remove" as const, remove: { removed: 1 } };
  const kick = { proposalType: KICK_PROPOSAL, proposalData: new Uint8Array() };
  for (const proposals of [[], [kick], [remove, kick]]) {
    const bare = await forgeCommit(state, { proposals, path: false });
    await refusedByAll(room, handle, bare, /path is required|exactly one/);
  }
  const proposals = [rightsProposal({ ...rights, locked: true })];
  await takenByAll(room, handle, await forgeCommit(state, { proposals, path: false }));
});

Deno.test("one who joins needs a path and one external_init, and brings no other proposal and no mark", async () => {
  const room = await threePeople();
  const eve = identityFor("eve");
  const member = membershipOf(eve);
  const rights = room.of("alice").group.rights;
  const kick = { proposalType: KICK_PROPOSAL, proposalData: new Uint8Array() };
  for (
    const form of [
      { path: false },
      { inits: 0 },
      { inits: 2 },
      { proposals: [kick] },
      { proposals: [rightsProposal(rights)] },
      { mark: new Uint8Array(16) },
    ]
  ) {
    const joining = await forgeJoin(room, member, form);
    await refusedByAll(room, eve.me.handle, joining, /./);
  }
  await takenByAll(room, eve.me.handle, await forgeJoin(room, member));
});

Deno.test("a GroupInfo whose tree is written differently, or wider than any room, is refused before anything is computed", async () => {
  const room = await threePeople();
  const { identity, state } = await mallory(room);
  const { keys } = identity;
  const withTree = async (change: (bytes: Uint8Array) => Uint8Array) => {
    const message = await forgeGroupInfo(
      state,
      (extensions: GroupInfo["extensions"]) =>
        extensions.map((extension) =>
          extension.extensionType === "ratchet_tree"
            ? { ...extension, extensionData: change(extension.extensionData) }
            : extension
        ),
    );
    return sealEnvelope(keys, "group-info", message);
  };
  const same = readInvitation(keys, await withTree((bytes) => bytes));
  await join(identityFor("dave"), same);
  const trailing = await withTree((bytes) => new Uint8Array([...bytes, 0]));
  assert.throws(() => readInvitation(keys, trailing), /not as the protocol says/);
  const last = state.ratchetTree[0];
  const wide: RatchetTree = [...state.ratchetTree];
  wide[512] = last;
  const far = await withTree(() => encodeRatchetTree(Array.from(wide)));
  assert.throws(() => readInvitation(keys, far), /not as the protocol says/);
});
