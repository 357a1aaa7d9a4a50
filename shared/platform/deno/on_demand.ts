// Libraries that few runs need: a program reads them from its disk at their first use.

/** ML-KEM of @noble/post-quantum, for a platform whose WebCrypto has none. */
export async function loadMlKem(): Promise<
  typeof import("@noble/post-quantum/ml-kem.js").ml_kem768
> {
  return (await import("@noble/post-quantum/ml-kem.js")).ml_kem768;
}

/** Draws a QR code in characters. */
export async function loadQrText(): Promise<typeof import("uqr").renderUnicodeCompact> {
  return (await import("uqr")).renderUnicodeCompact;
}
