// What a relay and the members of a sealed room compare, to agree on who is in the group (docs/PROTOCOL.md §12.4).

import { concatBytes } from "../base/bytes.ts";
import { sha256 } from "../crypto/hkdf.ts";

const LABEL = new TextEncoder().encode("cmdchat sealed roster v1");

/** The members of a group after a commit, as its sender tells the relay. */
export interface RosterClaim {
  /** The handles of all leaves, in any order. */
  readonly members: Uint8Array[];
  /** Whether the room is locked. */
  readonly locked: boolean;
}

/** 32 bytes that stand for a roster: the same for the same handles in whatever order. */
export function rosterDigest({ members, locked }: RosterClaim): Uint8Array {
  const sorted = [...members].sort(compareBytes);
  // All handles have one size, so that nothing can be read in two ways.
  return sha256(concatBytes([LABEL, Uint8Array.of(locked ? 1 : 0), ...sorted]));
}

function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const at = a.findIndex((byte, index) => byte !== b[index]);
  return at < 0 ? 0 : (a[at] as number) - (b[at] ?? -1);
}
