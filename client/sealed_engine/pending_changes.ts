// Changes of the group that the user wants: who made the room removes somebody or locks it, anybody takes another name.
// A commit may lose its race, so each is tried until it holds.

import { toHex } from "#platform/bytes.ts";
import { nameInSentence, nameKey } from "../../shared/text/names.ts";
import type { SealedGroup } from "../mls/group.ts";
import type { CommitIntent } from "../mls/commit_rules.ts";
import type { MemberState } from "./member_state.ts";

/** One change. */
export type PendingChange =
  | { readonly kind: "kick"; readonly handle: string; readonly reason: string }
  | { readonly kind: "lock"; readonly locked: boolean }
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

/** The changes that a member wants. */
export class PendingChanges {
  readonly #state: MemberState;
  #wanted: readonly Wanted[] = [];
  /** Keys that we removed: whoever holds one of them has not understood that, and is removed again. */
  readonly #kicked = new Set<string>();
  /** Handles that the relay asks this member to remove. */
  readonly #toEvict = new Set<string>();
  #wasLocked = false;

  constructor(state: MemberState) {
    this.#state = state;
  }

  /** Takes a change; its request is answered when it holds, or cannot. */
  async want(change: PendingChange, request: number): Promise<void> {
    const why = this.#objection(change);
    if (why !== undefined) {
      return this.#state.options.tell({ kind: "declined", request, why: `Not done: ${why}.` });
    }
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
    await this.#kickAgain(group);
  }

  /** An epoch has begun: tells who is locked out now, and takes over what we are in it. */
  afterEpoch(): void {
    const state = this.#state;
    const { group } = state;
    if (group === undefined) return;
    const own = group.members.find(({ leaf }) => leaf === group.ownLeaf);
    const isMaker = group.maker?.leaf === group.ownLeaf;
    state.beginEpoch({
      name: own?.name ?? state.identity.me.name,
      isLocking: isMaker && group.isLocked,
    });
    if (group.isLocked === this.#wasLocked) return;
    this.#wasLocked = group.isLocked;
    const { maker } = group;
    if (maker === undefined) return state.note("info", OPEN_AGAIN);
    state.options.tell({
      kind: "moderated",
      what: group.isLocked ? "lock" : "unlock",
      reason: "",
      client: state.people.numberOf(maker.handle),
      name: maker.name,
      whom: 0,
      whomName: "",
    });
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
    const { maker } = group;
    if (maker === undefined) return "the maker of this room has left, and nobody else can";
    if (maker.leaf !== group.ownLeaf) {
      return `only ${nameInSentence(maker.name)}, the maker of this room, can do that`;
    }
    if (change.kind === "lock") return undefined;
    if (change.handle === identity.me.handle) return "that is you; /leave is the way out";
    const isHere = group.members.some(({ handle }) => handle === change.handle);
    return isHere ? undefined : "that person is no longer in the room";
  }

  #stepTo(change: PendingChange, group: SealedGroup): Step {
    const { members, ownLeaf } = group;
    switch (change.kind) {
      case "kick": {
        const whom = members.find(({ handle }) => handle === change.handle);
        if (whom === undefined) return HOLDS;
        this.#kicked.add(keyOf(whom.signatureKey));
        return { kind: "commit", intent: { removed: [whom.leaf], kick: change.reason } };
      }
      case "lock":
        return group.isLocked === change.locked
          ? HOLDS
          : { kind: "commit", intent: { locked: change.locked } };
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

  async #kickAgain(group: SealedGroup): Promise<void> {
    if (group.maker?.leaf !== group.ownLeaf) return;
    const back = group.members.find(({ signatureKey }) => this.#kicked.has(keyOf(signatureKey)));
    if (back !== undefined) await this.#state.commit({ removed: [back.leaf], kick: "" });
  }
}

const OPEN_AGAIN = "The room is no longer locked: its maker left.";

function keyOf(signatureKey: Uint8Array): string {
  return toHex(signatureKey);
}
