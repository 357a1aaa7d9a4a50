// A person's device key (docs/PROTOCOL.md §8.9): an Ed25519 key (RFC 8032) that its owner shows to the members of a room,
// if they ask for that, so that they are known again tomorrow. It signs two kinds of statements, each of which binds
// all that it is about: neither can be shown again by anybody, in another place, or as a statement of the other kind.

import { ed25519PublicKey, ed25519Sign, ed25519Verify } from "#platform/curves.ts";
import { concatBytes } from "../base/bytes.ts";
import { hasSmallOrder } from "./identity.ts";
import { randomBytes } from "./random_bytes.ts";

/** Bytes of a raw public key and of the seed of a private one, of a signature, and of what one who asks chooses. */
export const PROOF_BYTES = { key: 32, signature: 64, nonce: 32 } as const;

/** A device key; the seed is secret. */
export interface DeviceKey {
  readonly seed: Uint8Array;
  readonly publicKey: Uint8Array;
}

/** A device key that is shown, and its signature. */
export interface DeviceProof {
  readonly key: Uint8Array;
  readonly signature: Uint8Array;
}

/** That a leaf of a sealed room is of the key's owner. All have a fixed size. */
export interface LeafClaim {
  readonly rid: Uint8Array;
  readonly handle: Uint8Array;
  /** The leaf's own key: fresh for each process and room. */
  readonly signatureKey: Uint8Array;
}

/** That a session in a plain room is of the key's owner, to one member who asks for it now. */
export interface RoomClaim {
  /** SHA-256 of the server's public key: its fingerprint. */
  readonly server: Uint8Array;
  /** Number of the session that proves, and of the one that asks. */
  readonly prover: number;
  readonly asker: number;
  /** What the one who asks chose for this answer. */
  readonly nonce: Uint8Array;
  /** The room, and the prover's name there. */
  readonly room: string;
  readonly name: string;
}

const utf8 = new TextEncoder();
const LEAF_LABEL = utf8.encode("cmdchat device leaf v1");
const ROOM_LABEL = utf8.encode("cmdchat device room v1");

/** The key of a 32-byte seed. */
export function deviceKeyOf(seed: Uint8Array): DeviceKey {
  return { seed, publicKey: ed25519PublicKey(seed) };
}

/** A fresh key. */
export function generateDeviceKey(): DeviceKey {
  return deviceKeyOf(randomBytes(PROOF_BYTES.key));
}

/** What the key signs of a leaf. */
export function leafStatement({ rid, handle, signatureKey }: LeafClaim): Uint8Array {
  return concatBytes([LEAF_LABEL, rid, handle, signatureKey]);
}

/** What the key signs of a session in a plain room. */
export function roomStatement(claim: RoomClaim): Uint8Array {
  const { server, prover, asker, nonce, room, name } = claim;
  const parts = [ROOM_LABEL, server, number(prover), number(asker), nonce];
  return concatBytes([...parts, ...text(room), ...text(name)]);
}

function number(value: number): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(value));
  return bytes;
}

/** Its length in two bytes, then itself: no text can pass for the end of the one before it. */
function text(value: string): [Uint8Array, Uint8Array] {
  const bytes = utf8.encode(value);
  return [Uint8Array.of(bytes.length >> 8, bytes.length & 0xff), bytes];
}

/** The key's proof of a statement. */
export function proveAs({ seed, publicKey }: DeviceKey, statement: Uint8Array): DeviceProof {
  return { key: publicKey, signature: ed25519Sign(seed, statement) };
}

/** Whether the key that is shown has signed the statement. False for a weak key, under which anyone can sign. */
export function isProofOf({ key, signature }: DeviceProof, statement: Uint8Array): boolean {
  const hasSize = key.length === PROOF_BYTES.key && signature.length === PROOF_BYTES.signature;
  if (!hasSize || !isCanonical(key) || hasSmallOrder(key)) return false;
  try {
    return ed25519Verify(key, statement, signature);
  } catch {
    return false; // No point of the curve: nobody can have signed with it.
  }
}

/** One key, one text: y below 2^255 - 19 (RFC 8032 §5.1.3), which not every library checks. */
function isCanonical(key: Uint8Array): boolean {
  const isAllOnes = key.subarray(1, 31).every((byte) => byte === 0xff);
  return !(isAllOnes && ((key[31] ?? 0) & 0x7f) === 0x7f && (key[0] ?? 0) >= 0xed);
}
