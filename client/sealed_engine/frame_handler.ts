// Life in a sealed room: frames in the relay's order, votes on commits, confirmations of newcomers, fresh keys.

import { toHex } from "#platform/bytes.ts";
import { SEALED_MEMBERS_MAX } from "../../shared/base/limits.ts";
import type { GroupMember } from "../mls/commit_rules.ts";
import { type Changed, type FrameOutcome, isSame, type Kick } from "../mls/group_outcome.ts";
import { FrameTimes, SeenMessages } from "./own_messages.ts";
import { decodePayload, type Payload } from "../mls/payload.ts";
import type { RelayEvent } from "./engine_protocol.ts";
import { type PendingChanges, tellDecision } from "./pending_changes.ts";
import { type MemberState, newId } from "./member_state.ts";
import type { Entry } from "./entry.ts";
import type { FileExchange } from "./file_exchange.ts";
import type { MemberMessages } from "./member_messages.ts";

/** A commit can be voted away for this long. */
const VOID_MS = 10_000;
/** An own message or commit that has not come back for this long is tried again. */
const ECHO_MS = 10_000;
/** A member of the smaller part of a room comes over at most this often. */
const DOUBT_PAUSE_MS = 60_000;
/** The next member confirms a newcomer when the one before has not for this long. */
const CONFIRM_TURN_MS = 2_000;
const CONFIRMERS = 4;
/** An empty commit renews the keys after this, ± 20 %, later in large rooms. */
const ROTATE_MS = 3_600_000;
const ROTATE_PER_MEMBERS = 50;
const ROTATE_MESSAGES = 500;

/** The other parts of a member that its life needs. */
export interface FrameHandlerParts {
  readonly entry: Entry;
  readonly files: FileExchange;
  readonly changes: PendingChanges;
  readonly messages: MemberMessages;
}

interface Confirmation {
  readonly id: Uint8Array;
  readonly at: number;
}

/** What happens to a member who is in. */
export class FrameHandler {
  readonly #state: MemberState;
  readonly #entry: Entry;
  readonly #files: FileExchange;
  readonly #changes: PendingChanges;
  readonly #messages: MemberMessages;
  readonly #seen = new SeenMessages();
  readonly #times = new FrameTimes();
  /** Members that came in, or came in again, and have not said hello since. */
  readonly #newcomers = new Set<string>();
  /** The last hello of each newcomer, and when it is ours to confirm. */
  readonly #toConfirm = new Map<string, Confirmation>();
  #forgetAt = Infinity;
  /** Until when the others may still find a commit unsound as well. */
  #doubtUntil = -Infinity;
  /** Whether the room has gone on to an epoch that we are not in. */
  #isBehind = false;
  #rotateAt = Infinity;
  #isOrderTold = false;
  /** Whether the user knows that what they said does not come back. */
  #isLateTold = false;
  /** The epoch in which we came in, or back. */
  #firstEpoch = 0;
  /** Who was read in this epoch, and who could not be. */
  readonly #read = new Set<string>();
  readonly #unread = new Set<string>();
  #doubtsUntil = Infinity;
  #doubtedAt = -Infinity;

  constructor(state: MemberState, { entry, files, changes, messages }: FrameHandlerParts) {
    this.#state = state;
    this.#entry = entry;
    this.#files = files;
    this.#changes = changes;
    this.#messages = messages;
  }

  /** Takes a frame. */
  async frame(told: RelayEvent<"sealed_frame">): Promise<void> {
    const state = this.#state;
    const isLive = state.phase === "in";
    const event = { ...told, time: this.#times.of(told, { isLive, now: state.options.date() }) };
    if (event.type === "commit" && await this.#entry.takeEntrance(event.seq, event.body)) {
      this.#messages.cameIn();
      this.#firstEpoch = state.group?.epoch ?? 0;
      this.#afterEpoch();
      return;
    }
    const { group } = state;
    if (group === undefined || !this.#entry.isReading) return;
    this.#entry.skipLost(event.seq);
    if (event.seq !== group.sequence + 1) {
      state.note("danger", "The server left out or repeated something of this room.");
      return this.#entry.resync();
    }
    if (isOff(event, group.epoch)) this.#isBehind = true;
    const frame = { ...event, from: toHex(event.from) };
    const outcome = await group.receive(frame, (handle) => state.mayRemove(handle));
    await this.#carryOut(outcome, event);
    await this.#entry.afterFrame(event.seq);
    this.#catchUpIfBehind();
  }

  /** The relay answers that it is in that epoch; all that led there comes before its answer. */
  heardOfEpoch(epoch: number): void {
    if (epoch !== this.#state.group?.epoch) this.#isBehind = true;
    this.#catchUpIfBehind();
  }

  /** The others went on with a commit that we have not taken, and have had the time to undo it. */
  #catchUpIfBehind(): void {
    const state = this.#state;
    if (!this.#isBehind || state.phase !== "in" || state.options.now() < this.#doubtUntil) return;
    this.#isBehind = false;
    this.#entry.resync();
  }

  async #carryOut(outcome: FrameOutcome, event: RelayEvent<"sealed_frame">): Promise<void> {
    const state = this.#state;
    switch (outcome.kind) {
      case "text":
        this.#checkOrder(outcome.order);
        if (this.#hasDeparted(outcome.from)) return;
        return await this.#heard(outcome.from, outcome.payload, event);
      case "echo":
        return this.#echoed(outcome.digest, event);
      case "epoch":
        this.#checkOrder(outcome.order);
        if (!outcome.own) this.#vote(event.seq, true);
        for (const { handle } of outcome.left) this.#newcomers.delete(handle);
        if (outcome.by === undefined) this.#newcomers.add(toHex(event.from));
        if (outcome.kick !== undefined) tellDecision(state, "kick", outcome.kick);
        return await this.#changed(outcome, outcome.by);
      case "unsound":
        this.#vote(event.seq, false);
        this.#doubtUntil = this.#state.options.now() + VOID_MS;
        return state.faults.saidToBe(
          this.#memberOf(event),
          `A change of the room was refused: ${outcome.why}.`,
        );
      case "unreadable":
        // Written before we came in, and ordered behind that: as all that was said before, it is not for us.
        if (event.epoch < this.#firstEpoch) return;
        this.#doubtOwnPart(event);
        return state.faults.saidToBe(
          this.#memberOf(event),
          "A message of this room could not be read.",
        );
      case "removed":
        if (outcome.kick !== undefined) return this.#kicked(outcome.kick);
        this.#state.note("warning", "You were removed from the group; you are rejoining it.");
        return this.#entry.enterAgain();
    }
  }

  /** Whose frame it is, as the relay says. */
  #memberOf({ from }: RelayEvent<"sealed_frame">): GroupMember | undefined {
    const handle = toHex(from);
    return this.#state.group?.members.find((member) => member.handle === handle);
  }

  /**
   * The keys of the former epoch are still there, also those of whoever was removed since. An honest relay orders
   * nothing more of them.
   */
  #hasDeparted(from: GroupMember): boolean {
    const { group } = this.#state;
    if (group?.members.some((member) => isSame(member, from)) === true) return false;
    const what = " is not in the room any more; what the server passes on of them is not shown.";
    this.#state.faults.of(from, what, "danger");
    return true;
  }

  /**
   * An epoch of the same number may be another one: after a restart of the relay a room can be in two parts, which
   * cannot read each other. The smaller part comes over, of two equal ones that without the lowest handle. What
   * somebody said last tells in which part they are: they may have come over. Garbage of one member must not make
   * everybody enter again: not more than once a minute.
   */
  #doubtOwnPart({ epoch, from }: RelayEvent<"sealed_frame">): void {
    const { group, options } = this.#state;
    if (epoch !== group?.epoch) return;
    const handle = toHex(from);
    this.#read.delete(handle);
    if (this.#unread.size < SEALED_MEMBERS_MAX) this.#unread.add(handle);
    const now = options.now();
    if (!this.#isSmallerPart() || now < this.#doubtedAt + DOUBT_PAUSE_MS) return;
    this.#doubtsUntil = Math.min(this.#doubtsUntil, now + VOID_MS);
  }

  #isSmallerPart(): boolean {
    const others = [...this.#unread].sort();
    const [lowest = ""] = [this.#state.identity.me.handle, ...this.#read].sort();
    const difference = others.length - (this.#read.size + 1);
    return others[0] !== undefined && (difference > 0 || (difference === 0 && others[0] < lowest));
  }

  /** The maker has removed us. Nothing keeps us from coming by the link, but the user has to ask for that. */
  #kicked(kick: Kick): void {
    const state = this.#state;
    state.options.send({ kind: "sealed_leave", ask: state.ask("other"), room: state.room });
    state.moveTo("out");
    tellDecision(state, "kick", kick);
    state.showStatus();
  }

  #vote(seq: number, ok: boolean): void {
    const state = this.#state;
    if (state.phase !== "in") return;
    const ask = state.ask("other");
    state.options.send({ kind: "sealed_vote", ask, room: state.room, seq, ok });
  }

  #checkOrder(order: "same" | "different" | "unknown"): void {
    if (order !== "different" || this.#isOrderTold) return;
    this.#isOrderTold = true;
    this.#state.note(
      "danger",
      "The server shows this room in different orders to different members.",
    );
  }

  async #changed(changed: Changed, by?: GroupMember): Promise<void> {
    this.#afterEpoch(by);
    this.#state.tellChange(changed);
    this.#state.showStatus();
    await this.#state.flush();
    await this.#changes.evict();
    await this.#changes.act();
  }

  #afterEpoch(by?: GroupMember): void {
    const state = this.#state;
    const now = state.options.now();
    this.#changes.afterEpoch(by);
    const members = state.group?.members.length ?? 1;
    const stretch = Math.max(1, members / ROTATE_PER_MEMBERS);
    this.#forgetAt = now + VOID_MS;
    this.#doubtUntil = -Infinity;
    this.#isBehind = false;
    this.#isOrderTold = false;
    this.#read.clear();
    this.#unread.clear();
    this.#doubtsUntil = Infinity;
    // The id of a message is as random as anything.
    const jitter = 0.8 + 0.4 * (newId()[0] as number) / 255;
    this.#rotateAt = now + ROTATE_MS * stretch * jitter;
  }

  #echoed(digest: string, { seq, time }: RelayEvent<"sealed_frame">): void {
    const { own } = this.#state;
    this.#state.echoed(digest);
    const message = own.echo(digest, seq);
    if (message !== undefined && message.request > 0) this.#isLateTold = false;
    if (message === undefined) {
      if (own.wasSent(digest)) return;
      return this.#state.note("danger", "The server has sent something in your name.");
    }
    this.#messages.echoed(message, { seq, time });
  }

  async #heard(
    from: GroupMember,
    body: Uint8Array,
    event: RelayEvent<"sealed_frame">,
  ): Promise<void> {
    if (event.epoch === this.#state.group?.epoch) {
      this.#read.add(from.handle);
      this.#unread.delete(from.handle);
    }
    // Whoever can be read has our leaf in its tree.
    this.#entry.seenBy(from.name);
    let payload: Payload;
    try {
      payload = decodePayload(body);
    } catch {
      return this.#state.faults.of(from, "'s program said something that yours cannot read.");
    }
    const again = !this.#seen.take(from.handle, payload.id);
    await this.#understand(from, payload, { event, again });
  }

  async #understand(
    from: GroupMember,
    payload: Payload,
    { event, again }: { readonly event: RelayEvent<"sealed_frame">; readonly again: boolean },
  ): Promise<void> {
    const { handle } = from;
    switch (payload.kind) {
      case "hello":
        return again ? undefined : await this.#planConfirmation(handle, payload.id);
      case "confirm":
        this.#isConfirmed(payload.id);
        if (toHex(payload.id) === this.#entry.helloId) {
          this.#messages.toldTopic(from, payload.topic);
          this.#messages.toldPin(from, payload.pin);
        }
        return;
      case "leaving":
        if (!again) this.#state.isLeaving(handle);
        return;
      case "file":
        return again ? undefined : this.#files.heard(from, payload, event.time);
      case "handed":
        return again ? undefined : await this.#files.handed(from, payload, event.time);
      case "withdrawn":
        return this.#files.withdrawn(from, payload.of);
      case "receipt":
        return again ? undefined : this.#files.receiptHeard(from, payload);
      default:
        return await this.#messages.heard(from, payload, event, again);
    }
  }

  /** Members take turns in the order of the tree, so that one answers a hello and not all. */
  async #planConfirmation(newcomer: string, id: Uint8Array): Promise<void> {
    // Once for each entrance: or a member could have us say so much that nothing is left of our rate for our own words.
    if (!this.#newcomers.delete(newcomer)) return;
    const { group, people, identity, options } = this.#state;
    const others = (group?.members ?? []).filter(({ handle }) =>
      handle !== newcomer && people.isHere(handle)
    );
    const turn = others.findIndex(({ handle }) => handle === identity.me.handle);
    if (turn < 0 || turn >= CONFIRMERS) return;
    this.#toConfirm.set(newcomer, { id, at: options.now() + turn * CONFIRM_TURN_MS });
    await this.#confirmDue();
  }

  #isConfirmed(id: Uint8Array): void {
    for (const [newcomer, hello] of this.#toConfirm) {
      if (toHex(hello.id) === toHex(id)) this.#toConfirm.delete(newcomer);
    }
  }

  async #confirmDue(): Promise<void> {
    const state = this.#state;
    if (state.phase !== "in") return;
    for (const [key, { id, at }] of this.#toConfirm) {
      if (state.options.now() < at) continue;
      this.#toConfirm.delete(key);
      const { topic, pin } = this.#messages;
      await state.say({ kind: "confirm", id, topic, pin });
    }
  }

  /** The members have voted a commit away. */
  async void(event: RelayEvent<"sealed_void">): Promise<void> {
    const state = this.#state;
    if (state.group === undefined || !this.#entry.isReading) return;
    const changed = state.group.goBack(event);
    if (changed === undefined) return this.#entry.resync();
    state.own.voidedAfter(event.seq);
    state.note("warning", "The members have undone an invalid change of the room.");
    await this.#changed(changed);
  }

  /** Lets time pass. */
  async tick(now: number): Promise<void> {
    const state = this.#state;
    if (now >= this.#forgetAt) {
      state.group?.forgetPrevious();
      this.#forgetAt = Infinity;
    }
    if (state.phase !== "in") return;
    this.#times.hears(state.options.date());
    this.#catchUpIfBehind();
    if (now >= this.#doubtsUntil) {
      this.#doubtsUntil = Infinity;
      if (this.#isSmallerPart()) {
        this.#doubtedAt = now;
        return this.#entry.resync();
      }
    }
    await this.#confirmDue();
    if (state.isCommitOverdue(now - ECHO_MS)) state.abandonCommit();
    await this.#changes.act();
    if (now >= this.#rotateAt || state.sentMessages >= ROTATE_MESSAGES) await state.commit();
    const late = state.own.takeOverdue(now - ECHO_MS);
    if (!this.#isLateTold && late.some(({ request }) => request > 0)) {
      this.#isLateTold = true;
      state.note("warning", "What you said has not come back from the server; it is sent again.");
    }
    await state.flush();
  }
}

/** Whether the relay orders in another epoch than ours; messages of the one before are still under way. */
function isOff({ type, epoch }: RelayEvent<"sealed_frame">, own: number): boolean {
  return type === "commit" ? epoch !== own : epoch > own || epoch < own - 1;
}
