// The way into a sealed room and back into it (docs/PROTOCOL.md §11.4): attach, create or join by an external commit,
// bring the room back after a restart of the relay, enter again where the own view leads nowhere.

import { equalBytes, fromHex, toHex } from "#platform/bytes.ts";
import { quote } from "../../shared/base/sanitize.ts";
import { nameInSentence, nameKey, nextFreeName } from "../../shared/text/names.ts";
import {
  digestOf,
  type GroupIdentity,
  type GroupInvitation,
  join,
  type Joining,
  readInvitation,
} from "../mls/joining.ts";
import { SealedGroup } from "../mls/group.ts";
import { changeOf } from "../mls/group_outcome.ts";
import type { RelayEvent } from "./engine_protocol.ts";
import { type MemberState, newId } from "./member_state.ts";
import type { PendingChanges } from "./pending_changes.ts";
import { attachProofs } from "../mls/room_keys.ts";

/** The relay could not let us in: asked again after this. */
const RETRY_MS = 3_000;
/** A turn to enter may be long in coming where many wait; an answer that has not come by then is lost. */
const TURN_MS = 120_000;
/** An own joining commit that has not come back: the relay asks up to 200 members about it, in waves of 2 s. */
const ENTER_MS = 20_000;
/** A frame that was said to follow and has not come for this long will not come. */
const CATCH_UP_MS = 10_000;
/** Without a confirmation for this long, the user is told so. */
const CONFIRM_MS = 10_000;
const UNUSABLE_INFOS_MAX = 3;
/** A member who could not come back so often is told what helps. */
const IN_VAIN_TOLD = 4;
const BACK_IN_VAIN = "Nobody can let you back into the room. If the others read this too, all of " +
  "you have to leave it and join again by its link.";
/** Whom the relay has put out may attach again after 10 s, and twice as long each further time. */
const PUT_OUT_MS = 12_000;
const PUT_OUT_MAX = 5;

const LOCKED_TEXT =
  "The room is locked: nobody can join. Join again by its link when it is unlocked.";

/** How this member gets in. */
export class Entry {
  readonly #state: MemberState;
  readonly #changes: PendingChanges;
  #joining: Joining | undefined;
  #challenge: Uint8Array | undefined;
  #putOut = 0;
  #comeAgainAt = Infinity;
  #keptOutWhy = "";
  #unusable = 0;
  #inVain = 0;
  #wasReset = false;
  #isUnusableTold = false;
  #retryAt = Infinity;
  #catchUpTo = 0;
  #catchUpEpoch = 0;
  #catchUpUntil = Infinity;
  #isLossy = false;
  /** Until when somebody should have answered our hello. */
  #hello: { at: number } | undefined;
  /** Of the last hello that we said. */
  helloId = "";

  constructor(state: MemberState, changes: PendingChanges) {
    this.#state = state;
    this.#changes = changes;
  }

  /** A connection to the relay is open. */
  attach(challenge: Uint8Array): void {
    const state = this.#state;
    const { keys } = state.identity;
    state.forgetAsks();
    this.#challenge = challenge;
    this.#comeAgainAt = Infinity;
    state.moveTo("entering");
    this.#joining = undefined;
    state.options.send({
      kind: "sealed_attach",
      ask: state.ask("attach"),
      rid: keys.rid,
      ...attachProofs(keys, { handleKeys: state.handleKeys, challenge }),
      seq: state.group?.sequence ?? 0,
      epoch: state.group?.epoch ?? 0,
      member: state.group !== undefined,
    });
    state.showStatus();
  }

  /** The connection is lost. */
  detach(): void {
    this.#state.moveTo("offline");
    this.#joining = undefined;
    this.#retryAt = Infinity;
    this.#comeAgainAt = Infinity;
    this.#state.showStatus();
  }

  /** The relay does not let us in, or has put us out: after a commit that others found unsound, by mistake or not. */
  keptOut(why: string): void {
    const state = this.#state;
    state.moveTo("out");
    // It may say so at each attempt, with another number of seconds.
    const reason = why.replace(/\d+/g, "");
    if (reason !== this.#keptOutWhy) {
      this.#keptOutWhy = reason;
      const text = `The server does not let you into the sealed room: ${why}`;
      // A member comes back after a while.
      if (state.group !== undefined) state.note("warning", text);
      else state.options.tell({ kind: "shut", text, why: `the server says ${quote(why, 200)}` });
    }
    if (++this.#putOut <= PUT_OUT_MAX) {
      this.#comeAgainAt = state.options.now() + PUT_OUT_MS * 2 ** (this.#putOut - 1);
    }
    state.showStatus();
  }

  /** Lets time pass. */
  tick(now: number): void {
    if (this.#state.phase === "entering" && now >= this.#retryAt) this.#join(false);
    if (this.#state.phase === "catching up" && now >= this.#catchUpUntil) this.resync();
    if (now >= this.#comeAgainAt && this.#challenge !== undefined) this.attach(this.#challenge);
    if (this.#state.phase !== "in" || this.#hello === undefined || now < this.#hello.at) return;
    this.#hello.at = Infinity;
    this.#state.note(
      "warning",
      "Nobody has confirmed you yet: the server may be showing you an old room.",
    );
  }

  /** A member has sent something in our epoch: it sees us, and this is no old room. */
  seenBy(name: string): void {
    if (this.#state.isConfirmed) return;
    this.#hello = undefined;
    this.#state.confirm();
    this.#state.note("info", `${nameInSentence(name)} confirms that you are in the room.`);
    this.#state.showStatus();
  }

  /** The own state leads nowhere: enters again, in place of the own former leaf. */
  resync(): void {
    this.#state.note("warning", "The room continued without you; you are rejoining it.");
    this.#join(false);
    this.#state.showStatus();
  }

  /** The relay has attached us, or tells again where the room is. */
  async attached(event: RelayEvent<"sealed_attached">): Promise<void> {
    const state = this.#state;
    if (event.ask !== 0 && state.answered(event.ask) !== "attach") return;
    state.numberRoom(event.room);
    const here = event.members.filter(([, isHere]) => isHere);
    state.people.replaceHere(here.map(([handle]) => toHex(handle)));
    const { group } = state;
    if (group === undefined) return this.#join(false);
    if (event.missing === "epochs" || group.epoch > event.epoch) return this.resync();
    await this.#catchUp(event, { isLossy: event.missing === "messages" });
  }

  async #catchUp(
    { seq, epoch }: { readonly seq: number; readonly epoch: number },
    { isLossy }: { readonly isLossy: boolean },
  ): Promise<void> {
    const { group } = this.#state;
    if (group === undefined) return;
    if (group.sequence > seq) this.#relayForgot(seq);
    this.#isLossy = isLossy;
    this.#catchUpTo = seq;
    this.#catchUpEpoch = epoch;
    this.#state.moveTo("catching up");
    this.#catchUpUntil = this.#state.options.now() + CATCH_UP_MS;
    if (group.sequence >= seq) await this.#settle();
    else this.#state.showStatus();
  }

  /** The relay lost its memory, and was told by somebody who had seen less: what we said behind that, we say again. */
  #relayForgot(seq: number): void {
    const state = this.#state;
    state.group?.skipTo(seq + 1);
    state.own.voidedAfter(seq);
    state.note(
      "warning",
      "The server has forgotten the end of this room; what you said there is sent again.",
    );
  }

  /** There is no group: makes one, or brings ours back. */
  none(event: RelayEvent<"sealed_none">): void {
    const state = this.#state;
    state.answered(event.ask);
    state.numberRoom(event.room);
    // Nobody asked: most members could not come into the epoch where the room was led.
    this.#wasReset = event.ask === 0;
    const { epoch = 0, sequence: seq = 0 } = state.group ?? {};
    const ask = state.ask(state.group === undefined ? "create" : "bring back");
    // Of those who do not come back with us, the relay knows by this that their time runs.
    const handles = state.group?.members.map(({ handle }) => fromHex(handle)) ?? [];
    state.options.send({ kind: "sealed_create", ask, room: state.room, epoch, seq, handles });
  }

  /** The relay has the group that we made or brought. */
  async created(wasThere: boolean): Promise<void> {
    const state = this.#state;
    if (!wasThere) {
      state.made(await SealedGroup.create(state.identity, 0));
    }
    const { sequence: seq = 0, epoch = 0 } = state.group ?? {};
    await this.#catchUp({ seq, epoch }, { isLossy: false });
    if (!wasThere) return;
    state.note(
      "info",
      this.#wasReset
        ? "Most members could not follow the last change; the room continues from before it."
        : "The server was restarted; the room continues.",
    );
    // A new epoch gives everybody one order again, whatever the server forgot.
    await state.commit();
  }

  /** Somebody was faster with a group. */
  async createConflict(event: RelayEvent<"sealed_conflict">): Promise<void> {
    const { group } = this.#state;
    if (group === undefined) return this.#join(false);
    if (group.epoch !== event.epoch) return this.resync();
    await this.#catchUp(event, { isLossy: true });
  }

  /** The relay cannot do it now, and says why where it was asked. */
  retryLater(why?: string): void {
    this.#joining = undefined;
    this.#state.moveTo("entering");
    this.#retryAt = this.#state.options.now() + RETRY_MS;
    const isBack = this.#state.group !== undefined;
    const said = why && `Not in the room yet: the server says ${quote(why, 200)}; trying again`;
    const text = isBack ? BACK_IN_VAIN : said;
    if (++this.#inVain !== (isBack ? IN_VAIN_TOLD : 1) || text === undefined) return;
    this.#state.note("warning", text);
  }

  /** The race to enter was lost: the next GroupInfo. */
  enterAgain(): void {
    this.#join(false);
  }

  /** A GroupInfo: makes the commit by which we enter. */
  async enter(event: RelayEvent<"sealed_group_info">): Promise<void> {
    const state = this.#state;
    if (state.answered(event.ask) !== "join") return;
    const joining = await this.#makeJoining(event);
    if (joining === undefined) return;
    this.#joining = joining;
    this.#retryAt = state.options.now() + ENTER_MS;
    const { epoch, body, roster } = joining;
    const ask = state.ask("enter");
    state.options.send({
      kind: "sealed_commit",
      ask,
      room: state.room,
      epoch,
      ...roster,
      body,
    });
  }

  async #makeJoining({ epoch, body }: RelayEvent<"sealed_group_info">): Promise<
    Joining | undefined
  > {
    const { identity } = this.#state;
    try {
      const invitation = readInvitation(identity.keys, body);
      if (invitation.epoch !== epoch) throw new Error("another epoch");
      if (this.#isLockedOut(invitation)) return this.#stayOut();
      const me = this.#personIn(invitation);
      const joining = await join({ ...identity, me }, invitation);
      this.#unusable = 0;
      this.#isUnusableTold = false;
      return joining;
    } catch {
      // Whatever is wrong with it: somebody else may hand out a better one.
      return this.#unusableInfo();
    }
  }

  #unusableInfo(): undefined {
    const state = this.#state;
    if (++this.#unusable < UNUSABLE_INFOS_MAX) {
      this.#join(true);
      return;
    }
    this.#unusable = 0;
    this.retryLater();
    if (this.#isUnusableTold) return;
    this.#isUnusableTold = true;
    state.note("danger", "What the server sends as this room does not belong to it: trying again.");
  }

  /** Whoever has a leaf may come back to it. */
  #isLockedOut({ locked, members }: GroupInvitation): boolean {
    const { identity } = this.#state;
    return locked && !members.some(({ signatureKey }) => isOwnKey(identity, signatureKey));
  }

  #stayOut(): undefined {
    const state = this.#state;
    state.options.send({ kind: "sealed_leave", ask: state.ask("other"), room: state.room });
    state.moveTo("out");
    state.options.tell({ kind: "shut", text: LOCKED_TEXT, why: "it is locked" });
    state.showStatus();
  }

  /** Who we are there: with a name that nobody else has. */
  #personIn({ members }: GroupInvitation) {
    const { identity } = this.#state;
    const { me } = identity;
    const former = members.find(({ signatureKey }) => isOwnKey(identity, signatureKey));
    // A member that replaces its own leaf keeps the name that it has there.
    if (former !== undefined) return { ...me, name: former.name };
    const taken = new Set(members.map(({ name }) => nameKey(name)));
    return { ...me, name: nextFreeName(me.name, (key) => taken.has(key)) };
  }

  /** Whether that frame is our own way in; if it is, we are a member from it on. */
  async takeEntrance(seq: number, body: Uint8Array): Promise<boolean> {
    const state = this.#state;
    const joining = this.#joining;
    if (joining === undefined || digestOf(body) !== joining.digest) return false;
    this.#joining = undefined;
    this.#retryAt = Infinity;
    const { name } = joining.identity.me;
    if (name !== state.identity.me.name) {
      state.note("info", `Your name is taken here: you are ${nameInSentence(name)}.`);
    }
    const before = state.group?.members;
    const group = await SealedGroup.joined(joining, seq);
    state.cameInto(group, joining.identity);
    if (before !== undefined) state.tellChange(changeOf(before, group.members));
    this.#hello = { at: state.options.now() + CONFIRM_MS };
    const id = newId();
    this.helloId = toHex(id);
    state.own.add({ kind: "hello", id });
    await this.#catchUp({ seq, epoch: group.epoch }, { isLossy: false });
    return true;
  }

  /** Whether frames are for us: not while we have no group, or wait to enter again. */
  get isReading(): boolean {
    return this.#state.phase === "in" || this.#state.phase === "catching up";
  }

  /** Frames before that one may be missing, and the relay said so. */
  skipLost(seq: number): void {
    const { group } = this.#state;
    if (this.#isLossy && group !== undefined && seq > group.sequence + 1) {
      group.skipTo(seq);
      this.#state.note("warning", "Some of what was said while you were away is lost.");
    }
    if (seq > this.#catchUpTo) this.#isLossy = false;
  }

  /** A frame was read: perhaps it was the last that was missing. */
  async afterFrame(seq: number): Promise<void> {
    if (this.#state.phase !== "catching up") return;
    this.#catchUpUntil = this.#state.options.now() + CATCH_UP_MS;
    if (seq >= this.#catchUpTo) await this.#settle();
  }

  /** Everything that was missed has been read. */
  async #settle(): Promise<void> {
    const state = this.#state;
    if (state.group?.epoch !== this.#catchUpEpoch) return this.resync();
    this.#inVain = 0;
    this.#keptOutWhy = "";
    state.moveTo("in");
    // What was sent over the lost connection and has not come back by now never will.
    state.own.retryAll();
    state.abandonCommit();
    for (const member of state.group?.members ?? []) state.meet(member);
    state.showStatus();
    await state.flush();
    await this.#changes.evict();
  }

  #join(fresh: boolean): void {
    const state = this.#state;
    state.moveTo("entering");
    this.#joining = undefined;
    this.#retryAt = state.options.now() + TURN_MS;
    const ask = state.ask("join");
    state.options.send({ kind: "sealed_join", ask, room: state.room, fresh });
  }
}

function isOwnKey({ signature }: GroupIdentity, key: Uint8Array): boolean {
  return equalBytes(signature.publicKey, key);
}
