import assert from "node:assert/strict";
import { fromHex, toHex } from "#platform/bytes.ts";
import { generateX25519, x25519 } from "../../../shared/crypto/x25519.ts";

async function shareOf(privateHex: string, publicKey = new Uint8Array(32)) {
  const pkcs8 = fromHex(`302e020100300506032b656e04220420${privateHex}`);
  const privateKey = await crypto.subtle.importKey("pkcs8", pkcs8, "X25519", false, [
    "deriveBits",
  ]);
  return { publicKey, privateKey };
}

// RFC 7748 §6.1.
const BOB = "5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb";
const ALICE_PUBLIC = "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a";
const SHARED = "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742";

Deno.test("x25519() gives the secret of RFC 7748 §6.1", async () => {
  assert.equal(toHex(await x25519(await shareOf(BOB), fromHex(ALICE_PUBLIC))), SHARED);
});

Deno.test("x25519() gives both sides the same secret, and each pair another", async () => {
  const [a, b, c] = await Promise.all([generateX25519(), generateX25519(), generateX25519()]);
  const ours = await x25519(a, b.publicKey);
  assert.equal(ours.length, 32);
  assert.deepEqual(await x25519(b, a.publicKey), ours);
  assert.notDeepEqual(await x25519(c, a.publicKey), ours);
  assert.notDeepEqual(a.publicKey, b.publicKey);
});

Deno.test("generateX25519() keeps the private key inside the runtime", async () => {
  const { privateKey, publicKey } = await generateX25519();
  assert.equal(publicKey.length, 32);
  assert.equal(privateKey.extractable, false);
  await assert.rejects(crypto.subtle.exportKey("pkcs8", privateKey));
});

// Points of order 1, 2, 4, 8 of the curve and its twist, also written above the prime and with the top bit set.
const LOW_ORDER = [
  "0000000000000000000000000000000000000000000000000000000000000000",
  "0100000000000000000000000000000000000000000000000000000000000000",
  "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
  "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
  "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  "0000000000000000000000000000000000000000000000000000000000000080",
  "0100000000000000000000000000000000000000000000000000000000000080",
  "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
];

Deno.test("x25519() refuses every share whose secret is all zero", async () => {
  const ours = await generateX25519();
  for (const share of LOW_ORDER) {
    await assert.rejects(x25519(ours, fromHex(share)), {
      name: "CryptoError",
      message: "Cannot agree on keys: the peer's X25519 share is not usable",
    }, share);
  }
});

Deno.test("x25519() refuses a share that has not 32 bytes", async () => {
  const ours = await generateX25519();
  for (const length of [0, 31, 33, 64]) {
    await assert.rejects(x25519(ours, new Uint8Array(length).fill(9)), { name: "CryptoError" });
  }
});
