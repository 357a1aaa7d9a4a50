// From two handshake frames and three secrets to the traffic keys: the shape of TLS 1.3 (RFC 8446 §7.1) with
// the secrets joined as in draft-ietf-tls-hybrid-design §3.3. docs/PROTOCOL.md §5.3 and §5.4.

import { concatBytes } from "../base/bytes.ts";
import { AEAD_KEY_BYTES, AEAD_NONCE_BYTES, type AeadName } from "../crypto/aead.ts";
import { HASH_BYTES, hkdfExpandLabel, hkdfExtract, sha256 } from "../crypto/hkdf.ts";
import type { ServerShare } from "./handshake_messages.ts";

/** The three secrets of a handshake, 32 bytes each; the keys need all of them. */
export interface HandshakeSecrets {
  readonly mlkem768: Uint8Array;
  readonly x25519: Uint8Array;
  readonly rsa: Uint8Array;
}

/** What a session starts from. SessionCipher takes it over and wipes it. */
export interface SessionKeys {
  readonly aead: AeadName;
  /** Traffic secret of the records that the client sends, 32 bytes. */
  readonly clientSecret: Uint8Array;
  /** Traffic secret of the records that the server sends, 32 bytes. */
  readonly serverSecret: Uint8Array;
}

/** All that a handshake gives. */
export interface HandshakeKeys extends SessionKeys {
  /** 32 bytes that both ends of this session have and nobody chose: a challenge for proofs inside it. */
  readonly challenge: Uint8Array;
}

// The construction of RFC 8446 §4.4.3: 64 spaces, a context, a zero byte, then the hash. The context keeps
// a signature of this handshake from ever being one of anything else.
const SIGNATURE_CONTEXT = new TextEncoder().encode(" ".repeat(64) + "cmdchat v2 server\0");

/** The bytes that the server signs: everything it chose, bound to the client's frame. */
export function signatureInput(clientFrame: Uint8Array, share: ServerShare): Uint8Array {
  const hash = sha256(clientFrame, encodeServerShare(share));
  const input = new Uint8Array(SIGNATURE_CONTEXT.length + HASH_BYTES);
  input.set(SIGNATURE_CONTEXT);
  input.set(hash, SIGNATURE_CONTEXT.length);
  return input;
}

function encodeServerShare(share: ServerShare): Uint8Array {
  const aead = new TextEncoder().encode(share.aead);
  return concatBytes([
    uint16(share.version),
    Uint8Array.of(aead.length),
    aead,
    share.x25519,
    share.mlkem768,
    share.identity,
    uint16(share.encryptedKey.length),
    share.encryptedKey,
  ]);
}

function uint16(value: number): Uint8Array {
  return Uint8Array.of(value >> 8, value & 0xff);
}

/** The hash of both handshake frames, as they were on the wire. */
export function transcriptHash(clientFrame: Uint8Array, serverFrame: Uint8Array): Uint8Array {
  return sha256(clientFrame, serverFrame);
}

/** The traffic secrets of both directions, and the challenge. Wipes the three secrets. */
export function deriveSessionKeys(
  aead: AeadName,
  { transcript, secrets }: {
    readonly transcript: Uint8Array;
    readonly secrets: HandshakeSecrets;
  },
): HandshakeKeys {
  const parts = [secrets.mlkem768, secrets.x25519, secrets.rsa];
  const inputKey = concatBytes(parts);
  const master = hkdfExtract(transcript, inputKey);
  const options = { context: transcript, length: HASH_BYTES };
  const clientSecret = hkdfExpandLabel(master, "c traffic", options);
  const serverSecret = hkdfExpandLabel(master, "s traffic", options);
  const challenge = hkdfExpandLabel(master, "challenge", options);
  for (const used of [...parts, inputKey, master]) used.fill(0);
  return { aead, clientSecret, serverSecret, challenge };
}

/** Key and IV of one direction until its next rekeying. */
export interface TrafficKey {
  readonly key: Uint8Array;
  readonly iv: Uint8Array;
}

/** The key and the IV of a traffic secret. */
export function trafficKey(secret: Uint8Array): TrafficKey {
  return {
    key: hkdfExpandLabel(secret, "key", { length: AEAD_KEY_BYTES }),
    iv: hkdfExpandLabel(secret, "iv", { length: AEAD_NONCE_BYTES }),
  };
}

/** The next traffic secret; there is no way back (RFC 8446 §7.2). */
export function nextTrafficSecret(secret: Uint8Array): Uint8Array {
  return hkdfExpandLabel(secret, "traffic upd", { length: HASH_BYTES });
}
