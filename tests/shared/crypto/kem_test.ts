import assert from "node:assert/strict";
import { CryptoError } from "../../../shared/base/errors.ts";
import {
  hasWebCryptoKem,
  type Kem,
  KEM_CIPHERTEXT_BYTES,
  KEM_PUBLIC_KEY_BYTES,
  KEM_SECRET_BYTES,
  KEM_SEED_BYTES,
  loadKem,
  nobleKem,
  webCryptoKem,
} from "../../../shared/crypto/kem.ts";
import { skipUnless } from "../../helpers/repo/skip.ts";

const hasBoth = await hasWebCryptoKem();
const testBoth = skipUnless(hasBoth, "this runtime's WebCrypto has no ML-KEM");
const implementations: Readonly<Record<string, Kem>> = hasBoth
  ? { WebCrypto: webCryptoKem, noble: nobleKem }
  : { noble: nobleKem };

for (const [name, kem] of Object.entries(implementations)) {
  Deno.test(`ML-KEM of ${name}: the ciphertext carries the secret, in the sizes of FIPS 203`, async () => {
    const pair = await kem.generate();
    const { ciphertext, secret } = await kem.encapsulate(pair.publicKey);
    assert.equal(pair.publicKey.length, KEM_PUBLIC_KEY_BYTES);
    assert.equal(ciphertext.length, KEM_CIPHERTEXT_BYTES);
    assert.equal(secret.length, KEM_SECRET_BYTES);
    assert.deepEqual(await pair.decapsulate(ciphertext), secret);
    assert.notDeepEqual((await kem.encapsulate(pair.publicKey)).secret, secret);
  });

  Deno.test(`ML-KEM of ${name}: a changed ciphertext gives another secret, always the same`, async () => {
    const pair = await kem.generate();
    const { ciphertext, secret } = await kem.encapsulate(pair.publicKey);
    const changed = Uint8Array.from(ciphertext, (byte, at) => at === 500 ? byte ^ 1 : byte);
    const rejected = await pair.decapsulate(changed);
    assert.equal(rejected.length, KEM_SECRET_BYTES);
    assert.notDeepEqual(rejected, secret);
    assert.deepEqual(await pair.decapsulate(changed), rejected);
  });

  Deno.test(`ML-KEM of ${name}: what cannot be used is rejected and never thrown`, async () => {
    const pair = await kem.generate();
    const outOfRange = Uint8Array.from(pair.publicKey);
    outOfRange.set([0x01, 0x0d]); // The first coefficient is 3329, the modulus.
    const secondOutOfRange = Uint8Array.from(pair.publicKey);
    secondOutOfRange.set([0x10 | (pair.publicKey[1] ?? 0) & 0x0f, 0xd0], 1);
    const keys = [
      new Uint8Array(),
      pair.publicKey.subarray(1),
      new Uint8Array(KEM_PUBLIC_KEY_BYTES + 1),
      outOfRange,
      secondOutOfRange,
      new Uint8Array(KEM_PUBLIC_KEY_BYTES).fill(0xff),
    ];
    for (const key of keys) {
      // A call that threw here would leave its neighbours in a handshake without anyone to catch them.
      const answer = kem.encapsulate(key);
      await assert.rejects(answer, CryptoError);
    }
    for (const length of [0, KEM_CIPHERTEXT_BYTES - 1, KEM_CIPHERTEXT_BYTES + 1]) {
      const answer = pair.decapsulate(new Uint8Array(length));
      await assert.rejects(answer, CryptoError);
    }
  });
}

testBoth(
  "WebCrypto and noble make the same key of a seed and open each other's ciphertexts",
  async () => {
    for (let round = 0; round < 10; round++) {
      const seed = crypto.getRandomValues(new Uint8Array(KEM_SEED_BYTES));
      const [ours, theirs] = await Promise.all([
        webCryptoKem.generate(seed),
        nobleKem.generate(seed),
      ]);
      assert.deepEqual(ours.publicKey, theirs.publicKey);
      for (const kem of [webCryptoKem, nobleKem]) {
        const { ciphertext, secret } = await kem.encapsulate(ours.publicKey);
        assert.deepEqual(await ours.decapsulate(ciphertext), secret);
        assert.deepEqual(await theirs.decapsulate(ciphertext), secret);
        // Implicit rejection is part of the standard: both must agree on the wrong secret too.
        ciphertext[round] = (ciphertext[round] ?? 0) ^ 0x80;
        assert.deepEqual(await ours.decapsulate(ciphertext), await theirs.decapsulate(ciphertext));
      }
    }
  },
);

Deno.test("loadKem() takes WebCrypto where it can and noble elsewhere, once", async () => {
  assert.equal(await loadKem(), hasBoth ? webCryptoKem : nobleKem);
  assert.equal(await loadKem(), await loadKem());
});
