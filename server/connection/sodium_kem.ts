// ML-KEM-768 of libsodium, for the handshakes that the members' thread computes. WebCrypto takes as much of the processor,
// but leaves a key of 2.6 KB for each handshake that only a full collection takes away: a quarter of what a quiet session
// took. All that was secret is wiped from the library's memory after each.

import { loadSodium, type Sodium } from "../delivery/sodium.ts";
import {
  type Encapsulation,
  type Kem,
  KEM_CIPHERTEXT_BYTES,
  KEM_PUBLIC_KEY_BYTES,
  KEM_SECRET_BYTES,
  requireKemPublicKey,
} from "../../shared/crypto/kem.ts";
import { randomBytes } from "../../shared/crypto/random_bytes.ts";

/** Bytes of randomness that an encapsulation is made of (FIPS 203, m). */
export const KEM_COINS_BYTES = 32;

/** ML-KEM-768 of libsodium, as far as a server needs it. */
export interface SodiumKem extends Pick<Kem, "encapsulate"> {
  /** What these coins make, which only test vectors choose; they are wiped. Throws CryptoError. */
  unsafeTestOnlyEncapsulate(publicKey: Uint8Array, coins: Uint8Array): Encapsulation;
}

/** Loads the library where it is not loaded yet. */
export async function loadSodiumKem(): Promise<SodiumKem> {
  const encapsulation = new SodiumEncapsulation(await loadSodium());
  return {
    // Faults reject and are never thrown, as with any Kem.
    encapsulate: (publicKey) =>
      new Promise((resolve) => {
        const coins = randomBytes(KEM_COINS_BYTES);
        resolve(encapsulation.make(publicKey, coins));
      }),
    unsafeTestOnlyEncapsulate: (publicKey, coins) => encapsulation.make(publicKey, coins),
  };
}

class SodiumEncapsulation {
  readonly #sodium: Sodium;
  // Addresses in the library's memory.
  readonly #publicKey: number;
  readonly #ciphertext: number;
  readonly #secret: number;
  readonly #coins: number;
  /** For a copy of what the library has below these addresses, its stack among it. */
  readonly #below: Uint8Array;

  constructor(sodium: Sodium) {
    this.#sodium = sodium;
    this.#publicKey = sodium._malloc(KEM_PUBLIC_KEY_BYTES);
    this.#ciphertext = sodium._malloc(KEM_CIPHERTEXT_BYTES);
    this.#secret = sodium._malloc(KEM_SECRET_BYTES);
    this.#coins = sodium._malloc(KEM_COINS_BYTES);
    const addresses = [this.#publicKey, this.#ciphertext, this.#secret, this.#coins];
    this.#below = new Uint8Array(Math.min(...addresses));
  }

  make(publicKey: Uint8Array, coins: Uint8Array): Encapsulation {
    requireKemPublicKey(publicKey);
    if (coins.length !== KEM_COINS_BYTES) throw new RangeError("coins have 32 bytes");
    const sodium = this.#sodium;
    const below = this.#below;
    // Read each time: the view is another one once the library's memory has grown. The call below takes none.
    const memory = sodium.HEAPU8;
    memory.set(publicKey, this.#publicKey);
    memory.set(coins, this.#coins);
    coins.fill(0);
    below.set(memory.subarray(0, below.length));
    const failed = sodium._crypto_kem_mlkem768_enc_deterministic(
      this.#ciphertext,
      this.#secret,
      this.#publicKey,
      this.#coins,
    ) !== 0;
    // The library leaves what the ciphertext was made with on its stack (FIPS 203, r): with the ciphertext it gives the
    // secret. Nothing else of what is down there has changed.
    memory.set(below);
    below.fill(0);
    const part = (at: number, length: number) => memory.slice(at, at + length);
    const made = {
      ciphertext: part(this.#ciphertext, KEM_CIPHERTEXT_BYTES),
      secret: part(this.#secret, KEM_SECRET_BYTES),
    };
    memory.fill(0, this.#secret, this.#secret + KEM_SECRET_BYTES);
    memory.fill(0, this.#coins, this.#coins + KEM_COINS_BYTES);
    if (failed) throw new Error("libsodium could not encapsulate");
    return made;
  }
}
