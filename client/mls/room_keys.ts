// All that a sealed room's secret gives (docs/PROTOCOL.md §11.1): the secret itself is never used twice for two things.

import { HASH_BYTES, hkdfExpand, hkdfExtract } from "../../shared/crypto/hkdf.ts";
import { UsageError } from "../../shared/base/errors.ts";
import { ROOM_SECRET_BYTES } from "../../shared/text/invite_link.ts";
import {
  attachInput,
  type AttachProofs,
  handleOf,
  ridOf,
} from "../../shared/messages/attach_proof.ts";
import { type SignatureKeys, signatureKeysOf, signBytes } from "./cipher_suite.ts";

/** What is derived from a room's secret. */
export interface RoomKeys {
  /** Names the room to the relay: of the attach key, so that only who has the link can hold it. */
  readonly rid: Uint8Array;
  /** Seals whatever goes through the relay, around MLS. */
  readonly envelope: Uint8Array;
  /** Makes leaf credentials that only holders of the link can make. */
  readonly admission: Uint8Array;
  /** Proves to the relay that a connection holds the link. */
  readonly attach: SignatureKeys;
}

const utf8 = new TextEncoder();
const SALT = utf8.encode("cmdchat sealed keys v1");

/** The keys of a room's 32-byte secret. */
export function deriveRoomKeys(secret: Uint8Array): RoomKeys {
  if (secret.length !== ROOM_SECRET_BYTES) {
    throw new UsageError(
      `Cannot use the room's secret: it has ${secret.length} bytes, expected ${ROOM_SECRET_BYTES}`,
    );
  }
  const root = hkdfExtract(SALT, secret);
  const derive = (label: string) => hkdfExpand(root, utf8.encode(label), HASH_BYTES);
  const attach = signatureKeysOf(derive("attach"));
  const keys = { envelope: derive("envelope"), admission: derive("admission"), attach };
  root.fill(0);
  return { ...keys, rid: ridOf(attach.publicKey) };
}

/** What a connection answers to the relay's challenge: that it holds the link, and its handle's key. */
export function attachProofs(
  { rid, attach }: RoomKeys,
  { handleKeys, challenge }: {
    readonly handleKeys: SignatureKeys;
    readonly challenge: Uint8Array;
  },
): AttachProofs {
  const claim = { rid, handle: handleOf(handleKeys.publicKey), challenge };
  return {
    key: attach.publicKey,
    proof: signBytes(attach.signKey, attachInput("link", claim)),
    handleKey: handleKeys.publicKey,
    handleProof: signBytes(handleKeys.signKey, attachInput("handle", claim)),
  };
}
