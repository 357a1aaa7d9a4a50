// Random bytes for keys, nonces and names (WebCrypto, the system's generator).

/** So many random bytes, at most 65,536. */
export function randomBytes(length: number): Uint8Array<ArrayBuffer> {
  return crypto.getRandomValues(new Uint8Array(length));
}
