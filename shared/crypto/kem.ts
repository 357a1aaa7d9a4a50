// ML-KEM-768 (FIPS 203): the secret of a v2 session that resists a quantum computer. WebCrypto has it from
// Deno 2.8 or so (0.03-0.09 ms an operation); where it does not, @noble/post-quantum (0.3-0.4 ms) is loaded.

import { loadMlKem } from "#platform/on_demand.ts";
import { CryptoError } from "../base/errors.ts";

/** Bytes of a public key (FIPS 203 table 3). */
export const KEM_PUBLIC_KEY_BYTES = 1184;
/** Bytes of a ciphertext. */
export const KEM_CIPHERTEXT_BYTES = 1088;
/** Bytes of a shared secret. */
export const KEM_SECRET_BYTES = 32;
/** Bytes of the seed (d || z) that makes a key pair again. */
export const KEM_SEED_BYTES = 64;

/** A key pair for one handshake; the private part stays in the closure. */
export interface KemKeyPair {
  readonly publicKey: Uint8Array;
  /** The 32-byte secret; a ciphertext that was tampered with gives another one (implicit rejection). */
  decapsulate(ciphertext: Uint8Array): Promise<Uint8Array>;
}

/** What the holder of a public key makes: the secret, and the ciphertext that carries it. */
export interface Encapsulation {
  readonly ciphertext: Uint8Array;
  readonly secret: Uint8Array;
}

/** ML-KEM-768 by one implementation. */
export interface Kem {
  /** A fresh pair, or the one of a 64-byte seed, which only test vectors use. */
  generate(seed?: Uint8Array): Promise<KemKeyPair>;
  /** Rejects with CryptoError unless the public key is a valid one of 1,184 bytes. */
  encapsulate(publicKey: Uint8Array): Promise<Encapsulation>;
}

let chosen: Promise<Kem> | undefined;

/** WebCrypto's ML-KEM-768 where the runtime has it, else noble's. */
export function loadKem(): Promise<Kem> {
  chosen ??= hasWebCryptoKem().then((has) => has ? webCryptoKem : nobleKem);
  return chosen;
}

/** Whether this runtime's WebCrypto knows ML-KEM-768. */
export async function hasWebCryptoKem(): Promise<boolean> {
  try {
    await subtle.importKey("raw-seed", new Uint8Array(KEM_SEED_BYTES), NAME, false, [DECAPSULATE]);
    return true;
  } catch {
    return false; // The only question asked here; older runtimes throw TypeError or NotSupportedError.
  }
}

const NAME = "ML-KEM-768";
const ENCAPSULATE = "encapsulateBits";
const DECAPSULATE = "decapsulateBits";

// The parts of the WebCrypto draft "Modern Algorithms" that TypeScript's library does not know yet.
interface KemSubtle {
  importKey(
    format: "raw-public" | "raw-seed",
    data: Uint8Array,
    name: typeof NAME,
    extractable: boolean,
    usages: readonly string[],
  ): Promise<CryptoKey>;
  generateKey(name: typeof NAME, extractable: boolean, usages: readonly string[]): Promise<
    CryptoKeyPair
  >;
  exportKey(format: "raw-public", key: CryptoKey): Promise<ArrayBuffer>;
  getPublicKey(key: CryptoKey, usages: readonly string[]): Promise<CryptoKey>;
  encapsulateBits(
    name: typeof NAME,
    key: CryptoKey,
  ): Promise<{ sharedKey: ArrayBuffer; ciphertext: ArrayBuffer }>;
  decapsulateBits(
    name: typeof NAME,
    key: CryptoKey,
    ciphertext: Uint8Array,
  ): Promise<ArrayBuffer>;
}

const subtle = crypto.subtle as unknown as KemSubtle;

/** ML-KEM-768 of WebCrypto; throws where hasWebCryptoKem() is false. */
export const webCryptoKem: Kem = {
  async generate(seed) {
    const pair = seed === undefined
      ? await subtle.generateKey(NAME, false, [ENCAPSULATE, DECAPSULATE])
      : await pairOfSeed(seed);
    const publicKey = new Uint8Array(await subtle.exportKey("raw-public", pair.publicKey));
    return {
      publicKey,
      async decapsulate(ciphertext) {
        requireCiphertext(ciphertext);
        return new Uint8Array(await subtle.decapsulateBits(NAME, pair.privateKey, ciphertext));
      },
    };
  },
  async encapsulate(publicKey) {
    requireKemPublicKey(publicKey);
    const key = await subtle.importKey("raw-public", publicKey, NAME, false, [ENCAPSULATE]);
    const { sharedKey, ciphertext } = await subtle.encapsulateBits(NAME, key);
    return { secret: new Uint8Array(sharedKey), ciphertext: new Uint8Array(ciphertext) };
  },
};

async function pairOfSeed(seed: Uint8Array): Promise<CryptoKeyPair> {
  const privateKey = await subtle.importKey("raw-seed", seed, NAME, false, [DECAPSULATE]);
  return { privateKey, publicKey: await subtle.getPublicKey(privateKey, [ENCAPSULATE]) };
}

/** ML-KEM-768 of @noble/post-quantum, loaded at the first use. */
export const nobleKem: Kem = {
  async generate(seed) {
    const { publicKey, secretKey } = (await loadMlKem()).keygen(seed);
    return {
      publicKey,
      async decapsulate(ciphertext) {
        requireCiphertext(ciphertext);
        return (await loadMlKem()).decapsulate(ciphertext, secretKey);
      },
    };
  },
  // Faults reject and never throw: a handshake runs this beside other operations, and what one of those
  // rejects while this throws would be nobody's rejection, which ends the process.
  async encapsulate(publicKey) {
    requireKemPublicKey(publicKey);
    const { cipherText, sharedSecret } = (await loadMlKem()).encapsulate(publicKey);
    return { ciphertext: cipherText, secret: sharedSecret };
  },
};

function requireCiphertext(ciphertext: Uint8Array): void {
  if (ciphertext.length !== KEM_CIPHERTEXT_BYTES) {
    throw new CryptoError("Cannot agree on keys: the peer's ML-KEM ciphertext is not usable");
  }
}

/** Throws CryptoError unless it has 768 twelve-bit coefficients below q (FIPS 203 §7.2): Deno's importKey() does not look. */
export function requireKemPublicKey(publicKey: Uint8Array): void {
  let valid = publicKey.length === KEM_PUBLIC_KEY_BYTES;
  for (let at = 0; valid && at < KEM_PUBLIC_KEY_BYTES - 32; at += 3) {
    const three = publicKey[at]! | publicKey[at + 1]! << 8 | publicKey[at + 2]! << 16;
    valid = (three & 0xfff) < KEM_MODULUS && three >> 12 < KEM_MODULUS;
  }
  if (!valid) throw new CryptoError("Cannot agree on keys: the peer's ML-KEM key is not usable");
}

const KEM_MODULUS = 3329;
