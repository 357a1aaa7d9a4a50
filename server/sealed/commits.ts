// Commits of a sealed room on their way through the relay: who may send one, who is a member after it, who is told, and
// what becomes of all that when members void it.

import { LimitError } from "../../shared/base/errors.ts";
import type { RequestOf } from "../../shared/messages/messages_v2.ts";
import { rosterDigest } from "../../shared/messages/roster_digest.ts";
import type { SealedCounters } from "../telemetry/counters.ts";
import type { CommitOrder, Voided } from "./commit_order.ts";
import type { Eviction } from "./eviction.ts";
import type { Guests } from "./guests.ts";
import type { JoinQueue } from "./join_queue.ts";
import type { Roster } from "./roster.ts";
import type { DropReason, Seat, Seats } from "./seat.ts";

type Commit = RequestOf<"sealed_commit">;

/** What commits need of their room. */
export interface CommitsOptions {
  readonly counters: SealedCounters;
  /** Number of the room. */
  readonly room: number;
  readonly seats: Seats;
  readonly roster: Roster;
  readonly joins: JoinQueue;
  readonly guests: Guests;
  readonly eviction: Eviction;
  /** Throws LimitError where the room has no group. */
  readonly order: () => CommitOrder;
  /** Lets a seat go. */
  readonly drop: (seat: Seat, why: DropReason) => void;
  /** Members found a commit of that seat unsound. */
  readonly onUnsound: (seat: Seat) => void;
}

/** Takes the commits of one room. */
export class Commits {
  readonly #options: CommitsOptions;

  constructor(options: CommitsOptions) {
    this.#options = options;
  }

  /** Orders a commit, that of a guest once a member has found it sound. Throws LimitError. */
  take(seat: Seat, request: Commit): void {
    const { roster, joins, order } = this.#options;
    if (roster.has(seat.key)) return this.#orderCommit(seat, request);
    // A guest's list is that of the members and itself: another one is of an earlier moment, or no list at all.
    // With who moderates it a lock comes back; who does, members check (M19).
    const fits = request.epoch === order().standing.epoch && roster.allows(seat, request) &&
      (request.locked || !roster.isLocked);
    if (!fits) return this.#refuseLate(seat, request);
    // A copy: what was decoded is a view of all that came with it.
    const commit = { ...request, body: new Uint8Array(request.body) };
    const { epoch, body } = commit;
    const isTurn = joins.judge(seat, {
      epoch,
      body,
      roster: rosterDigest(commit),
      order: () => this.#orderJudged(seat, commit),
      refuse: () => this.#tellConflict(seat, commit),
    });
    if (!isTurn) this.#refuseLate(seat, request);
  }

  /** Takes back what a void commit did, and all that came behind it. */
  undo(voided: Voided | undefined): void {
    if (voided === undefined) return;
    const { counters, seats, roster, eviction, joins, guests, onUnsound } = this.#options;
    counters.sealedVoids++;
    const witnesses = seats.members;
    roster.undo(voided.change);
    // Members that were removed by it are gone for good, or still have their seat.
    for (const seat of seats.addAbsent(roster.handles)) {
      seat.departed = true;
      eviction.add(seat);
    }
    seats.deliver(voided.broadcast, new Set([...witnesses, ...seats.members]));
    joins.moved();
    joins.voided(voided.sender as Seat);
    onUnsound(voided.sender as Seat);
    guests.changed();
  }

  #orderCommit(seat: Seat, request: Commit): void {
    const { ask, epoch, members, locked, body } = request;
    const { seats, roster, joins } = this.#options;
    const order = this.#options.order();
    const objection = order.objection({ epoch, body });
    if (objection === "late") return this.#refuseLate(seat, request);
    if (objection !== undefined) throw new LimitError(OBJECTIONS[objection]);
    if (!roster.allows(seat, request)) throw new LimitError(OBJECTIONS.others);
    const former = seats.members;
    const isMember = roster.has(seat.key);
    const needed = Math.floor(roster.size / 2) + 1 - (isMember ? 1 : 0);
    const change = roster.take({ members, locked }, former);
    if (!isMember) {
      this.#options.guests.hasEntered(seat);
      this.#tellWhoIsHere(seat);
    }
    const draft = { epoch, from: seat.handle, ask, roster: rosterDigest(request), body };
    const ordered = order.commit(draft, {
      sender: seat,
      electorate: former.filter((one) => one !== seat),
      change,
      needed,
      onAgreed: () => roster.agree(change),
    });
    // A removed member learns it from this frame, the last one it gets.
    seats.deliver(ordered, new Set([...former, ...seats.members]));
    seats.lastCommitter = seat;
    joins.entered(seat);
    joins.moved();
    this.#afterCommit(locked);
  }

  #afterCommit(isLocked: boolean): void {
    const { counters, eviction, guests } = this.#options;
    counters.sealedCommits++;
    this.#forgetRemoved();
    if (isLocked) this.#dropGuests();
    eviction.memberCame();
    guests.changed();
  }

  /** A member has found the commit of a guest sound; the guest hears why it is not ordered all the same. */
  #orderJudged(seat: Seat, commit: Commit): void {
    try {
      this.#orderCommit(seat, commit);
    } catch (error) {
      if (!(error instanceof LimitError)) throw error;
      const { room, joins } = this.#options;
      joins.late(seat);
      seat.tell({ kind: "sealed_declined", ask: commit.ask, room, why: error.message });
    }
  }

  #refuseLate(seat: Seat, commit: Commit): void {
    this.#options.joins.late(seat);
    this.#tellConflict(seat, commit);
  }

  #tellConflict(seat: Seat, { ask }: Commit): void {
    const { counters, order } = this.#options;
    counters.sealedConflicts++;
    seat.tell({ kind: "sealed_conflict", ask, ...order().standing });
  }

  #tellWhoIsHere(seat: Seat): void {
    const { room, seats } = this.#options;
    seat.tell({ kind: "sealed_here", room, handles: seats.members.map(({ handle }) => handle) });
    const count = seats.guests.length;
    if (count > 0) seat.tell({ kind: "sealed_guests", room, count });
  }

  /** Those who are not in the group any more: without a connection there is nothing to wait for. */
  #forgetRemoved(): void {
    const { counters, seats, roster, eviction } = this.#options;
    for (const seat of seats.all) {
      if (roster.has(seat.key) || seat.peer !== undefined) continue;
      counters.sealedEvictions++;
      eviction.remove(seat);
      seats.remove(seat);
    }
  }

  /** In a locked room nobody waits; a member that was just removed may still vote on that. */
  #dropGuests(): void {
    const { seats, roster, drop } = this.#options;
    for (const seat of seats.guests) if (!roster.wasRemoved(seat.key)) drop(seat, "locked");
  }
}

const OBJECTIONS = {
  voided: "Cannot take this commit: it was voided",
  busy: "Cannot take this commit: members have not agreed to those before it",
  others: "Cannot take this commit: it names members that the room does not have",
} as const;
