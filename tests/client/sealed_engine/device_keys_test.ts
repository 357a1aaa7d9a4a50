// Device keys in a sealed room: who is known again after a restart, who is not, and what no member takes.

import { toHex } from "#platform/bytes.ts";
import assert from "node:assert/strict";
import { concatBytes } from "../../../shared/base/bytes.ts";
import {
  deviceKeyOf,
  generateDeviceKey,
  leafStatement,
  proveAs,
} from "../../../shared/crypto/device_key.ts";
import { judge } from "../../../client/mls/commit_rules.ts";
import { makeCredential, readCredential } from "../../../client/mls/credential.ts";
import { newIdentity } from "../../../client/mls/joining.ts";
import type { Leaf } from "../../../client/mls/leaf.ts";
import { testKeys } from "../../helpers/peers/sealed_group.ts";
import { type Peer, TestRelay } from "../../helpers/peers/sealed_relay.ts";
import { accept, dangers } from "../../helpers/peers/sealed_room_stories.ts";

const BOB = deviceKeyOf(new Uint8Array(32).fill(2));
const MALLORY = deviceKeyOf(new Uint8Array(32).fill(3));
const bobRemembered = [{ name: "bob", key: toHex(BOB.publicKey) }];

const seenBy = (peer: Peer, name = "bob") =>
  peer.machine.status.people.find((person) => person.name === name);

async function leaves(peer: Peer, relay: TestRelay): Promise<void> {
  await peer.machine.handle({ kind: "leave" });
  await relay.settle();
  await relay.advance(12);
}

Deno.test("who proves the device key that the name had is no alarm after a restart, and stays verified", async () => {
  const relay = new TestRelay();
  const alice = await relay.enter("alice");
  const first = await relay.enter("bob", { device: BOB });
  await accept(alice, "bob");
  await relay.settle();
  assert.equal(seenBy(alice)?.verified, true);
  assert.equal(seenBy(alice)?.device, toHex(BOB.publicKey));
  await leaves(first, relay);
  await relay.enter("bob", { device: BOB });
  assert.deepEqual(dangers(alice), []);
  assert.equal(seenBy(alice)?.verified, true);
  await leaves(relay.peers.at(-1)!, relay);
  await relay.enter("bob");
  assert.deepEqual(alice.told("alarm").map(({ name, cause }) => [name, cause]), [[
    "bob",
    "session",
  ]]);
  assert.equal(seenBy(alice)?.verified, false);
});

Deno.test("who is remembered has the mark at first sight, under another name too; a forgotten one has not", async () => {
  const relay = new TestRelay();
  const alice = await relay.enter("alice", { remembered: bobRemembered });
  await relay.enter("robert", { device: BOB });
  assert.equal(seenBy(alice, "robert")?.verified, true);
  assert.deepEqual(dangers(alice), []);
  await alice.machine.handle({ kind: "remember", people: [] });
  assert.equal(seenBy(alice, "robert")?.verified, false);
  await alice.machine.handle({ kind: "remember", people: bobRemembered });
  assert.equal(seenBy(alice, "robert")?.verified, true);
});

Deno.test("a remembered name with another device key or with none is an alarm at first sight, and holds what was typed", async () => {
  for (const [device, cause] of [[MALLORY, "other device"], [undefined, "no device"]] as const) {
    const relay = new TestRelay();
    await relay.enter("bob", { device });
    const alice = relay.peer("alice", testKeys(), { remembered: bobRemembered });
    await alice.machine.handle({ kind: "say", request: 1, text: "meet at eight" });
    await alice.online();
    await relay.advance(1);
    assert.deepEqual(alice.told("alarm").map((alarm) => [alarm.name, alarm.cause, alarm.held]), [
      ["bob", cause, [1]],
    ]);
    assert.deepEqual(relay.peers[0]?.texts, []);
    assert.equal(seenBy(alice)?.suspect, true);
    await accept(alice, "bob");
    assert.equal(seenBy(alice)?.suspect, false);
  }
});

Deno.test("a member that takes a remembered name in the middle is an alarm", async () => {
  const relay = new TestRelay();
  const alice = await relay.enter("alice", { remembered: bobRemembered });
  const mallory = await relay.enter("mallory", { device: MALLORY });
  await mallory.machine.handle({ kind: "rename", request: 1, name: "bob" });
  await relay.settle();
  await relay.advance(1);
  assert.deepEqual(alice.told("alarm").map(({ cause }) => cause), ["other device"]);
});

Deno.test("without a device key a leaf is as it always was: version 1, no key, nothing that two rooms share", () => {
  const keys = testKeys();
  const made = [0, 1].map(() =>
    newIdentity({ keys, name: "bob", handleKey: generateDeviceKey().publicKey })
  );
  for (const { me, signature } of made) {
    const identity = makeCredential(keys, me, signature.publicKey);
    assert.equal(identity[0], 1);
    assert.equal(identity.length, 1 + 16 + 16 + 3);
  }
  assert.notDeepEqual(made[0]?.signature.publicKey, made[1]?.signature.publicKey);
});

Deno.test("a leaf with another member's proof, another room's or a changed one is nobody's", () => {
  const [keys, otherRoom] = [testKeys(7), testKeys(8)];
  const handleKey = generateDeviceKey().publicKey;
  const { me, signature } = newIdentity({ keys, name: "bob", handleKey, device: BOB });
  const key = signature.publicKey;
  const good = makeCredential(keys, me, key);
  assert.equal(good[0], 2);
  assert.deepEqual(readCredential(keys, good, key), me);
  const other = newIdentity({ keys, name: "bob", handleKey: MALLORY.publicKey, device: BOB });
  const elsewhere = newIdentity({ keys: otherRoom, name: "bob", handleKey, device: BOB });
  const replayed = [other.me.device, elsewhere.me.device];
  // Each has a sound MAC: whoever replays holds the link.
  for (const device of replayed) {
    assert.equal(
      readCredential(keys, makeCredential(keys, { ...me, device }, key), key),
      undefined,
    );
  }
  const leaf = {
    rid: keys.rid,
    handle: new Uint8Array(16),
    signatureKey: key,
  };
  const ofOtherHandle = proveAs(BOB, leafStatement(leaf));
  const stolen = makeCredential(keys, { ...me, device: ofOtherHandle }, key);
  assert.equal(readCredential(keys, stolen, key), undefined);
  const weak = { key: new Uint8Array(32), signature: new Uint8Array(64) };
  assert.equal(
    readCredential(keys, makeCredential(keys, { ...me, device: weak }, key), key),
    undefined,
  );
  for (let at = 0; at < good.length; at++) {
    const changed = good.slice();
    changed[at] = (changed[at] as number) ^ 1;
    assert.equal(readCredential(keys, changed, key), undefined, String(at));
  }
  assert.equal(readCredential(keys, good.subarray(0, 100), key), undefined);
  assert.equal(readCredential(keys, concatBytes([good, new Uint8Array(64)]), key), undefined);
});

Deno.test("a member that takes up, drops or changes a device key in the middle makes an unsound commit", () => {
  const keys = testKeys();
  const handleKey = generateDeviceKey().publicKey;
  const identities = [BOB, MALLORY, undefined].map((device) => {
    const { me } = newIdentity({ keys, name: "bob", handleKey });
    const rid = keys.rid;
    const signatureKey = BOB.publicKey;
    const handle = Uint8Array.from(me.handle.match(/../g) ?? [], (byte) => parseInt(byte, 16));
    const proof = device && proveAs(device, leafStatement({ rid, handle, signatureKey }));
    return makeCredential(keys, { ...me, ...(proof && { device: proof }) }, signatureKey);
  });
  const leafOf = (identity: Uint8Array): Leaf => ({
    index: 0,
    identity,
    signatureKey: BOB.publicKey,
    isPlain: true,
    node: {},
  });
  const context = {
    personOf: ({ identity, signatureKey }: Leaf) => readCredential(keys, identity, signatureKey),
    mayRemove: () => false,
  };
  for (const [before, after] of [[0, 1], [0, 2], [2, 0]] as const) {
    const change = {
      before: [leafOf(identities[before] as Uint8Array)],
      after: [leafOf(identities[after] as Uint8Array)],
      rights: { maker: BOB.publicKey, ops: [], locked: false },
      newRights: { maker: BOB.publicKey, ops: [], locked: false },
      committer: 0,
      kicks: 0,
      from: "",
    };
    assert.equal(judge(change, context), "it gives its sender another device key");
  }
});
