// X25519 (RFC 7748) and Ed25519 (RFC 8032) of @noble/curves, synchronous.

import { ed25519, x25519 } from "@noble/curves/ed25519.js";
import { sha512 } from "@noble/hashes/sha2.js";

/** The public key of a 32-byte private key of X25519. Throws for another size. */
export function x25519PublicKey(privateKey: Uint8Array): Uint8Array<ArrayBuffer> {
  return new Uint8Array(x25519.getPublicKey(privateKey));
}

/** The shared secret; all zero, or an error, for a public key of low order. Throws for another size. */
export function x25519Secret(privateKey: Uint8Array, publicKey: Uint8Array): Uint8Array {
  return x25519.getSharedSecret(privateKey, publicKey);
}

/** A fresh public key, and its shared secret with a peer's. */
export function x25519Answer(
  peer: Uint8Array,
): { readonly publicKey: Uint8Array; readonly secret: Uint8Array } {
  const { secretKey, publicKey } = x25519.keygen();
  return { publicKey, secret: x25519Secret(secretKey, peer) };
}

/** The public key of a 32-byte seed of Ed25519. Throws for another size. */
export function ed25519PublicKey(seed: Uint8Array): Uint8Array<ArrayBuffer> {
  return new Uint8Array(ed25519.getPublicKey(seed));
}

/** The 64-byte signature of a message by a seed. */
export function ed25519Sign(seed: Uint8Array, message: Uint8Array): Uint8Array<ArrayBuffer> {
  return new Uint8Array(ed25519.sign(message, seed));
}

/** The same for many messages. */
export function ed25519Signer(
  seed: Uint8Array,
): (message: Uint8Array) => Uint8Array<ArrayBuffer> {
  const kept = seed.slice();
  return (message) => ed25519Sign(kept, message);
}

const ORDER = ed25519.Point.Fn.ORDER;

/** Whether a signature is that key's. False or an error for what is no key. */
export function ed25519Verify(
  publicKey: Uint8Array,
  message: Uint8Array,
  signature: Uint8Array,
): boolean {
  if (signature.length !== 64) return false;
  const [start, end] = [signature.subarray(0, 32), signature.subarray(32)];
  const s = littleEndian(end);
  if (s >= ORDER) return false;
  // Without the cofactor, as RFC 8032 §5.1.7 lets one and as the terminal client's library does: where members judged
  // differently, somebody could make a signature that only some of a room accept. The package's verify() multiplies by it.
  const hash = sha512.create().update(start).update(publicKey).update(message).digest();
  const key = ed25519.Point.fromBytes(publicKey);
  const point = ed25519.Point.BASE.multiplyUnsafe(s)
    .subtract(key.multiplyUnsafe(littleEndian(hash) % ORDER));
  return point.toBytes().every((byte, at) => byte === start[at]);
}

function littleEndian(bytes: Uint8Array): bigint {
  return bytes.reduceRight((sum, byte) => sum << 8n | BigInt(byte), 0n);
}
