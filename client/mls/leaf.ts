// A leaf of the group's tree, as far as our rules look at it, and who one is in a group.

import { fromHex } from "#platform/bytes.ts";
import { concatBytes } from "../../shared/base/bytes.ts";
import type { SignatureKeys } from "./cipher_suite.ts";

/** A leaf of the tree. */
export interface Leaf {
  readonly index: number;
  /** The bytes of a basic credential; empty for any other. */
  readonly identity: Uint8Array;
  readonly signatureKey: Uint8Array;
  /** Basic credential, our capabilities, no extension: others would keep newcomers from joining. */
  readonly isPlain: boolean;
  /** The library's node: the same object for as long as nobody changes it. */
  readonly node: object;
}

/** Whether a credential and the signature key beside it belong to this room. */
export type CredentialCheck = (identity: Uint8Array, signatureKey: Uint8Array) => boolean;

/** Who somebody is in a group, and which credentials it accepts. */
export interface OwnLeaf {
  readonly identity: Uint8Array;
  readonly keys: SignatureKeys;
  readonly isValid: CredentialCheck;
}

/** Who may do what in a group, by signature keys: in its context, and so the same for everybody who is in it. */
export interface Rights {
  /** Who made the group. */
  readonly maker: Uint8Array;
  /** Whom the maker made ops; they may be gone. */
  readonly ops: readonly Uint8Array[];
  /** Whether nobody comes in, for as long as one of these is here. */
  readonly locked: boolean;
}

/** Where a GroupInfo leads: to be looked at before anything is made of it. */
export interface GroupInfoFacts {
  readonly epoch: number;
  readonly groupId: Uint8Array;
  readonly rights: Rights;
  readonly leaves: readonly Leaf[];
}

/** What is sealed for one member alone: never opened as something else. */
const ONE_MEMBER_LABELS = {
  text: "cmdchat sealed direct v1",
  file: "cmdchat sealed file offer v1",
} as const;

/** What is sealed for one member alone. */
export type OneMemberContent = keyof typeof ONE_MEMBER_LABELS;

/** What binds a message for one member. */
export interface DirectBinding {
  readonly label: string;
  readonly context: Uint8Array;
}

/** Binds it to the room and to both handles. */
export function oneMemberBinding(
  what: OneMemberContent,
  { rid, from, to }: { readonly rid: Uint8Array; readonly from: string; readonly to: string },
): DirectBinding {
  return { label: ONE_MEMBER_LABELS[what], context: concatBytes([rid, fromHex(from + to)]) };
}
