// The way into a sealed room and back into it (docs/PROTOCOL.md §11.4): attach, create or join by an external commit,
// bring the room back after a restart of the relay, enter anew where the own view leads nowhere.

import { Buffer } from "node:buffer";
import { nameKey, nextFreeName } from "../../shared/text/names.ts";
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
import { fromHex, type MemberState, newId, toHex } from "./member_state.ts";
import { attachProof } from "../mls/room_keys.ts";

/** The relay had no place for us: asked again after this. */
const RETRY_MS = 3_000;
/** A turn to enter may be long in coming where many wait; an answer that has not come by then is lost. */
const TURN_MS = 120_000;
/** An own joining commit that has not come back. */
const ENTER_MS = 10_000;
/** A frame that was said to follow and has not come for this long will not come. */
const CATCH_UP_MS = 10_000;
/** Without a confirmation for this long, the user is told so. */
const CONFIRM_MS = 10_000;
const UNUSABLE_INFOS_MAX = 3;
/** A member who could not come back so often is told what helps. */
const IN_VAIN_TOLD = 4;
/** Whom the relay has put out may attach again after 10 s, and twice as long each further time. */
const PUT_OUT_MS = 12_000;
const PUT_OUT_MAX = 5;

/** How this member gets in. */
export class Entry {
  readonly #core: MemberState;
  #joining: Joining | undefined;
  #challenge: Uint8Array | undefined;
  #putOut = 0;
  #comeAgainAt = Infinity;
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

  constructor(core: MemberState) {
    this.#core = core;
  }

  /** A link to the relay stands. */
  attach(challenge: Uint8Array): void {
    const core = this.#core;
    const { keys, me } = core.place;
    const handle = fromHex(me.handle);
    core.forgetAsks();
    this.#challenge = challenge;
    this.#comeAgainAt = Infinity;
    core.phase = "entering";
    this.#joining = undefined;
    core.options.send({
      kind: "sealed_attach",
      ask: core.ask("attach"),
      rid: keys.rid,
      key: keys.attach.publicKey,
      handle,
      owner: core.owner,
      proof: attachProof(keys, { handle, challenge }),
      seq: core.group?.sequence ?? 0,
      epoch: core.group?.epoch ?? 0,
      member: core.group !== undefined,
    });
    core.showStatus();
  }

  /** The link is gone. */
  detach(): void {
    this.#core.phase = "offline";
    this.#joining = undefined;
    this.#retryAt = Infinity;
    this.#comeAgainAt = Infinity;
    this.#core.showStatus();
  }

  /** The relay has put us out: after a commit that others found unsound, by mistake or not. */
  comeAgainLater(): void {
    if (++this.#putOut > PUT_OUT_MAX) return;
    this.#comeAgainAt = this.#core.options.now() + PUT_OUT_MS * 2 ** (this.#putOut - 1);
  }

  /** Lets time pass. */
  tick(now: number): void {
    if (this.#core.phase === "entering" && now >= this.#retryAt) this.#join(false);
    if (this.#core.phase === "catching up" && now >= this.#catchUpUntil) this.resync();
    if (now >= this.#comeAgainAt && this.#challenge !== undefined) this.attach(this.#challenge);
    if (this.#core.phase !== "in" || this.#hello === undefined || now < this.#hello.at) return;
    this.#hello.at = Infinity;
    this.#core.note(
      "warning",
      "Nobody has confirmed you yet: the server may be showing you an old room.",
    );
  }

  /** A member has said something in an epoch of ours: it sees us, and this is no old room. */
  seenBy(name: string): void {
    if (this.#core.isConfirmed) return;
    this.#hello = undefined;
    this.#core.isConfirmed = true;
    this.#core.note("info", `${name} confirms that you are in the room.`);
    this.#core.showStatus();
  }

  /** What we hold leads nowhere: enters anew, in the place of the own former leaf. */
  resync(): void {
    this.#core.note("warning", "The room went on without you; you are coming back into it.");
    this.#join(false);
    this.#core.showStatus();
  }

  /** The relay has taken us in, or tells anew where the room is. */
  async attached(event: RelayEvent<"sealed_attached">): Promise<void> {
    const core = this.#core;
    if (event.ask !== 0 && core.answered(event.ask) !== "attach") return;
    core.room = event.room;
    const here = event.members.filter(([, isHere]) => isHere);
    core.people.replaceHere(here.map(([handle]) => toHex(handle)));
    const { group } = core;
    if (group === undefined) return this.#join(false);
    if (event.missing === "epochs" || group.epoch > event.epoch) return this.resync();
    await this.#catchUp(event, { isLossy: event.missing === "messages" });
  }

  async #catchUp(
    { seq, epoch }: { readonly seq: number; readonly epoch: number },
    { isLossy }: { readonly isLossy: boolean },
  ): Promise<void> {
    const { group } = this.#core;
    if (group === undefined) return;
    if (group.sequence > seq) this.#relayForgot(seq);
    this.#isLossy = isLossy;
    this.#catchUpTo = seq;
    this.#catchUpEpoch = epoch;
    this.#core.phase = "catching up";
    this.#catchUpUntil = this.#core.options.now() + CATCH_UP_MS;
    if (group.sequence >= seq) await this.#settle();
    else this.#core.showStatus();
  }

  /** The relay lost its memory, and was told by somebody who had seen less: what we said behind that, we say again. */
  #relayForgot(seq: number): void {
    const core = this.#core;
    core.group?.skipTo(seq + 1);
    core.own.voidedAfter(seq);
    core.note(
      "warning",
      "The server has forgotten the end of this room; what you said there is sent again.",
    );
  }

  /** There is no group: makes one, or brings ours back. */
  none(event: RelayEvent<"sealed_none">): void {
    const core = this.#core;
    core.answered(event.ask);
    core.room = event.room;
    // Nobody asked: most members could not come into the epoch where the room was led.
    this.#wasReset = event.ask === 0;
    const { epoch = 0, sequence: seq = 0 } = core.group ?? {};
    const ask = core.ask(core.group === undefined ? "create" : "bring back");
    // Of those who do not come back with us, the relay knows by this that their time runs.
    const handles = core.group?.members.map(({ handle }) => fromHex(handle)) ?? [];
    core.options.send({ kind: "sealed_create", ask, room: core.room, epoch, seq, handles });
  }

  /** The relay has the group that we made or brought. */
  async created(wasThere: boolean): Promise<void> {
    const core = this.#core;
    if (!wasThere) {
      core.group = await SealedGroup.create(core.place, 0);
      core.isConfirmed = true;
    }
    const { sequence: seq = 0, epoch = 0 } = core.group ?? {};
    await this.#catchUp({ seq, epoch }, { isLossy: false });
    if (!wasThere) return;
    core.note(
      "info",
      this.#wasReset
        ? "Most could not follow where the room was led; it goes on from before that."
        : "The server was restarted; the room goes on.",
    );
    // A new epoch gives everybody one order again, whatever the server forgot.
    await core.commit();
  }

  /** Somebody was faster with a group. */
  async createConflict(event: RelayEvent<"sealed_conflict">): Promise<void> {
    const { group } = this.#core;
    if (group === undefined) return this.#join(false);
    if (group.epoch !== event.epoch) return this.resync();
    await this.#catchUp(event, { isLossy: true });
  }

  /** The relay cannot do it now. */
  retryLater(): void {
    this.#joining = undefined;
    this.#core.phase = "entering";
    this.#retryAt = this.#core.options.now() + RETRY_MS;
    if (this.#core.group === undefined || ++this.#inVain !== IN_VAIN_TOLD) return;
    this.#core.note(
      "warning",
      "Nobody can let you back into the room. If the others are told this as well: leave it, all " +
        "of you, and come in again by its link.",
    );
  }

  /** The race to enter was lost: the next GroupInfo. */
  enterAgain(): void {
    this.#join(false);
  }

  /** A GroupInfo: makes the commit by which we enter. */
  async enter(event: RelayEvent<"sealed_group_info">): Promise<void> {
    const core = this.#core;
    if (core.answered(event.ask) !== "join") return;
    const joining = await this.#makeJoining(event);
    if (joining === undefined) return;
    this.#joining = joining;
    this.#retryAt = core.options.now() + ENTER_MS;
    const { epoch, body } = joining;
    const ask = core.ask("enter");
    core.options.send({ kind: "sealed_commit", ask, room: core.room, epoch, evicts: [], body });
  }

  async #makeJoining({ epoch, body }: RelayEvent<"sealed_group_info">): Promise<
    Joining | undefined
  > {
    const { place } = this.#core;
    try {
      const invitation = readInvitation(place.keys, body);
      if (invitation.epoch !== epoch) throw new Error("another epoch");
      if (this.#isLockedOut(invitation)) return this.#stayOut();
      const me = this.#personIn(invitation);
      const isLocking = place.isLocking === true && isOwnKey(place, invitation.maker);
      const joining = await join({ ...place, me, isLocking }, invitation);
      this.#unusable = 0;
      this.#isUnusableTold = false;
      return joining;
    } catch {
      // Whatever is wrong with it: somebody else may hand out a better one.
      return this.#unusableInfo();
    }
  }

  #unusableInfo(): undefined {
    const core = this.#core;
    if (++this.#unusable < UNUSABLE_INFOS_MAX) {
      this.#join(true);
      return;
    }
    this.#unusable = 0;
    this.retryLater();
    if (this.#isUnusableTold) return;
    this.#isUnusableTold = true;
    core.note("danger", "What the server hands out as this room is not of it: trying again.");
  }

  /** Whoever has a leaf may come back to it, and who made the room to the room. */
  #isLockedOut({ locked, maker, members }: GroupInvitation): boolean {
    const { place } = this.#core;
    return locked && ![maker, ...members.map(({ signatureKey }) => signatureKey)]
      .some((key) => isOwnKey(place, key));
  }

  #stayOut(): undefined {
    const core = this.#core;
    core.options.send({ kind: "sealed_leave", ask: core.ask("other"), room: core.room });
    core.phase = "out";
    core.note(
      "warning",
      "The room is locked: who made it lets nobody in. Come again by its link when it is open.",
    );
    core.showStatus();
  }

  /** Who we are there: with a name that nobody else has. */
  #personIn({ members }: GroupInvitation) {
    const { place } = this.#core;
    const { me } = place;
    const former = members.find(({ signatureKey }) => isOwnKey(place, signatureKey));
    // Who comes back in the place of the own leaf keeps the name that it has there.
    if (former !== undefined) return { ...me, name: former.name };
    const taken = new Set(members.map(({ name }) => nameKey(name)));
    return { ...me, name: nextFreeName(me.name, (key) => taken.has(key)) };
  }

  /** Whether that frame is our own way in; if it is, we are a member from it on. */
  async takeEntrance(seq: number, body: Uint8Array): Promise<boolean> {
    const core = this.#core;
    const joining = this.#joining;
    if (joining === undefined || digestOf(body) !== joining.digest) return false;
    this.#joining = undefined;
    this.#retryAt = Infinity;
    if (joining.place.me.name !== core.place.me.name) {
      core.note("info", `Your name is taken here: you are ${joining.place.me.name}.`);
    }
    const before = core.group?.members;
    core.place = joining.place;
    core.group = await SealedGroup.joined(joining, seq);
    if (before !== undefined) core.tellChange(changeOf(before, core.group.members));
    core.isConfirmed = false;
    this.#hello = { at: core.options.now() + CONFIRM_MS };
    const id = newId();
    this.helloId = toHex(id);
    core.own.add({ kind: "hello", id });
    await this.#catchUp({ seq, epoch: core.group.epoch }, { isLossy: false });
    return true;
  }

  /** Whether frames are for us: not while we have no group, or wait to enter anew. */
  get isReading(): boolean {
    return this.#core.phase === "in" || this.#core.phase === "catching up";
  }

  /** Frames before that one may be missing, and the relay said so. */
  skipLost(seq: number): void {
    const { group } = this.#core;
    if (this.#isLossy && group !== undefined && seq > group.sequence + 1) {
      group.skipTo(seq);
      this.#core.note("warning", "Some of what was said while you were away is gone.");
    }
    if (seq > this.#catchUpTo) this.#isLossy = false;
  }

  /** A frame was read: perhaps it was the last that was missing. */
  async afterFrame(seq: number): Promise<void> {
    if (this.#core.phase !== "catching up") return;
    this.#catchUpUntil = this.#core.options.now() + CATCH_UP_MS;
    if (seq >= this.#catchUpTo) await this.#settle();
  }

  /** Everything that was missed has been read. */
  async #settle(): Promise<void> {
    const core = this.#core;
    if (core.group?.epoch !== this.#catchUpEpoch) return this.resync();
    this.#inVain = 0;
    core.phase = "in";
    // What was under way over the lost link and has not come back by now never will.
    core.own.retryAll();
    core.abandonCommit();
    for (const member of core.group?.members ?? []) core.meet(member);
    core.showStatus();
    await core.flush();
    await core.evict();
  }

  #join(fresh: boolean): void {
    const core = this.#core;
    core.phase = "entering";
    this.#joining = undefined;
    this.#retryAt = core.options.now() + TURN_MS;
    const ask = core.ask("join");
    core.options.send({ kind: "sealed_join", ask, room: core.room, fresh });
  }
}

function isOwnKey({ signature }: GroupIdentity, key: Uint8Array): boolean {
  return Buffer.compare(signature.publicKey, key) === 0;
}
