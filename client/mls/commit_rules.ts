// What a client enforces beyond the group library (docs/PROTOCOL.md §11.5): the tree before a commit against the tree
// after it, whatever the commit says it does.

import { equalBytes } from "#platform/bytes.ts";
import { SEALED_MEMBERS_MAX } from "../../shared/base/limits.ts";
import { nameKey } from "../../shared/text/names.ts";
import type { CredentialSubject } from "./credential.ts";
import type { Leaf } from "./leaf.ts";

/** A leaf whose credential holds. */
export interface GroupMember extends CredentialSubject {
  readonly leaf: number;
  readonly signatureKey: Uint8Array;
}

/** What a commit made of a tree. */
export interface TreeChange {
  readonly before: readonly Leaf[];
  readonly after: readonly Leaf[];
  /** Leaf of the member who committed; undefined for one who joins. */
  readonly committer: number | undefined;
  /** How many kicks it names. */
  readonly kicks: number;
  /** Handle of the connection that sent it, as the relay says. */
  readonly from: string;
}

/** What the rules ask about a room. */
export interface RuleContext {
  readonly personOf: (leaf: Leaf) => CredentialSubject | undefined;
  /** Signature key of who made the room. */
  readonly maker: Uint8Array;
  /** Whether that connection is gone, has left or asked for it: only such a member may be removed. */
  readonly mayRemove: (handle: string) => boolean;
}

/** Why a commit must not hold, in words for a log line and a test; undefined when it is sound. */
export type CommitFault = string | undefined;

/** Whether the maker's leaf is there and says so: without the maker nobody could unlock the room. */
export function isLocked(leaves: readonly Leaf[], maker: Uint8Array): boolean {
  return leaves.some((leaf) => leaf.isLocking && equal(leaf.signatureKey, maker));
}

/** Judges a commit by rules M16 to M18 and M32 to M34. */
export function judge(change: TreeChange, context: RuleContext): CommitFault {
  if (change.after.some((leaf) => leaf.isLocking && !equal(leaf.signatureKey, context.maker))) {
    return "it locks a room that somebody else made";
  }
  return change.committer === undefined
    ? judgeJoin(change, context)
    : judgeMember(change, change.committer, context);
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  return a === b || equalBytes(a, b);
}

function isSame(a: Leaf, b: Leaf | undefined): boolean {
  return b !== undefined && equal(a.identity, b.identity) && equal(a.signatureKey, b.signatureKey);
}

function byIndex(leaves: readonly Leaf[]): ReadonlyMap<number, Leaf> {
  return new Map(leaves.map((leaf) => [leaf.index, leaf]));
}

function judgeMember(change: TreeChange, committer: number, context: RuleContext): CommitFault {
  const before = byIndex(change.before);
  const after = byIndex(change.after);
  if (!after.has(committer)) return "it removes its own sender";
  for (const leaf of change.after) {
    const former = before.get(leaf.index);
    if (former === undefined) return "it adds a member";
    if (!leaf.isPlain) return "it gives a member something that others do not have";
    if (isSame(leaf, former) && leaf.isLocking === former.isLocking) continue;
    if (leaf.index !== committer) return "it gives a member another name or key";
    const fault = judgeOwnLeaf(leaf, former, change, context);
    if (fault !== undefined) return fault;
  }
  const removed = change.before.filter(({ index }) => !after.has(index));
  return change.kicks === 0
    ? judgeRemovals(removed, context)
    : judgeKick(removed, before.get(committer), change, context);
}

/** A member may take another name, and nothing else of who it is. */
function judgeOwnLeaf(
  leaf: Leaf,
  former: Leaf,
  { after }: TreeChange,
  { personOf }: RuleContext,
): CommitFault {
  const person = personOf(leaf);
  if (person === undefined) return "its credential was not made with the link";
  const isOneself = equal(leaf.signatureKey, former.signatureKey) &&
    person.handle === personOf(former)?.handle;
  if (!isOneself) return "it gives its sender another key or connection";
  const key = nameKey(person.name);
  const isTaken = after.some((other) =>
    other.index !== leaf.index && nameKey(personOf(other)?.name ?? "") === key
  );
  return isTaken ? "its name is taken" : undefined;
}

function judgeRemovals(
  removed: readonly Leaf[],
  { personOf, mayRemove }: RuleContext,
): CommitFault {
  const isAllowed = removed.map(personOf)
    .every((person) => person !== undefined && mayRemove(person.handle));
  return isAllowed ? undefined : "it removes a member who is here";
}

// A kick says of itself that it is one: else a relay that lies that somebody is gone could have the maker remove them.
function judgeKick(
  removed: readonly Leaf[],
  committer: Leaf | undefined,
  { kicks }: TreeChange,
  { maker }: RuleContext,
): CommitFault {
  if (committer === undefined || !equal(committer.signatureKey, maker)) {
    return "only the maker of the room may remove others";
  }
  return kicks === 1 && removed.length === 1 ? undefined : "it does not remove exactly one member";
}

function judgeJoin(change: TreeChange, { personOf, maker }: RuleContext): CommitFault {
  const before = byIndex(change.before);
  const after = byIndex(change.after);
  // By the node itself: a newcomer may take the very place of the leaf that it replaces, and look the same.
  const fresh = change.after.filter(({ index, node }) => node !== before.get(index)?.node);
  const [joined] = fresh;
  if (joined === undefined || fresh.length > 1) return "it does not add exactly one member";
  const removed = change.before.filter(({ index }) => index === joined.index || !after.has(index));
  const fault = judgeNewcomer(joined, change, personOf) ?? judgeReplaced(joined, removed);
  if (fault !== undefined || removed.length > 0) return fault;
  return isLocked(change.before, maker) ? "the room is locked" : undefined;
}

function judgeNewcomer(
  joined: Leaf,
  change: TreeChange,
  personOf: RuleContext["personOf"],
): CommitFault {
  const person = personOf(joined);
  if (person === undefined) return "its credential was not made with the link";
  if (!joined.isPlain) return "it brings something that others do not have";
  if (person.handle !== change.from) return "it came over another connection than it says";
  if (change.after.length > SEALED_MEMBERS_MAX) {
    return `it makes more than ${SEALED_MEMBERS_MAX} members`;
  }
  const key = nameKey(person.name);
  const others = change.after.filter(({ index }) => index !== joined.index);
  for (const other of others) {
    const { name, handle } = personOf(other) ?? {};
    if (name !== undefined && nameKey(name) === key) return "its name is taken";
    if (handle === person.handle) return "its connection has a member already";
  }
  return undefined;
}

function judgeReplaced(joined: Leaf, removed: readonly Leaf[]): CommitFault {
  const [former] = removed;
  if (removed.length > 1) return "it removes several members";
  if (former !== undefined && !isSame(joined, former)) return "it removes somebody else";
  return undefined;
}

/** What an own commit does, beside renewing the own keys. */
export interface CommitIntent {
  /** Leaves to be removed. */
  readonly removed?: readonly number[];
  /** The removal is a kick, for this reason. */
  readonly kick?: string;
  /** The own name from now on. */
  readonly name?: string;
  /** Whether the room is locked from now on. */
  readonly locked?: boolean;
}
