// One sealed room: who is attached, who is in the group as its members say, whose turn it is, and what they send each
// other. The relay knows it by a random name, and can read nothing of what goes through it.

import { EncodedEvent } from "../delivery/encoded_event.ts";
import { SEALED_MEMBERS_MAX } from "../../shared/base/limits.ts";
import { LimitError } from "../../shared/base/errors.ts";
import type { RequestOf } from "../../shared/messages/messages_v2.ts";
import { Attaching } from "./attaching.ts";
import { BringBack } from "./bring_back.ts";
import { Commits } from "./commits.ts";
import { CommitOrder, type OrderState } from "./commit_order.ts";
import { Eviction } from "./eviction.ts";
import type { RingPosition } from "./frame_ring.ts";
import { Guests } from "./guests.ts";
import { JoinQueue } from "./join_queue.ts";
import type { SealedRoomOptions, SealedRoomSnapshot, SeatClaim } from "./room_contract.ts";
import { Roster } from "./roster.ts";
import {
  type DropReason,
  type HandleKey,
  handleKey,
  type SealedPeer,
  Seat,
  Seats,
} from "./seat.ts";

// A member that comes back in the last second of the grace time must find all of it.
const MEMORY_GRACES = 2;

/** A room of which the relay knows handles, epochs and sizes. */
export class SealedRoom {
  readonly number: number;
  readonly rid: Uint8Array;
  readonly #options: SealedRoomOptions;
  readonly #roster = new Roster();
  readonly #seats = new Seats((key) => this.#roster.has(key));
  readonly #bringBack = new BringBack();
  readonly #joins: JoinQueue;
  readonly #eviction: Eviction;
  readonly #guests: Guests;
  readonly #attaching: Attaching;
  readonly #commits: Commits;
  #order: CommitOrder | undefined;

  constructor(options: SealedRoomOptions) {
    this.#options = options;
    this.number = options.number;
    this.rid = options.rid;
    const members = () => this.#seats.members;
    const parts = { room: options.number, clock: options.clock, members };
    this.#joins = new JoinQueue({
      ...parts,
      epoch: () => this.#order?.standing.epoch ?? 0,
      isMember: ({ key }) => this.#roster.has(key),
      onInVain: (seat) => this.#joinedInVain(seat),
      onUnsound: (seat) => this.#putOut(seat),
    });
    this.#eviction = new Eviction(parts);
    this.#guests = new Guests({
      ...options,
      list: () => this.#order === undefined ? [] : this.#seats.guests,
      isWaiting: (seat) => this.#joins.has(seat),
      tell: (count) => this.#seats.send({ kind: "sealed_guests", room: this.number, count }),
    });
    this.#attaching = new Attaching({
      room: options.number,
      clock: options.clock,
      seats: this.#seats,
      roster: this.#roster,
      guests: this.#guests,
      eviction: this.#eviction,
      order: () => this.#order,
      drop: (seat) => this.#drop(seat, "crowded"),
    });
    this.#commits = new Commits({
      counters: options.counters,
      room: options.number,
      seats: this.#seats,
      roster: this.#roster,
      joins: this.#joins,
      guests: this.#guests,
      eviction: this.#eviction,
      order: () => this.#requireOrder(),
      drop: (seat, why) => this.#drop(seat, why),
      onUnsound: (seat) => this.#putOut(seat),
    });
    if (options.known !== undefined) this.#restore(options.known);
  }

  /** What the next process must know; undefined where nobody could come back to it. */
  get state(): SealedRoomSnapshot | undefined {
    const seats = this.#seats.ofMembers;
    if (this.#order === undefined || seats.length === 0) return undefined;
    return {
      number: this.number,
      rid: this.rid,
      order: this.#order.state,
      seats: seats.map((seat) => seat.state),
      roster: this.#roster.state,
      committer: this.#seats.lastCommitter?.handle ?? null,
    };
  }

  /** Seats with a connection. */
  get attached(): number {
    return this.#seats.connected.length;
  }

  /** Takes `peer` in under its handle, and tells it where the room is. Throws LimitError. */
  attach(peer: SealedPeer, claim: SeatClaim): Seat {
    const seat = this.#attaching.seat(peer, claim);
    if (this.#isLater(seat, claim)) this.#letCorrect(seat);
    this.#attaching.answer(seat, claim);
    if (this.#roster.has(seat.key)) {
      this.#seats.send({ kind: "sealed_back", room: this.number, handle: seat.handle }, seat);
      if (this.#order !== undefined) this.#eviction.memberCame();
    }
    this.#guests.changed();
    return seat;
  }

  /** The first makes the group, or brings it back with those who were in it. Throws LimitError. */
  create(seat: Seat, { ask, epoch, seq, handles }: RequestOf<"sealed_create">): void {
    this.#joins.late(seat);
    if (this.#order !== undefined) {
      return seat.tell({ kind: "sealed_conflict", ask, ...this.#order.standing });
    }
    const now = this.#options.clock.now();
    if (!this.#bringBack.allows(seat, now)) {
      throw new LimitError("Cannot bring the room back: its members do");
    }
    const others = handles.filter((handle) => handleKey(handle) !== seat.key);
    this.#begin({ epoch, seq });
    this.#roster.begin([seat.handle, ...others.slice(0, SEALED_MEMBERS_MAX - 1)]);
    this.#seats.lastCommitter = seat;
    if (epoch > 0 || seq > 0) this.#bringBack.begun(now, this.#options.graceMs);
    for (const absent of this.#seats.addAbsent(others)) this.#startGrace(absent);
    this.#options.counters.sealedGroups++;
    seat.tell({ kind: "sealed_done", ask });
    this.#guests.changed();
    for (const waiting of this.#bringBack.takeWaiting()) {
      this.#attaching.tellAttached(waiting, { ask: 0, missing: "epochs" });
    }
  }

  /** A seat asks for its turn to enter the group. Throws LimitError. */
  join(seat: Seat, { ask, fresh }: RequestOf<"sealed_join">): void {
    if (this.#roster.wasRemoved(seat.key)) {
      throw new LimitError("Cannot join the room: you were removed from it");
    }
    if (this.#order === undefined) {
      return seat.tell({ kind: "sealed_none", ask, room: this.number });
    }
    if (this.#roster.isFullFor(seat)) {
      throw new LimitError(`Cannot join the room: it has ${SEALED_MEMBERS_MAX} members`);
    }
    if (!this.#roster.has(seat.key) && !this.#guests.mayEnter(seat)) {
      throw new LimitError(
        "Cannot join the room: your address has come in too often. Try again in some seconds.",
      );
    }
    this.#joins.add(seat, { ask, fresh });
  }

  /** A member gives the GroupInfo that it was asked for. */
  groupInfo(seat: Seat, { ask, question, epoch, body }: RequestOf<"sealed_group_info">): void {
    // A copy: what was decoded is a view of all that came with it.
    if (this.#joins.give(seat, { question, epoch, body: new Uint8Array(body) })) {
      return seat.tell({ kind: "sealed_done", ask });
    }
    const { standing } = this.#order ?? { standing: { epoch: 0, seq: 0 } };
    seat.tell({ kind: "sealed_conflict", ask, ...standing });
  }

  /** Orders a commit, that of a guest once a member has found it sound. Throws LimitError. */
  commit(seat: Seat, request: RequestOf<"sealed_commit">): void {
    this.#commits.take(seat, request);
  }

  /** A member says whether the commit of a guest is sound. */
  check(seat: Seat, { ask, question, ok }: RequestOf<"sealed_check">): void {
    seat.tell({ kind: "sealed_done", ask });
    this.#joins.judged(seat, { question, ok });
  }

  /** Orders a message of a member, where its epoch is the current one or the one before. Throws LimitError. */
  app(seat: Seat, { ask, epoch, body }: RequestOf<"sealed_app">): void {
    const order = this.#requireMember(seat);
    const ordered = order.app({ epoch, from: seat.handle, ask, body });
    if (ordered === undefined) {
      return seat.tell({ kind: "sealed_stale", ask, epoch: order.standing.epoch });
    }
    this.#options.counters.sealedMessages++;
    this.#seats.deliver(ordered);
  }

  /** A member says whether a commit was sound. */
  vote(seat: Seat, { ask, seq, ok }: RequestOf<"sealed_vote">): void {
    seat.tell({ kind: "sealed_done", ask });
    this.#commits.undo(this.#order?.vote(seat, { seq, ok }));
  }

  /** Lets chunks of the member `to` through to `seat`. Throws LimitError. */
  pull(seat: Seat, { ask, to, chunks, body }: RequestOf<"sealed_pull">): void {
    this.#requireMember(seat);
    const sender = this.#seats.of(handleKey(to));
    if (sender?.peer === undefined || sender === seat || !this.#roster.has(sender.key)) {
      throw new LimitError("Cannot get the file: its sender is not here");
    }
    if (!seat.grant(sender.key, chunks)) {
      throw new LimitError("Cannot get the file: too much of it is on its way already");
    }
    sender.tell({ kind: "sealed_pull", room: this.number, from: seat.handle, chunks, body });
    seat.tell({ kind: "sealed_done", ask });
  }

  /** Passes a chunk on to those members that asked for it. False where none did. */
  chunk(seat: Seat, { to, body }: RequestOf<"sealed_chunk">): boolean {
    // Either may have been removed since it was asked for.
    const isMember = (key: HandleKey) => this.#roster.has(key);
    const keys = new Set(isMember(seat.key) ? to.map(handleKey).filter(isMember) : []);
    const receivers = keys.values().map((key) => this.#seats.of(key))
      .filter((receiver) => receiver?.spend(seat.key)).toArray();
    if (receivers.length === 0) return false;
    this.#options.counters.sealedChunks += receivers.length;
    const event = { kind: "sealed_chunk", room: this.number, from: seat.handle, body } as const;
    const encoded = new EncodedEvent(event, "");
    for (const receiver of receivers) receiver?.peer?.deliver(encoded);
    return true;
  }

  /** The connection of `seat` is lost: a member keeps its seat for the grace time. */
  loseConnection(seat: Seat): void {
    if (!this.#disconnect(seat)) return;
    if (!this.#roster.has(seat.key)) return this.#forget(seat);
    this.#seats.send({ kind: "sealed_gone", room: this.number, handle: seat.handle, left: false });
    this.#startGrace(seat);
    this.tidy();
  }

  /** `seat` leaves for good; where it was a member, another removes its leaf at once. */
  leave(seat: Seat): void {
    this.#disconnect(seat);
    this.#depart(seat);
  }

  /** Lets itself be forgotten where nobody is here, and nobody is waited for. */
  tidy(): void {
    const isWaitedFor = (seat: Seat): boolean => seat.peer !== undefined || !seat.departed;
    if (!this.#seats.all.some(isWaitedFor)) return this.#options.onEmpty();
    if (this.#order === undefined || this.#seats.ofMembers.some(isWaitedFor)) return;
    this.#loseGroup(this.#seats.connected);
  }

  /** Another server has the room: all clients reconnect, and are passed on to it. */
  giveUp(): void {
    const peers = this.#seats.all.map(({ peer }) => peer);
    this.close();
    for (const peer of peers) peer?.comeAgain();
  }

  /** Lets everybody go, and ends. */
  shut(): void {
    const peers = this.#seats.all.map(({ peer }) => peer);
    this.close();
    for (const peer of peers) peer?.dropped(this.number, "closed");
  }

  /** Forgets messages that are too old. */
  forgetOld(): void {
    this.#order?.forgetOld();
  }

  /** Forgets all, and stops all timers. */
  close(): void {
    this.#seats.clear();
    this.#joins.clear();
    this.#eviction.clear();
    this.#guests.clear();
    this.#roster.clear();
    this.#order?.clear();
    this.#order = undefined;
  }

  #drop(seat: Seat, why: DropReason): void {
    seat.peer?.dropped(this.number, why);
    this.leave(seat);
  }

  /** Members found a commit of that seat unsound. */
  #putOut(seat: Seat): void {
    this.#attaching.punish(seat);
    if (seat.peer === undefined || this.#seats.of(seat.key) !== seat) return;
    this.#drop(seat, "voided");
  }

  // After a restart of the relay, members have one room in slightly different states: the latest is the true one.
  #isLater(seat: Seat, claim: SeatClaim): boolean {
    const order = this.#order;
    if (order === undefined || order.touched || !claim.member || !this.#roster.has(seat.key)) {
      return false;
    }
    return this.#bringBack.isLater(claim, order.standing, this.#options.clock.now());
  }

  #letCorrect(seat: Seat): void {
    this.#bringBack.wait(this.#seats.members.filter((one) => one !== seat));
    this.#loseGroup([], [seat.key]);
  }

  #joinedInVain(seat: Seat): void {
    const isUnsettled = this.#bringBack.isUnsettled(this.#options.clock.now());
    if (!this.#roster.isLostBy(seat, this.#seats.connected, isUnsettled)) return;
    const heirs = this.#roster.takeFailed();
    this.#loseGroup(this.#seats.connected, heirs);
  }

  /** There is no group here any more. `heirs`: who alone may bring one for a moment; none = anybody. */
  #loseGroup(told: readonly Seat[], heirs: readonly HandleKey[] = []): void {
    this.#order?.clear();
    this.#order = undefined;
    this.#roster.clear();
    this.#joins.clear();
    this.#eviction.clear();
    this.#bringBack.lost(heirs, this.#options.clock.now());
    for (const seat of this.#seats.all) if (seat.peer === undefined) this.#seats.remove(seat);
    for (const seat of told) seat.tell({ kind: "sealed_none", ask: 0, room: this.number });
  }

  #begin(start: RingPosition, known?: OrderState): void {
    const { clock, memory, graceMs } = this.#options;
    this.#order = new CommitOrder({
      room: this.number,
      start,
      memory,
      maxAgeMs: graceMs * MEMORY_GRACES,
      utc: () => clock.utc(),
      now: () => clock.now(),
      known,
    });
  }

  #restore({ order, seats, roster, committer }: SealedRoomSnapshot): void {
    this.#begin(order, order);
    this.#roster.restore(roster);
    for (const known of seats) {
      const seat = Seat.restore(known);
      this.#seats.add(seat);
      if (seat.departed) this.#eviction.add(seat);
      else this.#startGrace(seat);
    }
    if (committer !== null) this.#seats.lastCommitter = this.#seats.of(handleKey(committer));
  }

  #requireOrder(): CommitOrder {
    if (this.#order !== undefined) return this.#order;
    throw new LimitError("Cannot do that in the sealed room: it has no group yet");
  }

  #requireMember(seat: Seat): CommitOrder {
    const order = this.#requireOrder();
    if (this.#roster.has(seat.key)) return order;
    throw new LimitError("Cannot do that in the sealed room: you are not in its group");
  }

  #disconnect(seat: Seat): boolean {
    if (seat.peer === undefined) return false;
    seat.peer = undefined;
    seat.revoke();
    for (const other of this.#seats.all) other.revoke(seat.key);
    this.#joins.gone(seat);
    this.#commits.undo(this.#order?.forgetVoter(seat));
    this.#guests.changed();
    return true;
  }

  #startGrace(seat: Seat): void {
    seat.stopGrace();
    seat.stopGrace = this.#options.clock.after(this.#options.graceMs, () => this.#depart(seat));
  }

  #depart(seat: Seat): void {
    seat.stopGrace();
    if (!this.#roster.has(seat.key)) return this.#forget(seat);
    this.#seats.send({ kind: "sealed_gone", room: this.number, handle: seat.handle, left: true });
    seat.departed = true;
    this.#eviction.add(seat);
    this.tidy();
  }

  #forget(seat: Seat): void {
    this.#seats.remove(seat);
    this.tidy();
  }
}
