// What a client enforces beyond the group library (docs/PROTOCOL.md §11.5): the tree before a commit against the tree
// after it, whatever the commit says it does.

import { equalBytes } from "#platform/bytes.ts";
import { SEALED_MEMBERS_MAX } from "../../shared/base/limits.ts";
import { nameKey } from "../../shared/text/names.ts";
import type { CredentialSubject } from "./credential.ts";
import type { Leaf, Rights } from "./leaf.ts";

export type { Rights };

/** A leaf whose credential holds. */
export interface GroupMember extends CredentialSubject {
  readonly leaf: number;
  readonly signatureKey: Uint8Array;
}

/** What a commit made of a tree. */
export interface TreeChange {
  readonly before: readonly Leaf[];
  readonly after: readonly Leaf[];
  /** Who may do what before it and after it. */
  readonly rights: Rights;
  readonly newRights: Rights;
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
  /** Whether that connection is gone, has left or asked for it: only such a member may be removed. */
  readonly mayRemove: (handle: string) => boolean;
}

/** Why a commit must not hold, in words for a log line and a test; undefined when it is sound. */
export type CommitFault = string | undefined;

/** Whether the holder of a signature key is an op of the room. */
export function isOp({ ops }: Rights, key: Uint8Array): boolean {
  return ops.some((op) => equal(key, op));
}

/** The ops who are in a group. */
export function opsOf(
  group: { readonly members: readonly GroupMember[]; readonly rights: Rights } | undefined,
): readonly GroupMember[] {
  return group?.members.filter(({ signatureKey }) => isOp(group.rights, signatureKey)) ?? [];
}

/** Whether the holder of a signature key moderates the room: its maker, or an op. */
export function moderates(rights: Rights, key: Uint8Array): boolean {
  return equal(key, rights.maker) || isOp(rights, key);
}

/** Whether nobody comes in: without somebody who moderates, nobody could unlock the room. */
export function isLocked(leaves: readonly Leaf[], rights: Rights): boolean {
  return rights.locked && leaves.some(({ signatureKey }) => moderates(rights, signatureKey));
}

/** Judges a commit by rules M16 to M18 and M32 to M34. */
export function judge(change: TreeChange, context: RuleContext): CommitFault {
  const { committer } = change;
  const by = change.before.find(({ index }) => index === committer)?.signatureKey;
  const fault = judgeRights(change, by);
  if (fault !== undefined) return fault;
  return committer === undefined
    ? judgeJoin(change, context)
    : judgeMember(change, committer, context);
}

/** Nobody takes a room from its maker; the maker makes ops, and an op may stop being one; all of them lock. */
function judgeRights({ rights, newRights }: TreeChange, by: Uint8Array | undefined): CommitFault {
  if (!equal(rights.maker, newRights.maker)) return "it says that somebody else made the room";
  const has = (list: readonly Uint8Array[], key: Uint8Array) => list.some((op) => equal(op, key));
  const changed = [
    ...rights.ops.filter((op) => !has(newRights.ops, op)),
    ...newRights.ops.filter((op) => !has(rights.ops, op)),
  ];
  const isMaker = by !== undefined && equal(by, rights.maker);
  const isOwnStep = by !== undefined && changed.every((op) => equal(op, by) && has(rights.ops, op));
  if (!isMaker && changed.length > 0 && !isOwnStep) return "only the maker of the room makes ops";
  const mayLock = by !== undefined && moderates(rights, by);
  return rights.locked !== newRights.locked && !mayLock
    ? "it locks a room that its sender does not moderate"
    : undefined;
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
    if (isSame(leaf, former)) continue;
    if (leaf.index !== committer) return "it gives a member another name or key";
    const fault = judgeOwnLeaf(leaf, former, change, context);
    if (fault !== undefined) return fault;
  }
  const removed = change.before.filter(({ index }) => !after.has(index));
  return change.kicks === 0
    ? judgeRemovals(removed, context)
    : judgeKick(removed, before.get(committer), change);
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
  if (!isSameDevice(person, personOf(former))) return "it gives its sender another device key";
  const key = nameKey(person.name);
  const isTaken = after.some((other) =>
    other.index !== leaf.index && nameKey(personOf(other)?.name ?? "") === key
  );
  return isTaken ? "its name is taken" : undefined;
}

/** A member keeps its key, or its lack of one, until it leaves: alarms are about members that come. */
function isSameDevice(a: CredentialSubject, b: CredentialSubject | undefined): boolean {
  if (a.device === undefined || b?.device === undefined) return a.device === b?.device;
  return equal(a.device.key, b.device.key);
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
  { kicks, rights }: TreeChange,
): CommitFault {
  if (committer === undefined || !moderates(rights, committer.signatureKey)) {
    return "only the maker of the room and its ops may remove others";
  }
  const isMaker = equal(committer.signatureKey, rights.maker);
  if (!isMaker && removed.some(({ signatureKey }) => moderates(rights, signatureKey))) {
    return "an op removes nobody who moderates the room";
  }
  return kicks === 1 && removed.length === 1 ? undefined : "it does not remove exactly one member";
}

function judgeJoin(change: TreeChange, { personOf }: RuleContext): CommitFault {
  const before = byIndex(change.before);
  const after = byIndex(change.after);
  // By the node itself: a newcomer may take the very place of the leaf that it replaces, and look the same.
  const fresh = change.after.filter(({ index, node }) => node !== before.get(index)?.node);
  const [joined] = fresh;
  if (joined === undefined || fresh.length > 1) return "it does not add exactly one member";
  const removed = change.before.filter(({ index }) => index === joined.index || !after.has(index));
  const fault = judgeNewcomer(joined, change, personOf) ?? judgeReplaced(joined, removed);
  if (fault !== undefined || removed.length > 0) return fault;
  return isLocked(change.before, change.rights) ? "the room is locked" : undefined;
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
  /** Who may do what from now on; then nothing else. */
  readonly rights?: Rights;
}
