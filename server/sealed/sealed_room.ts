// One sealed room: who is attached, whose turn it is, and what they say to each other. The server knows it by a random
// name, and can read nothing of what goes through it.

import { SEALED_BRING_BACK_MS } from "../config/limits.ts";
import { SEALED_MEMBERS_MAX } from "../../shared/base/limits.ts";
import { LimitError } from "../../shared/base/errors.ts";
import type { RequestOf } from "../../shared/messages/messages_v2.ts";
import { EncodedEvent } from "../delivery/encoded_event.ts";
import { Eviction } from "./eviction.ts";
import { JoinQueue } from "./join_queue.ts";
import { CommitOrder, type OrderState, type Voided } from "./commit_order.ts";
import { Penalties } from "./penalties.ts";
import type { Missing, RingPosition } from "./frame_ring.ts";
import type { SealedRoomOptions, SealedRoomSnapshot, SeatClaim } from "./room_contract.ts";
import { type HandleKey, handleKey, type SealedPeer, Seat } from "./seat.ts";
import { FailedJoins } from "./failed_joins.ts";

// Who comes back in the last second of the grace time must find all of it.
const MEMORY_GRACES = 2;

/** A room of which the server knows handles, epochs and sizes. */
export class SealedRoom {
  readonly number: number;
  readonly rid: Uint8Array;
  readonly penalties = new Penalties();
  readonly #options: SealedRoomOptions;
  readonly #seats = new Map<HandleKey, Seat>();
  readonly #joins: JoinQueue;
  readonly #eviction: Eviction;
  #order: CommitOrder | undefined;
  /** Until when another's later state corrects what was brought back; monotonic ms. */
  #correctableUntil = -Infinity;
  readonly #shutOut = new FailedJoins();
  /** Whoever made the current epoch: the first to know it. */
  #lastCommitter: Seat | undefined;

  constructor(options: SealedRoomOptions) {
    this.#options = options;
    this.number = options.number;
    this.rid = options.rid;
    const parts = { room: options.number, clock: options.clock, members: () => this.#members() };
    this.#joins = new JoinQueue({
      ...parts,
      epoch: () => this.#order?.standing.epoch ?? 0,
      onInVain: (seat) => this.#joinedInVain(seat),
    });
    this.#eviction = new Eviction(parts);
    if (options.known !== undefined) this.#restore(options.known);
  }

  /** What the next process must know; undefined where nobody could come back to it. */
  get state(): SealedRoomSnapshot | undefined {
    const seats = [...this.#seats.values()].filter(({ member }) => member);
    if (this.#order === undefined || seats.length === 0) return undefined;
    return {
      number: this.number,
      rid: this.rid,
      order: this.#order.state,
      seats: seats.map((seat) => seat.state),
      committer: this.#lastCommitter?.handle ?? null,
    };
  }

  /** Seats with a link. */
  get attached(): number {
    let count = 0;
    for (const seat of this.#seats.values()) if (seat.peer !== undefined) count++;
    return count;
  }

  /** Takes `peer` in under its handle, and tells it where the room is. Throws LimitError. */
  attach(peer: SealedPeer, claim: SeatClaim): Seat {
    const seat = this.#seatOf(claim);
    this.#takeLink(seat, peer);
    seat.member ||= claim.member;
    this.#correct(seat, claim);
    this.#answerAttach(seat, claim);
    this.#send({ kind: "sealed_back", room: this.number, handle: seat.handle }, seat);
    if (seat.member && this.#order !== undefined) this.#eviction.memberCame();
    return seat;
  }

  /** The first makes the group, or brings it back with those who were in it. */
  create(seat: Seat, { ask, epoch, seq, handles }: RequestOf<"sealed_create">): void {
    this.#joins.done(seat);
    if (this.#order !== undefined) {
      return seat.tell({ kind: "sealed_conflict", ask, ...this.#order.standing });
    }
    this.#begin({ epoch, seq });
    seat.member = true;
    this.#lastCommitter = seat;
    if (epoch > 0 || seq > 0) {
      this.#correctableUntil = this.#options.clock.now() + SEALED_BRING_BACK_MS;
    }
    for (const handle of handles) {
      if (this.#seats.size >= SEALED_MEMBERS_MAX || this.#seats.has(handleKey(handle))) continue;
      const absent = new Seat(handle, true);
      this.#seats.set(absent.key, absent);
      this.#startGrace(absent);
    }
    this.#options.counters.sealedGroups++;
    seat.tell({ kind: "sealed_done", ask });
  }

  /** A seat wants into the group. */
  join(seat: Seat, { ask, fresh }: RequestOf<"sealed_join">): void {
    if (this.#order === undefined) {
      return seat.tell({ kind: "sealed_none", ask, room: this.number });
    }
    this.#joins.add(seat, { ask, fresh });
  }

  /** A member gives the GroupInfo that it was asked for. */
  groupInfo(seat: Seat, { ask, question, epoch, body }: RequestOf<"sealed_group_info">): void {
    // A copy: what was decoded is a view of all that came with it.
    if (this.#joins.give(seat, { question, epoch, body: body.slice() })) {
      return seat.tell({ kind: "sealed_done", ask });
    }
    const { standing } = this.#order ?? { standing: { epoch: 0, seq: 0 } };
    seat.tell({ kind: "sealed_conflict", ask, ...standing });
  }

  /** Orders a commit, where its epoch is the current one. Throws LimitError. */
  commit(seat: Seat, { ask, epoch, evicts, body }: RequestOf<"sealed_commit">): void {
    const order = this.#requireOrder();
    const electorate = this.#members().filter((one) => one !== seat);
    const draft = { epoch, from: seat.handle, ask, body };
    const ordered = order.commit(draft, { sender: seat, electorate });
    if (ordered === "voided") throw new LimitError("Cannot take this commit: it was voided");
    if (ordered === "late") {
      this.#options.counters.sealedConflicts++;
      return seat.tell({ kind: "sealed_conflict", ask, ...order.standing });
    }
    this.#options.counters.sealedCommits++;
    this.#shutOut.clear();
    this.#broadcast(ordered);
    if (!seat.member) seat.memberFrom = order.standing.seq;
    seat.member = true;
    this.#lastCommitter = seat;
    this.#joins.done(seat);
    this.#joins.moved();
    for (const handle of evicts) this.#evicted(handle);
    this.#eviction.memberCame();
  }

  /** Orders a message, where its epoch is the current one or the one before. */
  app(seat: Seat, { ask, epoch, body }: RequestOf<"sealed_app">): void {
    const order = this.#requireOrder();
    const ordered = order.app({ epoch, from: seat.handle, ask, body });
    if (ordered === undefined) {
      return seat.tell({ kind: "sealed_stale", ask, epoch: order.standing.epoch });
    }
    this.#options.counters.sealedMessages++;
    this.#broadcast(ordered);
  }

  /** A member says whether a commit was sound. */
  vote(seat: Seat, { ask, seq, ok }: RequestOf<"sealed_vote">): void {
    seat.tell({ kind: "sealed_done", ask });
    this.#applyVoid(this.#order?.vote(seat, { seq, ok }));
  }

  /** Lets chunks of the member `to` through to `seat`. Throws LimitError. */
  pull(seat: Seat, { ask, to, chunks, body }: RequestOf<"sealed_pull">): void {
    const sender = this.#seats.get(handleKey(to));
    if (sender?.peer === undefined || sender === seat) {
      throw new LimitError("Cannot get the file: who offered it is not here");
    }
    if (!seat.grant(sender.key, chunks)) {
      throw new LimitError("Cannot get the file: too much of it is on its way already");
    }
    sender.tell({ kind: "sealed_pull", room: this.number, from: seat.handle, chunks, body });
    seat.tell({ kind: "sealed_done", ask });
  }

  /** Passes a chunk on to who asked for it. False where nobody did. */
  chunk(seat: Seat, { to, body }: RequestOf<"sealed_chunk">): boolean {
    const receiver = this.#seats.get(handleKey(to));
    if (!receiver?.spend(seat.key)) return false;
    this.#options.counters.sealedChunks++;
    receiver.tell({ kind: "sealed_chunk", room: this.number, from: seat.handle, body });
    return true;
  }

  /** The link of `seat` is lost: it keeps its place for the grace time. */
  loseLink(seat: Seat): void {
    if (!this.#unlink(seat)) return;
    if (!seat.member) return this.#forget(seat);
    this.#send({ kind: "sealed_gone", room: this.number, handle: seat.handle, left: false });
    this.#startGrace(seat);
    this.tidy();
  }

  /** `seat` leaves for good; where it was a member, another removes its leaf at once. */
  leave(seat: Seat): void {
    this.#unlink(seat);
    this.#depart(seat);
  }

  /** Lets itself be forgotten where nobody is here, and nobody is waited for. */
  tidy(): void {
    const waitedFor = [...this.#seats.values()]
      .some(({ peer, departed }) => peer !== undefined || !departed);
    if (!waitedFor) this.#options.onEmpty();
  }

  /** Another server has the room: whoever is here comes again, and is passed on to it. */
  giveUp(): void {
    const peers = [...this.#seats.values()].map(({ peer }) => peer);
    this.close();
    for (const peer of peers) peer?.comeAgain();
  }

  /** Lets everybody go, and ends. */
  shut(): void {
    const peers = [...this.#seats.values()].map(({ peer }) => peer);
    this.close();
    for (const peer of peers) peer?.dropped(this.number, "closed");
  }

  /** Forgets all, and calls off all that was to come. */
  close(): void {
    for (const seat of this.#seats.values()) seat.stopGrace();
    this.#seats.clear();
    this.#joins.clear();
    this.#eviction.clear();
    this.#order?.clear();
    this.#order = undefined;
  }

  #seatOf({ handle, owner, member }: SeatClaim): Seat {
    const known = this.#seats.get(handleKey(handle));
    if (known !== undefined) {
      if (known.isOwnedBy(owner)) return known;
      throw new LimitError("Cannot come into the room: somebody else has this handle");
    }
    if (this.#seats.size >= SEALED_MEMBERS_MAX) {
      throw new LimitError(`Cannot come into the room: it has ${SEALED_MEMBERS_MAX} members`);
    }
    const seat = new Seat(handle, member);
    seat.isOwnedBy(owner);
    this.#seats.set(seat.key, seat);
    return seat;
  }

  #takeLink(seat: Seat, peer: SealedPeer): void {
    const previous = seat.peer;
    seat.stopGrace();
    seat.peer = peer;
    seat.revoke();
    if (previous !== undefined && previous !== peer) previous.dropped(this.number, "replaced");
    if (seat.departed) {
      seat.departed = false;
      this.#eviction.remove(seat);
    }
  }

  // After a restart of the server, members have one room in slightly different states: the latest is the true one.
  #correct(seat: Seat, { member, epoch, seq }: SeatClaim): void {
    const order = this.#order;
    if (order === undefined || !member || order.touched) return;
    if (this.#options.clock.now() >= this.#correctableUntil) return;
    const { standing } = order;
    if (epoch < standing.epoch || (epoch === standing.epoch && seq <= standing.seq)) return;
    order.clear();
    this.#begin({ epoch, seq });
    const missing = epoch > standing.epoch ? "epochs" : "messages";
    for (const other of this.#seats.values()) {
      if (other !== seat) this.#tellAttached(other, { ask: 0, missing });
    }
  }

  #answerAttach(seat: Seat, { ask, member, epoch, seq }: SeatClaim): void {
    if (this.#order === undefined) {
      return seat.tell({ kind: "sealed_none", ask, room: this.number });
    }
    // A newcomer has missed nothing: what was said before is not for it.
    const replay = member
      ? this.#order.since({ epoch, seq })
      : { missing: "nothing", broadcasts: [] } as const;
    this.#tellAttached(seat, { ask, missing: replay.missing });
    for (const broadcast of replay.broadcasts) seat.peer?.deliver(broadcast);
  }

  #tellAttached(seat: Seat, about: { readonly ask: number; readonly missing: Missing }): void {
    const members = Array.from(
      this.#seats.values(),
      ({ handle, peer }): [Uint8Array, boolean] => [handle, peer !== undefined],
    );
    const standing = this.#requireOrder().standing;
    seat.tell({ kind: "sealed_attached", ...about, room: this.number, ...standing, members });
  }

  #joinedInVain(seat: Seat): void {
    const members = this.#members();
    if (!this.#shutOut.add(seat, members)) return;
    this.#shutOut.clear();
    this.#order?.clear();
    this.#order = undefined;
    this.#joins.moved();
    for (const one of members) one.tell({ kind: "sealed_none", ask: 0, room: this.number });
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

  #restore({ order, seats, committer }: SealedRoomSnapshot): void {
    this.#begin(order, order);
    for (const known of seats) {
      const seat = Seat.restore(known);
      this.#seats.set(seat.key, seat);
      if (seat.departed) this.#eviction.add(seat);
      else this.#startGrace(seat);
    }
    if (committer !== null) this.#lastCommitter = this.#seats.get(handleKey(committer));
  }

  #requireOrder(): CommitOrder {
    if (this.#order !== undefined) return this.#order;
    throw new LimitError("Cannot do that in the sealed room: it has no group yet");
  }

  /** Members with a link, whoever made the current epoch first: it has certainly processed it. */
  #members(): readonly Seat[] {
    const all = [...this.#seats.values()].filter(({ member, peer }) =>
      member && peer !== undefined
    );
    const first = all.indexOf(this.#lastCommitter as Seat);
    return first <= 0 ? all : [all[first] as Seat, ...all.toSpliced(first, 1)];
  }

  #unlink(seat: Seat): boolean {
    if (seat.peer === undefined) return false;
    seat.peer = undefined;
    seat.revoke();
    for (const other of this.#seats.values()) other.revoke(seat.key);
    this.#joins.done(seat);
    this.#applyVoid(this.#order?.forgetVoter(seat));
    return true;
  }

  #startGrace(seat: Seat): void {
    seat.stopGrace();
    seat.stopGrace = this.#options.clock.after(this.#options.graceMs, () => this.#depart(seat));
  }

  #depart(seat: Seat): void {
    seat.stopGrace();
    this.#send({ kind: "sealed_gone", room: this.number, handle: seat.handle, left: true });
    if (!seat.member || this.#order === undefined) return this.#forget(seat);
    seat.departed = true;
    this.#eviction.add(seat);
    this.tidy();
  }

  #evicted(handle: Uint8Array): void {
    const seat = this.#seats.get(handleKey(handle));
    // Whoever has a link stays: it sees by itself that it is out of the group, and may join again.
    if (seat === undefined || seat.peer !== undefined) return;
    this.#options.counters.sealedEvictions++;
    seat.stopGrace();
    this.#eviction.remove(seat);
    this.#seats.delete(seat.key);
  }

  #applyVoid(voided: Voided | undefined): void {
    if (voided === undefined) return;
    this.#options.counters.sealedVoids++;
    this.#broadcast(voided.broadcast);
    this.#joins.moved();
    // Whoever came in by what is void now is not in the group.
    for (const seat of this.#seats.values()) {
      if (seat.memberFrom >= voided.event.seq) [seat.member, seat.memberFrom] = [false, 0];
    }
    const sender = voided.sender as Seat;
    const { peer } = sender;
    if (peer === undefined || this.#seats.get(sender.key) !== sender) return;
    peer.dropped(this.number, "voided");
    this.leave(sender);
  }

  #forget(seat: Seat): void {
    seat.stopGrace();
    this.#seats.delete(seat.key);
    this.tidy();
  }

  #send(event: Parameters<Seat["tell"]>[0], except?: Seat): void {
    this.#broadcast(new EncodedEvent(event, ""), except);
  }

  #broadcast(broadcast: EncodedEvent, except?: Seat): void {
    for (const seat of this.#seats.values()) {
      if (seat !== except) seat.peer?.deliver(broadcast);
    }
  }
}
