// X25519 (RFC 7748): the classical one of the three secrets of a v2 session.

import { x25519Answer } from "#platform/curves.ts";
import { CryptoError } from "../base/errors.ts";

/** Bytes of a share and of the shared secret. */
export const X25519_BYTES = 32;

/** One side's fresh share: the raw public key to send, and the private key. */
export interface X25519Share {
  readonly publicKey: Uint8Array;
  readonly privateKey: CryptoKey;
}

/** A fresh share, used for one handshake only. */
export async function generateX25519(): Promise<X25519Share> {
  const pair = await crypto.subtle.generateKey("X25519", false, ["deriveBits"]) as CryptoKeyPair;
  const raw = await crypto.subtle.exportKey("raw", pair.publicKey);
  return { publicKey: new Uint8Array(raw), privateKey: pair.privateKey };
}

/** The 32-byte shared secret. Throws CryptoError for a share of low order, whose secret is all zero. */
export async function x25519(share: X25519Share, peer: Uint8Array): Promise<Uint8Array> {
  // Deno 2.4 does not refuse a share of another size, its process ends.
  if (peer.length !== X25519_BYTES) throw new CryptoError(REFUSED);
  const secret = await deriveBits(share, peer);
  // RFC 7748 §6.1: without this a peer could force a secret that does not depend on our key. WebCrypto
  // must refuse it by itself; this holds where a runtime does not.
  if (secret.every((byte) => byte === 0)) throw new CryptoError(REFUSED);
  return secret;
}

const REFUSED = "Cannot agree on keys: the peer's X25519 share is not usable";

/** What the answering side has of a peer's share: a public key to send, and the shared secret. */
export interface X25519Answer {
  readonly publicKey: Uint8Array;
  readonly secret: Uint8Array;
}

/** Answers a peer's share with a fresh one, at once: WebCrypto takes twice as long. Throws CryptoError as x25519(). */
export function answerX25519(peer: Uint8Array): X25519Answer {
  if (peer.length !== X25519_BYTES) throw new CryptoError(REFUSED);
  const answer = tryAnswer(peer);
  if (answer.secret.every((byte) => byte === 0)) throw new CryptoError(REFUSED);
  return answer;
}

function tryAnswer(peer: Uint8Array): X25519Answer {
  try {
    return x25519Answer(peer);
  } catch (cause) {
    throw new CryptoError(REFUSED, { cause });
  }
}

async function deriveBits({ privateKey }: X25519Share, peer: Uint8Array): Promise<Uint8Array> {
  try {
    const raw = new Uint8Array(peer);
    const key = await crypto.subtle.importKey("raw", raw, "X25519", false, []);
    const bits = await crypto.subtle.deriveBits({ name: "X25519", public: key }, privateKey, 256);
    return new Uint8Array(bits);
  } catch (cause) {
    throw new CryptoError(REFUSED, { cause });
  }
}
