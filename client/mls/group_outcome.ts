// What a frame of the relay does to a member's view of the group.

import { equalBytes } from "#platform/bytes.ts";
import { ProtocolError } from "../../shared/base/errors.ts";
import { TOPIC_MAX_BYTES } from "../../shared/base/limits.ts";
import type { GroupMember } from "./commit_rules.ts";
import type { Leaf } from "./leaf.ts";
import type { OrderVerdict } from "./order_chain.ts";
import { decodeText } from "./payload.ts";
import type * as mls from "./group_library.ts";
import type { OutgoingCommit } from "./joining.ts";

/** What the relay hands on to all, in its order. */
export interface SealedFrame {
  readonly seq: number;
  readonly type: "commit" | "app";
  readonly epoch: number;
  /** Handle of the connection that sent it. */
  readonly from: string;
  /** Of a commit: the digest of who is in the group after it, as its sender told the relay. */
  readonly roster: Uint8Array;
  readonly body: Uint8Array;
}

/** The members who came and went with a change of the group. */
export interface Changed {
  readonly joined: readonly GroupMember[];
  readonly left: readonly GroupMember[];
  /** Who took another name. */
  readonly renamed: readonly Renamed[];
}

/** A member who took another name. */
export interface Renamed {
  readonly member: GroupMember;
  readonly previous: string;
}

/** Somebody who moderates the room has removed a member who was here. */
export interface Kick {
  readonly by: GroupMember;
  readonly whom: GroupMember;
  /** What was said about it; may be empty. NOT sanitized. */
  readonly reason: string;
}

/** What a frame did. */
export type FrameOutcome =
  | {
    readonly kind: "text";
    readonly from: GroupMember;
    readonly payload: Uint8Array;
    readonly order: OrderVerdict;
  }
  /** A frame of this connection: the caller knows whether it is an own one. */
  | { readonly kind: "echo"; readonly digest: string }
  | {
    readonly kind: "epoch";
    readonly own: boolean;
    /** The member who made the commit; undefined for a commit by which somebody joined. */
    readonly by: GroupMember | undefined;
    readonly order: OrderVerdict;
    readonly kick: Kick | undefined;
  } & Changed
  /** A commit that must not hold: to be voted against. */
  | { readonly kind: "unsound"; readonly why: string }
  | { readonly kind: "unreadable"; readonly why: string }
  /** We are not in the group any more. */
  | { readonly kind: "removed"; readonly kick: Kick | undefined };

/** Who is in one list of members and not in the other: the same connection and key is the same person. */
export function changeOf(before: readonly GroupMember[], after: readonly GroupMember[]): Changed {
  const has = (list: readonly GroupMember[], member: GroupMember) =>
    list.some((other) => isSame(other, member));
  return {
    joined: after.filter((member) => !has(before, member)),
    left: before.filter((member) => !has(after, member)),
    renamed: after.flatMap((member) => {
      const former = before.find((other) => isSame(other, member));
      return former === undefined || former.name === member.name
        ? []
        : [{ member, previous: former.name }];
    }),
  };
}

/** Whether two members are one: the same connection and key. */
export function isSame(one: GroupMember, other: GroupMember): boolean {
  return one.handle === other.handle &&
    equalBytes(one.signatureKey, other.signatureKey);
}

/** The reason without what was tried: "it is not of this room". */
export function reasonOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.replace(/^Cannot [^:]*: /, "");
}

/**
 * The member who is kicked, and the one who kicks, if a commit of that leaf leads from these members to these leaves.
 */
export function kickOf(
  { members, after, committer, reason }: {
    readonly members: readonly GroupMember[];
    readonly after: readonly Leaf[];
    readonly committer: number;
    readonly reason: string;
  },
): Kick | undefined {
  const left = new Set(after.map(({ index }) => index));
  const by = members.find(({ leaf }) => leaf === committer);
  const whom = members.find(({ leaf }) => !left.has(leaf));
  return by && whom && { by, whom, reason };
}

/** Why somebody was kicked. Throws ProtocolError where it is no text, or too long a one. */
export function readReason(bytes: Uint8Array): string {
  const text = decodeText(bytes, TOPIC_MAX_BYTES);
  if (text === undefined) throw new ProtocolError("its reason is not as the protocol says");
  return text;
}

/** An own commit that has not come back yet. */
export interface PendingCommit extends OutgoingCommit {
  readonly kick: Kick | undefined;
  readonly next: mls.MlsState;
  readonly consumed: readonly Uint8Array[];
}

/** The way back from the last commit, for as long as members may void it. */
export interface Previous {
  readonly state: mls.MlsState;
  readonly consumed: readonly Uint8Array[];
  readonly seq: number;
  readonly digest: string;
}

/** Overwrites secrets that are used up. */
export function wipe(secrets: readonly Uint8Array[]): void {
  for (const secret of secrets) secret.fill(0);
}
