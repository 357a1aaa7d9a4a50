// What a second implementation gives (scripts/generate/make_sealed_vectors.ts), byte for byte.

import assert from "node:assert/strict";
import { sealAead } from "#platform/aead.ts";
import { fromHex as hex, toHex } from "#platform/bytes.ts";
import { sha256 as hashOf } from "#platform/hash.ts";
import { concatBytes } from "../../../shared/base/bytes.ts";
import { makeCredential, readCredential } from "../../../client/mls/credential.ts";
import {
  type EnvelopeKind,
  openEnvelope,
  unsafeTestOnlySealEnvelope,
} from "../../../client/mls/envelope.ts";
import {
  FileOpener,
  FileSealer,
  GivenChunks,
  openPull,
  paddedFileBytes,
  pullStatement,
  sealPull,
} from "../../../client/sealed_engine/file_seal.ts";
import { deviceFingerprint, roomCode, spokenFingerprint } from "../../../client/mls/room_code.ts";
import { attachProofs, deriveRoomKeys } from "../../../client/mls/room_keys.ts";
import { signatureKeysOf } from "../../../client/mls/cipher_suite.ts";
import {
  deviceKeyOf,
  isProofOf,
  leafStatement,
  proveAs,
  roomStatement,
} from "../../../shared/crypto/device_key.ts";
import { handleOf } from "../../../shared/messages/attach_proof.ts";
import { rosterDigest } from "../../../shared/messages/roster_digest.ts";
import { readText } from "../../helpers/repo/sources.ts";

const text = await readText("tests/vectors/sealed.json");
const vectors = JSON.parse(text);
const keys = deriveRoomKeys(hex(vectors.secret));

function sha256(bytes: Uint8Array): string {
  return toHex(hashOf(bytes));
}

Deno.test("keys of the secret, and the proof for the relay", () => {
  assert.deepEqual(
    {
      rid: toHex(keys.rid),
      envelope: toHex(keys.envelope),
      admission: toHex(keys.admission),
      attach: toHex(keys.attach.publicKey),
    },
    vectors.keys,
  );
  const { handleSeed, handle, challenge, proof, handleProof } = vectors.attach;
  const handleKeys = signatureKeysOf(hex(handleSeed));
  const proofs = attachProofs(keys, { handleKeys, challenge: hex(challenge) });
  assert.equal(toHex(handleOf(handleKeys.publicKey)), handle);
  assert.deepEqual([toHex(proofs.proof), toHex(proofs.handleProof)], [proof, handleProof]);
  for (const { members, locked, digest } of vectors.rosters) {
    assert.equal(toHex(rosterDigest({ members: members.map(hex), locked })), digest);
  }
});

Deno.test("envelopes are sealed and opened, and every changed byte is refused", () => {
  const bytes = new Uint8Array(1 << 16);
  bytes.set(hashOf(new TextEncoder().encode("cmdchat sealed vectors: content")));
  for (const vector of vectors.envelopes) {
    const kind: EnvelopeKind = vector.kind;
    const content = bytes.subarray(0, vector.content);
    const nonce = hex(vector.nonce);
    const sealed = unsafeTestOnlySealEnvelope(keys, kind, { content, nonce });
    assert.equal(sealed.length, vector.bytes);
    if (vector.envelope !== undefined) assert.equal(toHex(sealed), vector.envelope);
    else assert.equal(sha256(sealed), vector.sha256);
    assert.deepEqual(openEnvelope(keys, kind, sealed), new Uint8Array(content));
    for (const at of [0, 11, 12, sealed.length - 1]) {
      const changed = sealed.slice();
      changed[at] = (changed[at] as number) ^ 1;
      assert.throws(() => openEnvelope(keys, kind, changed), { name: "CryptoError" });
    }
    for (const part of [sealed.subarray(1), sealed.subarray(0, -1), sealed.subarray(0, 11)]) {
      assert.throws(() => openEnvelope(keys, kind, part), { name: "CryptoError" });
    }
    const other = kind === "app" ? "commit" : "app";
    assert.throws(() => openEnvelope(keys, other, sealed), { name: "CryptoError" });
  }
});

Deno.test("an envelope that is padded otherwise is refused, although it was made with the key", () => {
  const seal = (plaintext: Uint8Array) => {
    const nonce = new Uint8Array(12);
    const out = new Uint8Array(plaintext.length + 16);
    const associatedData = concatBytes([keys.rid, Uint8Array.of(3)]);
    sealAead("aes-256-gcm", { key: keys.envelope, nonce, associatedData }, { plaintext, out });
    return concatBytes([nonce, out]);
  };
  const plaintextOf = (bytes: number, length: number, fill = 0) => {
    const plaintext = new Uint8Array(bytes);
    new DataView(plaintext.buffer).setUint32(0, length);
    if (bytes > 4) plaintext[bytes - 1] = fill;
    return plaintext;
  };
  assert.equal(openEnvelope(keys, "app", seal(plaintextOf(256, 10))).length, 10);
  for (
    const [bytes, length, fill] of [
      [256, 10, 1],
      [512, 10, 0],
      [300, 10, 0],
      [256, 253, 0],
      [128, 10, 0],
      [256, 0xffffffff, 0],
      [4, 0, 0],
    ] as const
  ) {
    const sealed = seal(plaintextOf(bytes, length, fill));
    assert.throws(() => openEnvelope(keys, "app", sealed), { name: "CryptoError" });
  }
});

Deno.test("more than an envelope holds is refused with both numbers", () => {
  const content = new Uint8Array(256 * 1024 - 3);
  const nonce = new Uint8Array(12);
  assert.throws(
    () => unsafeTestOnlySealEnvelope(keys, "app", { content, nonce }),
    /262141 bytes: at most 262140/,
  );
});

Deno.test("a request for parts of a file holds for its asker, its receiver and its file, and for no other", () => {
  const { from, to, id, signed, signature: shown } = vectors.pull;
  const [signatureKey, signature] = [hex(vectors.pull.signatureKey), hex(shown)];
  assert.equal(toHex(pullStatement({ rid: keys.rid, from, to, id })), signed);
  const bob = { name: "bob", handle: from, leaf: 1, signatureKey };
  const claim = { rid: keys.rid, to, id };
  const given = (more: Partial<typeof claim> = {}) =>
    new GivenChunks(1, { claim: { ...claim, ...more } });
  // What was verified once is known, of this member alone.
  const known = given();
  for (const _ of [1, 2]) assert.equal(known.isAskedBy(bob, signature), true);
  const carol = { ...bob, handle: to, signatureKey: keys.attach.publicKey };
  assert.equal(known.isAskedBy(carol, signature), false);
  assert.equal(given().isAskedBy({ ...bob, handle: to }, signature), false);
  for (const more of [{ rid: hex(to) }, { to: from }, { id: from }]) {
    assert.equal(given(more).isAskedBy(bob, signature), false);
  }
  const pull = { id, index: 7, signature };
  assert.deepEqual(openPull(keys, sealPull(keys, pull)), pull);
  for (const size of [0, 20, 83, 85]) {
    const body = unsafeTestOnlySealEnvelope(keys, "direct", {
      content: new Uint8Array(size),
      nonce: new Uint8Array(12),
    });
    assert.equal(openPull(keys, body), undefined, `${size} bytes`);
  }
});

Deno.test("credentials are made and read; those of another link, name, handle or key are nobody's", () => {
  for (const { name, handle, signatureKey, identity } of vectors.credentials) {
    const person = { name, handle };
    assert.equal(toHex(makeCredential(keys, person, hex(signatureKey))), identity);
    assert.deepEqual(readCredential(keys, hex(identity), hex(signatureKey)), person);
    const otherRoom = deriveRoomKeys(new Uint8Array(32));
    assert.equal(readCredential(otherRoom, hex(identity), hex(signatureKey)), undefined);
    const otherKey = hex(signatureKey);
    otherKey[0] = (otherKey[0] as number) ^ 1;
    assert.equal(readCredential(keys, hex(identity), otherKey), undefined);
    for (const at of [0, 1, 9, hex(identity).length - 1]) {
      const changed = hex(identity);
      changed[at] = (changed[at] as number) ^ 1;
      assert.equal(readCredential(keys, changed, hex(signatureKey)), undefined, `byte ${at}`);
    }
    assert.equal(readCredential(keys, hex(identity).subarray(0, 25), hex(signatureKey)), undefined);
  }
});

Deno.test("credentials with a device key are made and read; with another proof they are nobody's", () => {
  for (const vector of vectors.deviceCredentials) {
    const { name, handle } = vector;
    const [signatureKey, identity] = [hex(vector.signatureKey), hex(vector.identity)];
    const key = deviceKeyOf(hex(vector.deviceSeed));
    assert.equal(toHex(key.publicKey), vector.deviceKey);
    const statement = leafStatement({ rid: keys.rid, handle: hex(handle), signatureKey });
    assert.equal(toHex(statement), vector.statement);
    const person = { name, handle, device: proveAs(key, statement) };
    assert.equal(toHex(makeCredential(keys, person, signatureKey)), vector.identity);
    assert.deepEqual(readCredential(keys, identity, signatureKey), person);
    // One byte of the device key, of its signature and of the version.
    for (const at of [33, 65, 128, 0]) {
      const changed = identity.slice();
      changed[at] = (changed[at] as number) ^ 3;
      assert.equal(readCredential(keys, changed, signatureKey), undefined, `byte ${at}`);
    }
    // Under a right MAC, a proof that is of another leaf.
    const stolen = { ...person, handle: "00".repeat(16) };
    const forged = makeCredential(keys, stolen, signatureKey);
    assert.equal(readCredential(keys, forged, signatureKey), undefined);
  }
});

Deno.test("what a device key signs of a session in a plain room", () => {
  for (const { deviceSeed, deviceKey, statement, signature, ...vector } of vectors.roomProofs) {
    const { server, nonce } = vector;
    const made = roomStatement({ ...vector, server: hex(server), nonce: hex(nonce) });
    assert.equal(toHex(made), statement);
    const proof = proveAs(deviceKeyOf(hex(deviceSeed)), made);
    assert.deepEqual([toHex(proof.key), toHex(proof.signature)], [deviceKey, signature]);
    assert.ok(isProofOf({ key: hex(deviceKey), signature: hex(signature) }, made));
  }
});

Deno.test("a credential that the link makes for what is no name, or a weak key, is nobody's", () => {
  const good = hex(vectors.credentials[0].signatureKey);
  const handle = "0102030405060708";
  for (const name of [" alice", "ali\u200dce", "server", "a".repeat(65), "\u{202e}evil"]) {
    const identity = makeCredential(keys, { name, handle }, good);
    assert.equal(readCredential(keys, identity, good), undefined, JSON.stringify(name));
  }
  const weak = new Uint8Array(32);
  const identity = makeCredential(keys, { name: "alice", handle }, weak);
  assert.equal(readCredential(keys, identity, weak), undefined);
});

Deno.test("the room code and a fingerprint's digits", () => {
  assert.equal(roomCode(hex(vectors.code.authenticator)), vectors.code.digits);
  const { digits, words } = spokenFingerprint(hex(vectors.fingerprint.signatureKey));
  assert.equal(digits, vectors.fingerprint.digits);
  const { deviceKey, digits: ofDevice } = vectors.deviceFingerprint;
  assert.equal(deviceFingerprint(hex(deviceKey)).digits, ofDevice);
  assert.match(words, /^(?:[a-z]{4,8} ){11}[a-z]{4,8}$/);
});

Deno.test("files are sealed and opened; a chunk that is changed, moved or cut off is refused", async () => {
  for (const { size, padded, key, chunks } of vectors.files) {
    assert.equal(paddedFileBytes(size), padded);
    const content = new Uint8Array(size).fill(0x5a);
    const sealer = new FileSealer(hex(key), size);
    const opener = new FileOpener(hex(key), size);
    assert.equal(sealer.chunks, chunks.length);
    const sealed: Uint8Array[] = [];
    for (const [index, expected] of chunks.entries()) {
      const part = content.slice(index * 32_768, (index + 1) * 32_768);
      const chunk = await sealer.seal(index, part);
      assert.equal(sha256(chunk), expected, `chunk ${index} of ${size}`);
      assert.deepEqual(await opener.open(index, chunk), part);
      sealed.push(chunk);
    }
    const refused = (index: number, chunk: Uint8Array, by = opener) =>
      assert.rejects(by.open(index, chunk), { name: "CryptoError" });
    const last = sealed.length - 1;
    await refused(sealed.length, sealed[last] as Uint8Array);
    await refused(-1, sealed[0] as Uint8Array);
    const changed = (sealed[0] as Uint8Array).slice();
    changed[0] = (changed[0] as number) ^ 1;
    await refused(0, changed);
    if (last > 0) {
      await refused(1, sealed[0] as Uint8Array);
      await refused(0, sealed[1] as Uint8Array);
      // One chunk fewer, said to be the whole: the last flag does not fit.
      const shorter = new FileOpener(hex(key), 32_768 * last);
      await refused(last - 1, sealed[last - 1] as Uint8Array, shorter);
    }
  }
});
