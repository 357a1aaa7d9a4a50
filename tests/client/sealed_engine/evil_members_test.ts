// What a member, a relay or a stranger may try, made with the group library itself: each is refused by everybody,
// who then go on in the epoch before it.

import assert from "node:assert/strict";
import { createCommit, joinGroupExternal } from "ts-mls/createCommit.js";
import { createProposal } from "ts-mls/createMessage.js";
import type { CiphersuiteImpl } from "ts-mls/crypto/ciphersuite.js";
import { generateKeyPackageWithKey } from "ts-mls/keyPackage.js";
import { defaultLifetime } from "ts-mls/lifetime.js";
import { encodeMlsMessage, type MLSMessage } from "ts-mls/message.js";
import { sealEnvelope } from "../../../client/mls/envelope.ts";
import type { FrameOutcome, SealedFrame } from "../../../client/mls/group_outcome.ts";
import * as mls from "../../../client/mls/group_library.ts";
import { CAPABILITIES } from "../../../client/mls/strict_reader.ts";
import { MLS_CRYPTO } from "../../../client/mls/cipher_suite.ts";
import { readInvitation } from "../../../client/mls/joining.ts";
import {
  invitationOf,
  joinAs,
  mallory,
  MARK,
  membershipOf,
  refusedByAll,
  threePeople,
} from "../../helpers/mls/evil_member.ts";
import { identityFor, testKeys } from "../../helpers/peers/sealed_group.ts";

const cs = MLS_CRYPTO as unknown as CiphersuiteImpl;

Deno.test("a ghost whose credential was not made with the link is refused", async () => {
  const room = await threePeople();
  const ghost = identityFor("ghost");
  const forged = membershipOf(ghost, { keys: { ...ghost.keys, admission: new Uint8Array(32) } });
  const message = await joinAs(room, forged);
  await refusedByAll(room, ghost.me.handle, message, /credential/);
});

Deno.test("an invented room is refused before anything is said in it", async () => {
  const keys = testKeys();
  const relay = identityFor("alice", { ...keys, admission: new Uint8Array(32) });
  const invented = await mls.createGroup(keys.rid, membershipOf(relay));
  // Even with the envelope's key: without the admission key no leaf holds.
  const body = sealEnvelope(keys, "group-info", await mls.exportGroupInfo(invented));
  assert.throws(() => readInvitation(keys, body), /does not belong to it/);
  const other = testKeys(8);
  const elsewhere = await mls.createGroup(other.rid, membershipOf(identityFor("alice", other)));
  const moved = sealEnvelope(keys, "group-info", await mls.exportGroupInfo(elsewhere));
  assert.throws(() => readInvitation(keys, moved), /does not belong to it/);
  const withoutKey = sealEnvelope(other, "group-info", await mls.exportGroupInfo(invented));
  assert.throws(() => readInvitation(keys, withoutKey), { name: "CryptoError" });
});

Deno.test("one who joins cannot remove somebody else", async () => {
  const room = await threePeople();
  const { info } = await invitationOf(room);
  const victim = room.of("bob").identity.signature.publicKey;
  const evil = identityFor("evil");
  const { identity, keys } = membershipOf(evil);
  const { publicPackage, privatePackage } = await keyPackage(identity, keys);
  const config = {
    ...configOf((await mallory(await threePeople())).state),
    keyPackageEqualityConfig: {
      compareKeyPackages: () => false,
      compareKeyPackageToLeafNode: (_: unknown, leaf: { signaturePublicKey: Uint8Array }) =>
        String(leaf.signaturePublicKey) === String(victim),
    },
  };
  const { publicMessage } = await joinGroupExternal(
    info,
    publicPackage,
    privatePackage,
    true,
    cs,
    undefined,
    config,
  );
  const message = encodeMlsMessage({
    version: "mls10",
    wireformat: "mls_public_message",
    publicMessage,
  });
  await refusedByAll(room, evil.me.handle, message, /removes somebody else|No overlap/);
});

function configOf(state: mls.MlsState) {
  return state.clientConfig;
}

function keyPackage(
  identity: Uint8Array,
  keys: { publicKey: Uint8Array; signKey: Uint8Array },
  { credentials = ["basic" as const] as ("basic" | "x509")[], extensions = [] as number[] } = {},
) {
  const capabilities = {
    versions: ["mls10" as const],
    ciphersuites: [MLS_CRYPTO.name],
    extensions: [...CAPABILITIES.extensions, ...extensions],
    proposals: CAPABILITIES.proposals,
    credentials,
  };
  const credential = { credentialType: "basic" as const, identity };
  return generateKeyPackageWithKey(credential, capabilities, defaultLifetime, [], keys, cs);
}

Deno.test("a newcomer with other capabilities, who would keep others from joining, is refused", async () => {
  const room = await threePeople();
  const { info } = await invitationOf(room);
  const evil = identityFor("evil");
  const { identity, keys } = membershipOf(evil);
  for (const capabilities of [{ credentials: [] }, { extensions: [4711] }]) {
    const { publicPackage, privatePackage } = await keyPackage(identity, keys, capabilities);
    const { publicMessage } = await joinGroupExternal(
      info,
      publicPackage,
      privatePackage,
      false,
      cs,
      undefined,
      configOf((await mallory(await threePeople())).state),
    );
    const message = encodeMlsMessage({
      version: "mls10",
      wireformat: "mls_public_message",
      publicMessage,
    });
    await refusedByAll(room, evil.me.handle, message, /others do not have/);
  }
});

for (
  const [what, name, why] of [
    ["a taken name", "bob", /name is taken/],
    ["a taken name in other case", "BOB", /name is taken/],
    ["a lookalike name", "ɑlice", /name is taken|credential/],
    ["a name that is none", "server", /credential/],
  ] as const
) {
  Deno.test(`${what} is refused`, async () => {
    const room = await threePeople();
    const evil = identityFor(name);
    const message = await joinAs(room, membershipOf(evil));
    await refusedByAll(room, evil.me.handle, message, why);
  });
}

Deno.test("a newcomer over another connection than its credential says is refused", async () => {
  const room = await threePeople();
  const evil = identityFor("evil");
  await refusedByAll(
    room,
    "00000000000000ff",
    await joinAs(room, membershipOf(evil)),
    /connection/,
  );
  const twin = { ...evil, me: { name: "twin", handle: room.of("bob").identity.me.handle } };
  const message = await joinAs(room, membershipOf(twin));
  await refusedByAll(room, twin.me.handle, message, /has a member already/);
});

Deno.test("a member cannot remove one who is here, nor add one who did not come by the link", async () => {
  const room = await threePeople();
  const { identity, state } = await mallory(room);
  const bob = room.of("bob").group.ownLeaf;
  const removal = await mls.commit(state, { removed: [bob], authenticated: MARK });
  await refusedByAll(room, identity.me.handle, removal.message, /who is here/);
  const ghost = identityFor("ghost");
  const { publicPackage } = await keyPackage(membershipOf(ghost).identity, ghost.signature);
  const addition = await createCommit({ state, cipherSuite: cs }, {
    extraProposals: [{ proposalType: "add", add: { keyPackage: publicPackage } }],
    authenticatedData: MARK,
  });
  await refusedByAll(
    room,
    identity.me.handle,
    encodeMlsMessage(addition.commit),
    /not as the protocol/,
  );
  const extension = await createCommit({ state, cipherSuite: cs }, {
    extraProposals: [{
      proposalType: "group_context_extensions",
      groupContextExtensions: { extensions: [] },
    }],
    authenticatedData: MARK,
  });
  const encoded = encodeMlsMessage(extension.commit);
  await refusedByAll(room, identity.me.handle, encoded, /not as the protocol/);
});

Deno.test("a member cannot commit in public, nor without its order mark, nor garbage", async () => {
  const room = await threePeople();
  const { identity, state } = await mallory(room);
  const open = await createCommit({ state, cipherSuite: cs }, { wireAsPublicMessage: true });
  await refusedByAll(
    room,
    identity.me.handle,
    encodeMlsMessage(open.commit),
    /not as the protocol/,
  );
  const bare = await createCommit({ state, cipherSuite: cs }, {});
  await refusedByAll(room, identity.me.handle, encodeMlsMessage(bare.commit), /frame says/);
  const garbage = crypto.getRandomValues(new Uint8Array(700));
  await refusedByAll(room, identity.me.handle, garbage, /not as the protocol/);
  const good = (await mls.commit(state, { authenticated: MARK })).message;
  const flipped = good.slice();
  flipped[flipped.length - 5] = (flipped.at(-5) as number) ^ 1;
  await refusedByAll(room, identity.me.handle, flipped, /./);
});

Deno.test("trailing bytes and lengths longer than needed are refused", async () => {
  const room = await threePeople();
  const { identity, state } = await mallory(room);
  const { message } = await mls.commit(state, { authenticated: MARK });
  const longer = new Uint8Array(message.length + 1);
  longer.set(message);
  await refusedByAll(room, identity.me.handle, longer, /not as the protocol/);
  // Behind version and wire format stands the group's id: length 16, here written in two bytes.
  const wide = new Uint8Array([...message.subarray(0, 4), 0x40, 16, ...message.subarray(5)]);
  assert.equal(message[4], 16);
  await refusedByAll(room, identity.me.handle, wide, /not as the protocol/);
});

Deno.test("a proposal on its own, by which another's commit would do more than it says, is refused", async () => {
  const room = await threePeople();
  const { identity, state } = await mallory(room);
  const bob = room.of("bob").group.ownLeaf;
  const proposal = { proposalType: "remove" as const, remove: { removed: bob } };
  const { message } = await createProposal(state, false, proposal, cs, MARK);
  const encoded = encodeMlsMessage(message as MLSMessage);
  await refusedByAll(room, identity.me.handle, encoded, /frame says/);
  const body = sealEnvelope(identity.keys, "app", encoded);
  const outcomes = await room.deliver(room.frame("app", identity.me.handle, {
    epoch: room.members[0]!.group.epoch,
    body,
  }));
  for (const { kind } of Object.values(outcomes)) assert.equal(kind, "unreadable");
});

Deno.test("a key that nobody can encrypt to is refused: it would stop everybody's next commit", async () => {
  const room = await threePeople();
  const evil = identityFor("evil");
  const { info } = await invitationOf(room);
  const { identity, keys } = membershipOf(evil);
  const { publicPackage, privatePackage } = await keyPackage(identity, keys);
  const weak = {
    ...cs,
    hpke: { ...cs.hpke, exportPublicKey: async () => await new Uint8Array(32) },
  } as CiphersuiteImpl;
  const { publicMessage } = await joinGroupExternal(
    info,
    publicPackage,
    privatePackage,
    false,
    weak,
    undefined,
    configOf((await mallory(await threePeople())).state),
  );
  const message = encodeMlsMessage({
    version: "mls10",
    wireformat: "mls_public_message",
    publicMessage,
  });
  await refusedByAll(room, evil.me.handle, message, /./);
});

/** What a relay does to frames, seen by bob alone. */
async function relayed(change: (frames: SealedFrame[], next: number) => SealedFrame[]) {
  const room = await threePeople();
  const frames: SealedFrame[] = [];
  const bob = room.of("bob");
  const first = room.sequence + 1;
  for (const text of ["one", "two"]) {
    const outgoing = await room.of("alice").group.seal(new TextEncoder().encode(text));
    frames.push(room.frame("app", room.of("alice").identity.me.handle, outgoing));
  }
  const seen: FrameOutcome[] = [];
  for (const frame of change(frames, first)) {
    seen.push(await bob.group.receive(frame, () => false));
  }
  return { seen };
}

Deno.test("a frame that is repeated or left out is noticed by its number", async () => {
  const numbers = { name: "ProtocolError", message: /left out or repeated/ };
  await assert.rejects(relayed(([one]) => [one!, one!]), numbers);
  await assert.rejects(relayed(([, two]) => [two!]), numbers);
});

Deno.test("a frame that is repeated under a new number cannot be opened again", async () => {
  const { seen } = await relayed(([one], next) => [one!, { ...one!, seq: next + 1 }]);
  assert.deepEqual(seen.map(({ kind }) => kind), ["text", "unreadable"]);
});

Deno.test("of two frames in the other order the one that comes late cannot be opened", async () => {
  const { seen } = await relayed(([one, two], next) => [
    { ...two!, seq: next },
    { ...one!, seq: next + 1 },
  ]);
  assert.deepEqual(seen.map(({ kind }) => kind), ["text", "unreadable"]);
});

Deno.test("messages say which order their sender saw: another one is noticed", async () => {
  const room = await threePeople();
  const [alice, bob, carol] = [room.of("alice"), room.of("bob"), room.of("carol")];
  const seal = (member: typeof alice, text: string) =>
    member.group.seal(new TextEncoder().encode(text));
  const one = await seal(alice, "one");
  const two = await seal(bob, "two");
  const from = (member: typeof alice) => member.identity.me.handle;
  const roster = new Uint8Array();
  const seq = room.sequence + 1;
  // Alice and carol see one before two, bob is shown two before one.
  for (const member of [alice, carol]) {
    await member.group.receive(
      { seq, type: "app", from: from(alice), roster, ...one },
      () => false,
    );
    await member.group.receive(
      { seq: seq + 1, type: "app", from: from(bob), roster, ...two },
      () => false,
    );
  }
  await bob.group.receive({ seq, type: "app", from: from(bob), roster, ...two }, () => false);
  await bob.group.receive(
    { seq: seq + 1, type: "app", from: from(alice), roster, ...one },
    () => false,
  );
  const three = await seal(bob, "three");
  const frame = { seq: seq + 2, type: "app" as const, from: from(bob), roster, ...three };
  for (const member of [alice, carol]) {
    const outcome = await member.group.receive(frame, () => false);
    assert.ok(outcome.kind === "text");
    assert.equal(outcome.order, "different");
  }
});
