import assert from "node:assert/strict";
import { generateIdentity } from "../../../shared/crypto/identity.ts";
import {
  areAttachProofs,
  attachInput,
  handleOf,
  ridOf,
} from "../../../shared/messages/attach_proof.ts";

const [link, seat] = [await generateIdentity(), await generateIdentity()];
const claim = {
  rid: ridOf(link.publicKey),
  handle: handleOf(seat.publicKey),
  challenge: new Uint8Array(32).fill(2),
};
const proofs = {
  key: link.publicKey,
  proof: link.sign(attachInput("link", claim)),
  handleKey: seat.publicKey,
  handleProof: seat.sign(attachInput("handle", claim)),
};

const flipped = (bytes: Uint8Array, bit: number) =>
  bytes.with(bit >> 3, bytes[bit >> 3] as number ^ 1 << (bit & 7));

Deno.test("areAttachProofs() takes both keys' signatures over this very claim", () => {
  assert.equal(areAttachProofs(proofs, claim), true);
});

Deno.test("areAttachProofs() refuses every single changed bit of keys, proofs and claim", () => {
  for (const part of ["key", "proof", "handleKey", "handleProof"] as const) {
    for (let bit = 0; bit < proofs[part].length * 8; bit++) {
      const changed = { ...proofs, [part]: flipped(proofs[part], bit) };
      assert.equal(areAttachProofs(changed, claim), false, `${part} ${bit}`);
    }
  }
  for (const part of ["rid", "handle", "challenge"] as const) {
    for (let bit = 0; bit < claim[part].length * 8; bit++) {
      const changed = { ...claim, [part]: flipped(claim[part], bit) };
      assert.equal(areAttachProofs(proofs, changed), false, `${part} ${bit}`);
    }
  }
});

Deno.test("areAttachProofs() takes neither signature for the other", () => {
  const swapped = { ...proofs, proof: proofs.handleProof, handleProof: proofs.proof };
  assert.equal(areAttachProofs(swapped, claim), false);
});

Deno.test("areAttachProofs() takes no key that is none, even for the room or handle that is named after it", () => {
  for (const fill of [0, 1, 255]) {
    const key = new Uint8Array(32).fill(fill);
    assert.equal(areAttachProofs({ ...proofs, key }, { ...claim, rid: ridOf(key) }), false);
    const other = { ...claim, handle: handleOf(key) };
    assert.equal(areAttachProofs({ ...proofs, handleKey: key }, other), false);
  }
});

Deno.test("ridOf() and handleOf() give sixteen bytes that only this key gives", () => {
  for (const nameOf of [ridOf, handleOf]) {
    assert.equal(nameOf(link.publicKey).length, 16);
    assert.notDeepEqual(nameOf(link.publicKey), nameOf(seat.publicKey));
  }
  assert.notDeepEqual(ridOf(link.publicKey), handleOf(link.publicKey));
});
