import assert from "node:assert/strict";
import { ml_kem768 } from "@noble/post-quantum/ml-kem.js";
import { KEM_COINS_BYTES, loadSodiumKem } from "../../../server/connection/sodium_kem.ts";
import { CryptoError } from "../../../shared/base/errors.ts";
import {
  KEM_CIPHERTEXT_BYTES,
  KEM_PUBLIC_KEY_BYTES,
  KEM_SECRET_BYTES,
  loadKem,
} from "../../../shared/crypto/kem.ts";
import { loadSodium } from "../../../server/delivery/sodium.ts";

const kem = await loadSodiumKem();
const pair = await (await loadKem()).generate();

const bytes = (length: number) => crypto.getRandomValues(new Uint8Array(length));

Deno.test("what libsodium encapsulates opens with the platform's ML-KEM, and is another secret each time", async () => {
  const seen = new Set<string>();
  for (let time = 0; time < 20; time++) {
    const { ciphertext, secret } = await kem.encapsulate(pair.publicKey);
    assert.deepEqual([ciphertext.length, secret.length], [KEM_CIPHERTEXT_BYTES, KEM_SECRET_BYTES]);
    assert.deepEqual(await pair.decapsulate(ciphertext), secret);
    seen.add(secret.join());
  }
  assert.equal(seen.size, 20);
});

Deno.test("libsodium makes the same of a key and its coins as noble, byte for byte, and wipes the coins", () => {
  for (let time = 0; time < 10; time++) {
    const { publicKey } = ml_kem768.keygen(bytes(64));
    const coins = bytes(KEM_COINS_BYTES);
    const { cipherText, sharedSecret } = ml_kem768.encapsulate(publicKey, coins.slice());
    const made = kem.unsafeTestOnlyEncapsulate(publicKey, coins);
    assert.deepEqual([made.ciphertext, made.secret], [cipherText, sharedSecret]);
    assert.ok(coins.every((byte) => byte === 0));
  }
});

Deno.test("of a secret, of its coins and of what is computed from them, nothing but the ciphertext stays in the memory of libsodium", async () => {
  const sodium = await loadSodium();
  const memoryAfter = () => {
    kem.unsafeTestOnlyEncapsulate(pair.publicKey, bytes(KEM_COINS_BYTES));
    return sodium.HEAPU8.slice();
  };
  const [one, other] = [memoryAfter(), memoryAfter()];
  const isOther = (byte: number, at: number) => byte !== other[at];
  const [first, last] = [one.findIndex(isOther), one.findLastIndex(isOther)];
  assert.ok(first >= 0 && last - first < KEM_CIPHERTEXT_BYTES, `${first} to ${last} differ`);
});

Deno.test("keys and coins that cannot be used are refused, and the next ones work", async () => {
  const outOfRange = Uint8Array.from(pair.publicKey);
  outOfRange.set([0x01, 0x0d]); // The first coefficient is 3329, the modulus.
  for (const key of [new Uint8Array(), pair.publicKey.subarray(1), outOfRange]) {
    await assert.rejects(kem.encapsulate(key), CryptoError);
  }
  assert.equal(pair.publicKey.length, KEM_PUBLIC_KEY_BYTES);
  const short = bytes(KEM_COINS_BYTES - 1);
  assert.throws(() => kem.unsafeTestOnlyEncapsulate(pair.publicKey, short), RangeError);
  const { ciphertext, secret } = await kem.encapsulate(pair.publicKey);
  assert.deepEqual(await pair.decapsulate(ciphertext), secret);
});
