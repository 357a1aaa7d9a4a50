// The members of a sealed room's group, as the members themselves say: each commit comes with the handles of all
// leaves, and members check the list as they check the commit, and vote. So nobody becomes a member by only claiming
// it.
//
// The contract:
// 1. A connection enters the list by its own commit alone, and then the list is the one before and itself.
// 2. A member's commit can shorten the list, and add nobody.
// 3. A commit that is voided leaves the list as it was before it.
// 4. When nobody can enter the current epoch, the last list counts to which more than half of the list before it had
// agreed: a few members who are alone for a moment cannot take the room from the others.

import { SEALED_MEMBERS_MAX } from "../../shared/base/limits.ts";
import type { RosterClaim } from "../../shared/messages/roster_digest.ts";
import { type HandleKey, handleKey, handleOf, type Seat } from "./seat.ts";

/** What a commit made of the list, and what was there before. */
export interface RosterChange {
  readonly before: Standing;
  readonly after: Standing;
  /** Members with a connection whom it removed. */
  readonly removed: readonly HandleKey[];
}

interface Standing {
  readonly members: ReadonlySet<HandleKey>;
  readonly elders: ReadonlySet<HandleKey>;
  readonly isLocked: boolean;
}

/** What the next process must know of a roster: keys of handles. */
export interface RosterSnapshot {
  readonly members: readonly HandleKey[];
  readonly elders: readonly HandleKey[];
  readonly removed: readonly HandleKey[];
  readonly locked: boolean;
}

// New handles cost nothing, so a removed handle that is forgotten here is no more than anybody with the link.
const REMOVED_KEPT = 1_000;

const NOBODY: Standing = { members: new Set(), elders: new Set(), isLocked: false };

/** The members of one room. */
export class Roster {
  #standing = NOBODY;
  /** Handles that were removed while connected: a new handle may enter, these may not. */
  readonly #removed = new Set<HandleKey>();
  readonly #failed = new Set<Seat>();

  /** Whether that handle is a leaf of the group. */
  has(key: HandleKey): boolean {
    return this.#standing.members.has(key);
  }

  /** Whether that handle was removed while it was connected. */
  wasRemoved(key: HandleKey): boolean {
    return this.#removed.has(key);
  }

  /** Whether the list has no place for that seat. */
  isFullFor({ key }: Seat): boolean {
    return this.size >= SEALED_MEMBERS_MAX && !this.has(key);
  }

  /** Whether the room takes nobody who is not in the list. */
  get isLocked(): boolean {
    return this.#standing.isLocked;
  }

  /** The handles of all members. */
  get handles(): Uint8Array[] {
    return Array.from(this.#standing.members, handleOf);
  }

  /** Number of members. */
  get size(): number {
    return this.#standing.members.size;
  }

  /** What the next process must know. */
  get state(): RosterSnapshot {
    const { members, elders, isLocked } = this.#standing;
    return {
      members: [...members],
      elders: [...elders],
      removed: [...this.#removed],
      locked: isLocked,
    };
  }

  /** Takes over what another process knew. */
  restore({ members, elders, removed, locked }: RosterSnapshot): void {
    this.#standing = { members: new Set(members), elders: new Set(elders), isLocked: locked };
    for (const key of removed) this.#removed.add(key);
  }

  /** A group begins with these members. */
  begin(handles: readonly Uint8Array[]): void {
    const members = new Set(handles.map(handleKey));
    this.#standing = { members, elders: members, isLocked: false };
    this.#failed.clear();
  }

  /** Whether a commit of that seat may make the list this one (rules 1 and 2). */
  allows(seat: Seat, { members }: RosterClaim): boolean {
    const keys = new Set(members.map(handleKey));
    if (keys.size !== members.length || !keys.has(seat.key)) return false;
    const { members: before } = this.#standing;
    if (!before.has(seat.key)) return keys.size === before.size + 1 && before.isSubsetOf(keys);
    return keys.isSubsetOf(before);
  }

  /** A commit was ordered. `connected`: who of the list before it has a connection. */
  take(claim: RosterClaim, connected: readonly Seat[]): RosterChange {
    const before = this.#standing;
    const members = new Set(claim.members.map(handleKey));
    const after = { members, elders: before.elders, isLocked: claim.locked };
    const removed = connected.map(({ key }) => key).filter((key) => !members.has(key));
    this.#standing = after;
    for (const key of removed) this.#removed.add(key);
    while (this.#removed.size > REMOVED_KEPT) {
      this.#removed.delete(this.#removed.values().next().value as HandleKey);
    }
    this.#failed.clear();
    return { before, after, removed };
  }

  /** More than half of the list before have agreed to that commit: it is the list by which those count (rule 4). */
  agree({ after: { members } }: RosterChange): void {
    this.#standing = { ...this.#standing, elders: members };
  }

  /** That commit is void, and so are all after it. */
  undo({ before, removed }: RosterChange): void {
    this.#standing = before;
    for (const key of removed) this.#removed.delete(key);
  }

  /**
   * Nobody could let that seat into the current epoch. True where most of `connected` could not enter: nobody has the
   * epoch. `isUnsettled`: the relay has lost the list, and all who say that they are members count.
   */
  isLostBy(seat: Seat, connected: readonly Seat[], isUnsettled: boolean): boolean {
    const counts = ({ key, claimsMembership }: Seat): boolean =>
      isUnsettled ? claimsMembership : this.#standing.elders.has(key);
    if (!counts(seat)) return false;
    this.#failed.add(seat);
    const voters = connected.filter(counts);
    const failed = voters.filter((voter) => this.#failed.has(voter)).length;
    // One alone does not decide it: it may be a former member while the others are away for a moment.
    return failed >= 2 && failed * 2 > voters.length;
  }

  /** The members that could not enter, and go on with the group. */
  takeFailed(): HandleKey[] {
    const keys = Array.from(this.#failed, ({ key }) => key);
    this.#failed.clear();
    return keys;
  }

  /** The room has no group. */
  clear(): void {
    this.#standing = NOBODY;
    this.#failed.clear();
  }
}
