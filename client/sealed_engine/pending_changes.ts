// Changes of the group that the user wants: who moderates the room removes somebody or locks it, its maker makes ops,
// anybody takes another name.
// A commit may lose its race, so each is tried until it holds.

import { equalBytes, toHex } from "#platform/bytes.ts";
import { OPS_MAX } from "../../shared/base/limits.ts";
import { nameInSentence, nameKey } from "../../shared/text/names.ts";
import type { SealedGroup } from "../mls/group.ts";
import {
  type CommitIntent,
  type GroupMember,
  isOp,
  moderates,
  opsOf,
  type Rights,
} from "../mls/commit_rules.ts";
import type { SealedRoomEvent } from "./engine_protocol.ts";
import type { MemberState } from "./member_state.ts";

/** One change. */
export type PendingChange =
  | { readonly kind: "kick"; readonly handle: string; readonly reason: string }
  | { readonly kind: "lock"; readonly locked: boolean }
  | { readonly kind: "op"; readonly handle: string; readonly isOp: boolean }
  | { readonly kind: "name"; readonly name: string };

interface Wanted {
  readonly change: PendingChange;
  /** The chat's request. */
  readonly request: number;
}

/** What has to be committed for a change: nothing where it holds, or why it cannot be. */
type Step =
  | { readonly kind: "holds" }
  | { readonly kind: "refused"; readonly why: string }
  | { readonly kind: "commit"; readonly intent: CommitIntent };

const HOLDS: Step = { kind: "holds" };

/** Who may decide what in a group, at one moment. */
interface Standing {
  readonly rights: Rights;
  readonly isLocked: boolean;
  /** Undefined: the maker is not here. */
  readonly maker: GroupMember | undefined;
  /** Those who are here. */
  readonly ops: readonly GroupMember[];
}

/** The changes that a member wants. */
export class PendingChanges {
  readonly #state: MemberState;
  #wanted: readonly Wanted[] = [];
  /** Keys that we removed: whoever holds one of them has not understood that, and is removed again. */
  readonly #kicked = new Set<string>();
  /** Handles that the relay asks this member to remove. */
  readonly #toEvict = new Set<string>();
  /** As it was when we looked last. */
  #seen: Standing | undefined;
  /** What we, who made the room, had decided, and a relay or a former member has undone. */
  #undone: Rights | undefined;

  constructor(state: MemberState) {
    this.#state = state;
  }

  /** Takes a change; its request is answered when it holds, or cannot. */
  async want(change: PendingChange, request: number): Promise<void> {
    const why = this.#objection(change);
    if (why !== undefined) {
      return this.#state.options.tell({ kind: "declined", request, why: `Not done: ${why}.` });
    }
    if (change.kind === "lock" || change.kind === "op") this.#undone = undefined;
    this.#wanted = [...this.#wanted, { change, request }];
    await this.act();
  }

  /** Makes the next pending change, where nothing else is under way. */
  async act(): Promise<void> {
    const { group, phase, options } = this.#state;
    if (phase !== "in" || group === undefined || group.isCommitting) return;
    for (const { change, request } of this.#wanted) {
      const step = this.#stepTo(change, group);
      if (step.kind === "commit") return await this.#state.commit(step.intent);
      this.#wanted = this.#wanted.filter((other) => other.change !== change);
      if (step.kind === "holds") options.tell({ kind: "done", request });
      else options.tell({ kind: "declined", request, why: `Not done: ${step.why}.` });
    }
    await this.#decideAgain(group);
  }

  /**
   * An epoch has begun: tells what was decided in it, and takes over what we are there. `by`: whose commit it was;
   * undefined where we came into it, or were led back.
   */
  afterEpoch(by?: GroupMember): void {
    const state = this.#state;
    const { group } = state;
    if (group === undefined) return;
    const own = group.members.find(({ leaf }) => leaf === group.ownLeaf);
    state.beginEpoch(own?.name ?? state.identity.me.name);
    const seen = this.#seen;
    const { rights, isLocked, maker } = group;
    const isMaker = maker?.leaf === group.ownLeaf;
    // A lock that others took off meanwhile is on again as well: it is the safe side.
    if (by === undefined && isMaker) this.#undone ??= seen?.rights;
    this.#seen = { rights, isLocked, maker, ops: opsOf(group) };
    this.#tellRights(group, { by, seen });
    if (seen !== undefined) this.#tellMakers(seen, this.#seen);
  }

  #tellRights(
    { members, rights, isLocked }: SealedGroup,
    { by, seen }: {
      readonly by: GroupMember | undefined;
      readonly seen: Standing | undefined;
    },
  ): void {
    const state = this.#state;
    const wasLocked = seen?.isLocked ?? false;
    for (const member of by === undefined || seen === undefined ? [] : members) {
      const [was, is] = [seen?.rights ?? rights, rights].map((each) =>
        isOp(each, member.signatureKey)
      );
      if (was !== is && by !== undefined) {
        tellDecision(state, is ? "op" : "deop", { by, whom: member });
      }
    }
    if (isLocked === wasLocked) return;
    if (by !== undefined && seen !== undefined && seen.rights.locked !== rights.locked) {
      return tellDecision(state, isLocked ? "lock" : "unlock", { by });
    }
    state.note("info", isLocked ? LOCKED_NOW : OPEN_AGAIN);
  }

  /** Who made the room has gone or is back: whether somebody can remove others or lock it depends on that. */
  #tellMakers(before: Standing, { maker, ops, isLocked }: Standing): void {
    const hadNobody = before.maker === undefined && before.ops.length === 0;
    // That a lock is over says it already.
    const isTold = before.isLocked && !isLocked;
    if (maker !== undefined) {
      if (before.maker !== undefined) return;
      return this.#state.note(
        "info",
        `${nameInSentence(maker.name)}, who made this room, is back.`,
      );
    }
    if (hadNobody || isTold || (before.maker === undefined && ops.length > 0)) return;
    const left = before.maker &&
      `${nameInSentence(before.maker.name)} made this room and has left: `;
    const whoNow = ops.length === 0 ? "nobody moderates it any more" : `its ops moderate it`;
    this.#state.note("info", left ? `${left}${whoNow}.` : "Nobody moderates this room any more.");
  }

  /** The relay asks for the removal of members; without handles: of those that could not be removed before. */
  async evict(handles: readonly string[] = []): Promise<void> {
    const state = this.#state;
    for (const handle of handles) this.#toEvict.add(handle);
    const members = state.group?.members ?? [];
    const isMember = (handle: string) => members.some((member) => member.handle === handle);
    for (const handle of this.#toEvict) if (!isMember(handle)) this.#toEvict.delete(handle);
    const removed = members.filter(({ handle }) =>
      this.#toEvict.has(handle) && state.mayRemove(handle)
    ).map(({ leaf }) => leaf);
    if (removed.length > 0) await state.commit({ removed });
  }

  /** A member whose connection is back is not to be removed. */
  keep(handle: string): void {
    this.#toEvict.delete(handle);
  }

  #objection(change: PendingChange): string | undefined {
    const { group, identity } = this.#state;
    if (group === undefined) return "you are not in the room yet";
    if (change.kind === "name") return undefined;
    const fault = this.#rightFault(change, group);
    if (fault !== undefined || change.kind === "lock") return fault;
    if (change.kind === "kick" && change.handle === identity.me.handle) {
      return "that is you; /leave is the way out";
    }
    const isHere = group.members.some(({ handle }) => handle === change.handle);
    return isHere ? undefined : "that person is no longer in the room";
  }

  /** Why we may not decide that, whom it may concern. */
  #rightFault(
    change: Exclude<PendingChange, { kind: "name" }>,
    group: SealedGroup,
  ): string | undefined {
    const { rights, maker, members } = group;
    const { identity } = this.#state;
    const own = identity.signature.publicKey;
    const whom = change.kind === "lock"
      ? undefined
      : members.find(({ handle }) => handle === change.handle);
    const isAboutSelf = whom?.handle === identity.me.handle;
    if (change.kind === "op") {
      if (whom === undefined) return "that person is no longer in the room";
      if (change.isOp === moderates(rights, whom.signatureKey)) {
        return change.isOp ? "that member moderates the room already" : NO_OP;
      }
      if (!change.isOp && !isOp(rights, whom.signatureKey)) return NO_OP;
      if (!change.isOp && isAboutSelf) return undefined;
    }
    const isMaker = maker?.handle === identity.me.handle;
    if (isMaker) return undefined;
    if (change.kind === "op") return whoMay(maker, []);
    if (!moderates(rights, own)) return whoMay(maker, opsOf(group));
    const isSafe = whom !== undefined && !isAboutSelf && moderates(rights, whom.signatureKey);
    return isSafe ? "nobody can do that to the maker, and only the maker to an op" : undefined;
  }

  #stepTo(change: PendingChange, group: SealedGroup): Step {
    const { members, ownLeaf } = group;
    // Rights may have changed while it waited: the others would undo what we may not decide, and put us out for it.
    const why = change.kind === "name" ? undefined : this.#rightFault(change, group);
    switch (change.kind) {
      case "kick": {
        const whom = members.find(({ handle }) => handle === change.handle);
        if (whom === undefined) return HOLDS;
        if (why !== undefined) return { kind: "refused", why };
        this.#kicked.add(keyOf(whom.signatureKey));
        return { kind: "commit", intent: { removed: [whom.leaf], kick: change.reason } };
      }
      case "lock":
        if (group.rights.locked === change.locked) return HOLDS;
        return why === undefined
          ? { kind: "commit", intent: { rights: { ...group.rights, locked: change.locked } } }
          : { kind: "refused", why };
      case "op": {
        const whom = members.find(({ handle }) => handle === change.handle);
        if (whom === undefined || isOp(group.rights, whom.signatureKey) === change.isOp) {
          return HOLDS;
        }
        if (why !== undefined) return { kind: "refused", why };
        const others = without(group.rights, whom);
        if (!change.isOp) return { kind: "commit", intent: { rights: others } };
        const ops = [...present(others.ops, group), whom.signatureKey];
        return ops.length > OPS_MAX
          ? { kind: "refused", why: `the room has ${OPS_MAX} ops, the maximum` }
          : { kind: "commit", intent: { rights: { ...others, ops } } };
      }
      case "name": {
        const { name } = change;
        if (members.some((each) => each.leaf === ownLeaf && each.name === name)) return HOLDS;
        const isTaken = members.some((each) =>
          each.leaf !== ownLeaf && nameKey(each.name) === nameKey(name)
        );
        return isTaken
          ? { kind: "refused", why: "somebody here has that name, or one that looks like it" }
          : { kind: "commit", intent: { name } };
      }
    }
  }

  /** Decides again what was undone: who was removed is back, or rights are as they were before. */
  async #decideAgain(group: SealedGroup): Promise<void> {
    const { identity } = this.#state;
    if (!moderates(group.rights, identity.signature.publicKey)) return;
    const isMaker = group.maker?.leaf === group.ownLeaf;
    // Whom the maker has made an op since is not an op's to remove.
    for (const op of isMaker ? [] : opsOf(group)) this.#kicked.delete(keyOf(op.signatureKey));
    const back = group.members.find(({ signatureKey }) => this.#kicked.has(keyOf(signatureKey)));
    if (back !== undefined) return await this.#state.commit({ removed: [back.leaf], kick: "" });
    if (!isMaker) return;
    const { rights } = group;
    const undone = this.#undone ?? rights;
    this.#undone = undefined;
    // Whoever was removed is no op any more.
    const ops = undone.ops.filter((op) => !this.#kicked.has(keyOf(op)));
    const wanted = { ...rights, ops, locked: rights.locked || undone.locked };
    if (!isSame(wanted, rights)) await this.#state.commit({ rights: wanted });
  }
}

function isSame(one: Rights, other: Rights): boolean {
  const keys = ({ ops }: Rights) => ops.map(keyOf).sort().join();
  return keys(one) === keys(other) && one.locked === other.locked;
}

const LOCKED_NOW = "The room is locked: nobody else can come in.";
const OPEN_AGAIN = "The room is no longer locked: nobody moderates it any more.";
const NO_OP = "that member is not an op of this room";

/** Who alone may do what the user may not: the maker, and these ops. */
export function whoMay(maker: GroupMember | undefined, ops: readonly GroupMember[]): string {
  const name = maker && nameInSentence(maker.name);
  if (ops.length === 0) {
    return name === undefined
      ? "the maker of this room has left, and nobody else can"
      : `only ${name}, the maker of this room, can do that`;
  }
  return name === undefined
    ? `only an op of this room can do that: ${ops.map((op) => nameInSentence(op.name)).join(", ")}`
    : `only ${name}, the maker of this room, and its ops can do that`;
}

function keyOf(signatureKey: Uint8Array): string {
  return toHex(signatureKey);
}

function without(rights: Rights, { signatureKey }: GroupMember): Rights {
  return { ...rights, ops: rights.ops.filter((op) => !equalBytes(op, signatureKey)) };
}

/** The ops who are here; where there is room, also those who are gone and may come back. */
function present(ops: readonly Uint8Array[], { members }: SealedGroup): readonly Uint8Array[] {
  return ops.length < OPS_MAX
    ? ops
    : ops.filter((op) => members.some(({ signatureKey }) => equalBytes(op, signatureKey)));
}

/** Tells what somebody who moderates the room has decided, about whom. */
export function tellDecision(
  { people, options }: MemberState,
  what: Extract<SealedRoomEvent, { kind: "moderated" }>["what"],
  { by, whom, reason = "" }: {
    readonly by: GroupMember;
    readonly whom?: GroupMember;
    readonly reason?: string;
  },
): void {
  options.tell({
    kind: "moderated",
    what,
    reason,
    client: people.numberOf(by.handle),
    name: by.name,
    whom: whom === undefined ? 0 : people.numberOf(whom.handle),
    whomName: whom?.name ?? "",
  });
}
