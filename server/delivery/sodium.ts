// libsodium in WebAssembly, of which a process has one: it takes 4 MiB.

/** What is used of the library. Numbers are addresses in its memory, or lengths. */
export interface Sodium {
  readonly HEAPU8: Uint8Array;
  _malloc(length: number): number;
  _crypto_aead_chacha20poly1305_ietf_encrypt(
    out: number,
    outLength: number,
    plaintext: number,
    length: number,
    lengthHigh: number,
    associated: number,
    associatedLength: number,
    associatedLengthHigh: number,
    secretNonce: number,
    nonce: number,
    key: number,
  ): number;
  _crypto_aead_chacha20poly1305_ietf_decrypt(
    out: number,
    outLength: number,
    secretNonce: number,
    sealed: number,
    length: number,
    lengthHigh: number,
    associated: number,
    associatedLength: number,
    associatedLengthHigh: number,
    nonce: number,
    key: number,
  ): number;
  _crypto_kem_mlkem768_enc_deterministic(
    ciphertext: number,
    secret: number,
    publicKey: number,
    seed: number,
  ): number;
}

let loaded: Promise<Sodium> | undefined;

/** Loads it once. What failed is tried again by the next call: memory may be short for a moment. */
export function loadSodium(): Promise<Sodium> {
  return loaded ??= instantiate().catch((error) => {
    loaded = undefined;
    throw error;
  });
}

async function instantiate(): Promise<Sodium> {
  const { default: factory } = await import("libsodium");
  return await (factory as unknown as () => Promise<Sodium>)();
}
