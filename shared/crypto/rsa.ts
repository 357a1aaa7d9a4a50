// RSA-OAEP with SHA-256 and no label (RFC 8017 §7.1): carries the session key of v1, and one of the three
// secrets of v2. The client makes a fresh pair for each connection; the server only ever sees public keys.

import { CryptoError, ProtocolError } from "../base/errors.ts";

/** A fresh key pair of one client. */
export type RsaKeyPair = CryptoKeyPair;

const OAEP = { name: "RSA-OAEP", hash: "SHA-256" } as const;

/** Bits of the keys we make. What v1 peers expect; 112-bit strength (SP 800-57 part 1, table 2). */
export const RSA_BITS = 2048;
/** Bits of the largest key of a peer: wrapping costs the server time that grows with the square. */
export const RSA_MAX_BITS = 4096;

// Larger exponents make a wrap as costly as a private operation: one client could burn the server's time.
const MAX_EXPONENT_BYTES = 4;
// A 4,096-bit SPKI is 550 bytes, 760 characters of PEM.
const MAX_PEM_LENGTH = 2048;
const PEM = /^\s*-----BEGIN PUBLIC KEY-----\s+([A-Za-z0-9+/=\s]+?)\s+-----END PUBLIC KEY-----\s*$/;

/** A fresh RSA-2048 key pair. Takes 50 to 230 ms, so start it before it is needed. */
export function generateRsaKeyPair(): Promise<RsaKeyPair> {
  const publicExponent = Uint8Array.of(1, 0, 1);
  return crypto.subtle.generateKey(
    { ...OAEP, modulusLength: RSA_BITS, publicExponent },
    true,
    ["encrypt", "decrypt"],
  );
}

/** The SPKI PEM text of a public key: 64 characters a line, ends with a line feed (RFC 7468 §13). */
export async function publicKeyToPem(key: CryptoKey): Promise<string> {
  const spki = new Uint8Array(await crypto.subtle.exportKey("spki", key));
  const lines = btoa(String.fromCharCode(...spki)).match(/.{1,64}/g) ?? [];
  return `-----BEGIN PUBLIC KEY-----\n${lines.join("\n")}\n-----END PUBLIC KEY-----\n`;
}

/** Reads a peer's SPKI PEM. Throws ProtocolError unless it is an RSA key of 2,048 to 4,096 bits. */
export async function publicKeyFromPem(pem: string): Promise<CryptoKey> {
  if (pem.length > MAX_PEM_LENGTH) {
    throw new ProtocolError(
      `Cannot read the RSA public key: it has ${pem.length} characters, at most ${MAX_PEM_LENGTH} are allowed`,
    );
  }
  const key = await importSpki(PEM.exec(pem)?.[1] ?? "");
  const { modulusLength, publicExponent } = key.algorithm as RsaKeyAlgorithm;
  if (modulusLength < RSA_BITS || modulusLength > RSA_MAX_BITS) {
    throw new ProtocolError(
      `Cannot use the RSA public key: it has ${modulusLength} bits, and must have ${RSA_BITS} to ${RSA_MAX_BITS}`,
    );
  }
  if (!isUsableExponent(publicExponent)) {
    throw new ProtocolError(
      "Cannot use the RSA public key: its exponent must be odd, above 1 and below 2^32",
    );
  }
  return key;
}

async function importSpki(base64: string): Promise<CryptoKey> {
  try {
    const der = Uint8Array.from(atob(base64.replaceAll(/\s/g, "")), (char) => char.charCodeAt(0));
    return await crypto.subtle.importKey("spki", der, OAEP, true, ["encrypt"]);
  } catch (cause) {
    throw new ProtocolError("Cannot read the RSA public key: it must be an SPKI key in PEM", {
      cause,
    });
  }
}

function isUsableExponent(bigEndian: Uint8Array): boolean {
  const first = bigEndian.findIndex((byte) => byte !== 0);
  const bytes = first < 0 ? new Uint8Array() : bigEndian.subarray(first);
  const last = bytes.at(-1) ?? 0;
  if (bytes.length > MAX_EXPONENT_BYTES || last % 2 === 0) return false;
  return bytes.length > 1 || last > 1;
}

/**
 * Encrypts a secret of at most 190 bytes to a public key; the result is as long as the modulus. Throws
 * ProtocolError for a key that is none, such as one with an even modulus, which importing does not notice.
 */
export async function wrapKey(publicKey: CryptoKey, secret: Uint8Array): Promise<Uint8Array> {
  const input = new Uint8Array(secret);
  try {
    return new Uint8Array(await crypto.subtle.encrypt(OAEP, publicKey, input));
  } catch (cause) {
    throw new ProtocolError("Cannot use the RSA public key: nothing can be encrypted to it", {
      cause,
    });
  }
}

/** Opens what wrapKey() made. Throws CryptoError with one text for every fault. */
export async function unwrapKey(privateKey: CryptoKey, wrapped: Uint8Array): Promise<Uint8Array> {
  try {
    const input = new Uint8Array(wrapped);
    return new Uint8Array(await crypto.subtle.decrypt(OAEP, privateKey, input));
  } catch (cause) {
    throw new CryptoError("Cannot open the wrapped session key: it was not made for this key", {
      cause,
    });
  }
}
