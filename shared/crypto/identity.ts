// A server's Ed25519 identity (RFC 8032): what makes it recognisable. Made at start and gone at the end, or
// kept by the operator as the PEM that `cmdchat-server keygen` prints (also `openssl genpkey -algorithm ed25519`).

import { fromBase64, toHex } from "#platform/bytes.ts";
import { ed25519Signer } from "#platform/curves.ts";
import { decodeBase64, encodeBase64 } from "../base/base64.ts";
import { ConfigError } from "../base/errors.ts";
import { type Fingerprint, fingerprintOf } from "./fingerprint.ts";

/** Bytes of a raw public key. */
export const IDENTITY_KEY_BYTES = 32;
/** Bytes of a signature. */
export const SIGNATURE_BYTES = 64;

/** A server's key pair with the raw public key and its fingerprint. */
export interface ServerIdentity {
  readonly privateKey: CryptoKey;
  /** The 64-byte signature over a message. */
  readonly sign: (message: Uint8Array) => Uint8Array;
  readonly publicKey: Uint8Array;
  readonly fingerprint: Fingerprint;
}

const PEM =
  /^\s*-----BEGIN PRIVATE KEY-----\s+([A-Za-z0-9+/=\s]+?)\s+-----END PRIVATE KEY-----\s*$/;
// An Ed25519 key has 119 characters; what is far longer is another file.
const MAX_PEM_LENGTH = 1024;

/** A fresh identity. */
export async function generateIdentity(): Promise<ServerIdentity> {
  const pair = await crypto.subtle.generateKey("Ed25519", true, ["sign", "verify"]);
  return await identityOf((pair as CryptoKeyPair).privateKey);
}

async function identityOf(privateKey: CryptoKey): Promise<ServerIdentity> {
  // WebCrypto gives the public key of a private one in this format only.
  const { d, x } = await crypto.subtle.exportKey("jwk", privateKey);
  const [seed, publicKey] = [fromBase64(d ?? "", "base64url"), fromBase64(x ?? "", "base64url")];
  if (seed === undefined || publicKey === undefined) throw new TypeError("no key of Ed25519");
  const sign = ed25519Signer(seed);
  seed.fill(0);
  return { privateKey, sign, publicKey, fingerprint: fingerprintOf(publicKey) };
}

/** The private key as PKCS#8 PEM (RFC 8410), which identityFromText() reads again. */
export async function identityToText(identity: ServerIdentity): Promise<string> {
  const pkcs8 = await crypto.subtle.exportKey("pkcs8", identity.privateKey);
  return toPem(new Uint8Array(pkcs8));
}

function toPem(pkcs8: Uint8Array): string {
  return `-----BEGIN PRIVATE KEY-----\n${encodeBase64(pkcs8)}\n-----END PRIVATE KEY-----\n`;
}

/** Reads what identityToText() or OpenSSL wrote. Throws ConfigError, `trouble` and why, which never holds a part of the text. */
export async function identityFromText(
  text: string,
  trouble = "Cannot read the identity",
): Promise<ServerIdentity> {
  const base64 = text.length <= MAX_PEM_LENGTH ? PEM.exec(text)?.[1] : undefined;
  const pkcs8 = decodeBase64(base64?.replaceAll(/\s/g, "") ?? "");
  if (pkcs8 === undefined || pkcs8.length === 0) throw unreadable(trouble);
  try {
    const der = new Uint8Array(pkcs8);
    const privateKey = await crypto.subtle.importKey("pkcs8", der, "Ed25519", true, ["sign"]);
    return await identityOf(privateKey);
  } catch (cause) {
    throw unreadable(trouble, cause);
  }
}

function unreadable(trouble: string, cause?: unknown): ConfigError {
  return new ConfigError(`${trouble}: it must be one Ed25519 private key as PKCS#8 PEM`, {
    cause,
    hint: "make one with: cmdchat-server keygen",
  });
}

// y coordinates, little-endian, of the points of order 1, 2, 4 and 8, and of 0 and 1 written above the prime.
// Under such a key a signature can be made by anyone, and WebCrypto of Deno 2.9 accepts it (RFC 8032 leaves it open).
const SMALL_ORDER = new Set([
  "0000000000000000000000000000000000000000000000000000000000000000",
  "0100000000000000000000000000000000000000000000000000000000000000",
  "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
  "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
  "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
]);

/** Whether an Ed25519 key is one of the few under which anyone can sign. */
export function hasSmallOrder(publicKey: Uint8Array): boolean {
  const y = publicKey.slice();
  y[31] = (y[31] ?? 0) & 0x7f;
  return SMALL_ORDER.has(toHex(y));
}

/** A signature with the raw public key that is said to have made it. */
export interface SignatureToCheck {
  readonly publicKey: Uint8Array;
  readonly signature: Uint8Array;
}

/** Whether the signature is that key's over that message; false too for a key that is no point or a weak one. */
export async function isSignedBy(
  { publicKey, signature }: SignatureToCheck,
  message: Uint8Array,
): Promise<boolean> {
  if (hasSmallOrder(publicKey)) return false;
  try {
    const raw = new Uint8Array(publicKey);
    const key = await crypto.subtle.importKey("raw", raw, "Ed25519", false, ["verify"]);
    const input = new Uint8Array(message);
    return await crypto.subtle.verify("Ed25519", key, new Uint8Array(signature), input);
  } catch {
    return false; // Not a key: nobody can have signed with it.
  }
}
