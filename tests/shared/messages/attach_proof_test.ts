import assert from "node:assert/strict";
import { generateIdentity, signAs } from "../../../shared/crypto/identity.ts";
import { attachInput, isAttachProof, ridOf } from "../../../shared/messages/attach_proof.ts";

const identity = await generateIdentity();
const key = identity.publicKey;
const claim = {
  rid: ridOf(key),
  handle: new Uint8Array(8).fill(1),
  challenge: new Uint8Array(32).fill(2),
};
const proof = await signAs(identity, attachInput(claim));

Deno.test("isAttachProof() takes the room's key's signature over this very claim", () => {
  assert.equal(isAttachProof({ key, proof }, claim), true);
});

Deno.test("isAttachProof() refuses every single changed bit of proof, key and claim", () => {
  const flipped = (bytes: Uint8Array, bit: number) =>
    bytes.with(bit >> 3, bytes[bit >> 3] as number ^ 1 << (bit & 7));
  for (let bit = 0; bit < 512; bit++) {
    assert.equal(isAttachProof({ key, proof: flipped(proof, bit) }, claim), false, `proof ${bit}`);
  }
  for (let bit = 0; bit < 256; bit++) {
    assert.equal(isAttachProof({ key: flipped(key, bit), proof }, claim), false, `key ${bit}`);
  }
  for (const part of ["rid", "handle", "challenge"] as const) {
    for (let bit = 0; bit < claim[part].length * 8; bit++) {
      const changed = { ...claim, [part]: flipped(claim[part], bit) };
      assert.equal(isAttachProof({ key, proof }, changed), false, `${part} ${bit}`);
    }
  }
});

Deno.test("isAttachProof() takes no key that is none, even for the room that is named after it", () => {
  for (const fill of [0, 1, 255]) {
    const wrong = new Uint8Array(32).fill(fill);
    const changed = { ...claim, rid: ridOf(wrong) };
    assert.equal(isAttachProof({ key: wrong, proof }, changed), false);
  }
});

Deno.test("ridOf() gives sixteen bytes that only this key gives", async () => {
  const other = await generateIdentity();
  assert.equal(ridOf(key).length, 16);
  assert.notDeepEqual(ridOf(key), ridOf(other.publicKey));
});
