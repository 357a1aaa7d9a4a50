// The order of a sealed room: which commit makes the next epoch, which messages fit, and what members void. Knows no
// connections; the relay can judge nothing of what it orders, so members say whether a commit was sound.
//
// The contract:
// 1. A frame is ordered once, under the next sequence; sequences grow by one and are never given twice.
// 2. A commit is ordered only in the current epoch (compare and set), and makes the next one current.
// 3. A message is ordered in the current epoch and in the one before.
// 4. When more than half of those who were members at a commit say that it was unsound, its epoch is current again,
//    and all frames behind it are void. What was voided is never ordered again.
// 5. While SEALED_VOTES_OPEN_MAX commits wait for half of their voters to agree, no other is ordered: none escapes its vote.

import { encodeBase64 } from "../../shared/base/base64.ts";
import { sha256 } from "../../shared/crypto/hkdf.ts";
import { SEALED_VOIDED_MAX, SEALED_VOTE_MS, SEALED_VOTES_OPEN_MAX } from "../config/limits.ts";
import type { EventOf } from "../../shared/messages/messages_v2.ts";
import type { BudgetAccount } from "../limits/fair_budget.ts";
import { EncodedEvent } from "../delivery/encoded_event.ts";
import { FrameRing, type Replay, type RingPosition, type RingState } from "./frame_ring.ts";
import type { RosterChange } from "./roster.ts";

/** A frame as its sender gives it. */
export interface FrameDraft {
  readonly epoch: number;
  readonly from: Uint8Array;
  readonly ask: number;
  /** Digest of who is in the group after a commit. */
  readonly roster?: Uint8Array;
  readonly body: Uint8Array;
}

/** Somebody who may vote; compared by identity. */
export type Voter = object;

/** A commit that was voided, and who had sent it. */
export interface Voided {
  readonly event: EventOf<"sealed_void">;
  readonly broadcast: EncodedEvent;
  readonly sender: Voter;
  readonly change: RosterChange;
}

/** What becomes of a commit that is ordered. */
export interface Ballot {
  readonly sender: Voter;
  /** Who may vote. */
  readonly electorate: Iterable<Voter>;
  /** What the commit does to the members. */
  readonly change: RosterChange;
  /** So many of the electorate must agree for more than half of the former members to have done so. */
  readonly needed: number;
  /** Called once, when they have. */
  readonly onAgreed: () => void;
}

interface OpenVote extends Ballot {
  readonly seq: number;
  readonly epoch: number;
  readonly hash: string;
  readonly until: number;
  readonly electorate: Set<Voter>;
  readonly inFavor: Set<Voter>;
  readonly against: Set<Voter>;
  isAgreed: boolean;
}

/** What the next process must know of an order. */
export interface OrderState extends RingPosition {
  /** Hashes of commits that were voided. */
  readonly voided: readonly string[];
  readonly ring: RingState;
}

/** What an order needs. */
export interface OrderOptions {
  /** Number of the room. */
  readonly room: number;
  readonly start: RingPosition;
  readonly memory: BudgetAccount;
  readonly maxAgeMs: number;
  /** ms since 1970. */
  readonly utc: () => number;
  /** Monotonic ms. */
  readonly now: () => number;
  /** What the process before this one had ordered. */
  readonly known?: OrderState | undefined;
}

const NO_ROSTER = new Uint8Array();

/** Epochs, sequences and votes of one room. */
export class CommitOrder {
  readonly #options: OrderOptions;
  readonly #ring: FrameRing;
  readonly #voided = new Set<string>();
  #votes: OpenVote[] = [];
  #epoch: number;
  #seq: number;
  #ordered = false;

  constructor(options: OrderOptions) {
    this.#options = options;
    this.#ring = new FrameRing(options.memory, options);
    this.#epoch = options.start.epoch;
    this.#seq = options.start.seq;
    if (options.known === undefined) return;
    this.#ordered = true;
    this.#ring.restore(options.known.ring);
    for (const hash of options.known.voided) this.#voided.add(hash);
  }

  /** What the next process must know. */
  get state(): OrderState {
    return { ...this.standing, voided: [...this.#voided], ring: this.#ring.state };
  }

  /** The current epoch and the last sequence. */
  get standing(): RingPosition {
    return { epoch: this.#epoch, seq: this.#seq };
  }

  /** Whether anything was ordered since this began. */
  get touched(): boolean {
    return this.#ordered;
  }

  /** Orders a message; undefined where its epoch is over. */
  app(draft: FrameDraft): EncodedEvent | undefined {
    if (draft.epoch !== this.#epoch && draft.epoch !== this.#epoch - 1) return undefined;
    return this.#order("app", draft);
  }

  /** Why a commit cannot be ordered; undefined where it can. */
  objection(
    { epoch, body }: Pick<FrameDraft, "epoch" | "body">,
  ): "late" | "voided" | "busy" | undefined {
    this.#closeVotes();
    if (this.#voided.has(encodeBase64(sha256(body)))) return "voided";
    if (epoch !== this.#epoch) return "late";
    const open = this.#votes.filter((vote) => !isSettled(vote));
    return open.length >= SEALED_VOTES_OPEN_MAX ? "busy" : undefined;
  }

  /** Orders a commit to which there is no objection. */
  commit(draft: FrameDraft, ballot: Ballot): EncodedEvent {
    const hash = encodeBase64(sha256(draft.body));
    const broadcast = this.#order("commit", draft);
    this.#epoch++;
    const vote: OpenVote = {
      ...ballot,
      seq: this.#seq,
      epoch: draft.epoch,
      hash,
      until: this.#options.now() + SEALED_VOTE_MS,
      electorate: new Set(ballot.electorate),
      inFavor: new Set(),
      against: new Set(),
      isAgreed: false,
    };
    this.#votes.push(vote);
    this.#countInFavor(vote);
    return broadcast;
  }

  /** Takes a vote. Gives what is void because of it. */
  vote(
    voter: Voter,
    { seq, ok }: { readonly seq: number; readonly ok: boolean },
  ): Voided | undefined {
    this.#closeVotes();
    const vote = this.#votes.find((open) => open.seq === seq);
    if (vote === undefined || !vote.electorate.has(voter)) return undefined;
    (ok ? vote.against : vote.inFavor).delete(voter);
    (ok ? vote.inFavor : vote.against).add(voter);
    if (ok) this.#countInFavor(vote);
    return this.#count(vote);
  }

  /** A voter has no connection any more, and does not count. Gives what is void because of it. */
  forgetVoter(voter: Voter): Voided | undefined {
    this.#closeVotes();
    for (const vote of this.#votes) {
      vote.electorate.delete(voter);
      vote.inFavor.delete(voter);
      vote.against.delete(voter);
    }
    for (const vote of this.#votes) {
      const voided = this.#count(vote);
      if (voided !== undefined) return voided;
    }
    return undefined;
  }

  /** What a member that is at `from` has missed. */
  since(from: RingPosition): Replay {
    this.forgetOld();
    return this.#ring.since(from, this.standing);
  }

  /** Forgets messages that are too old: a quiet room has no frame that does it. */
  forgetOld(): void {
    this.#ring.forgetOld(this.#options.utc());
  }

  /** Forgets all: the room is gone. */
  clear(): void {
    this.#ring.clear();
    this.#votes = [];
  }

  #order(
    type: EventOf<"sealed_frame">["type"],
    { epoch, from, ask, roster = NO_ROSTER, body }: FrameDraft,
  ): EncodedEvent {
    const { room, utc } = this.#options;
    const frame: EventOf<"sealed_frame"> = {
      kind: "sealed_frame",
      room,
      seq: ++this.#seq,
      type,
      epoch,
      from,
      ask,
      time: utc(),
      roster,
      body,
    };
    this.#ordered = true;
    const broadcast = new EncodedEvent(frame, "");
    this.#ring.forgetOld(frame.time);
    this.#ring.add(frame, broadcast);
    return broadcast;
  }

  #closeVotes(): void {
    const now = this.#options.now();
    this.#votes = this.#votes.filter(({ until }) => now < until);
    const settled = this.#votes.filter(isSettled);
    if (settled.length <= SEALED_VOTES_OPEN_MAX) return;
    const [oldest] = settled;
    this.#votes = this.#votes.filter((vote) => vote !== oldest);
  }

  #countInFavor(vote: OpenVote): void {
    if (vote.isAgreed || vote.inFavor.size < vote.needed) return;
    vote.isAgreed = true;
    vote.onAgreed();
  }

  #count(vote: OpenVote): Voided | undefined {
    if (vote.against.size * 2 <= vote.electorate.size) return undefined;
    this.#epoch = vote.epoch;
    for (const later of this.#votes.filter(({ seq }) => seq >= vote.seq)) this.#ban(later.hash);
    this.#votes = this.#votes.filter(({ seq }) => seq < vote.seq);
    const { room } = this.#options;
    const event: EventOf<"sealed_void"> = {
      kind: "sealed_void",
      room,
      seq: vote.seq,
      last: this.#seq,
      epoch: vote.epoch,
    };
    const broadcast = new EncodedEvent(event, "");
    this.#ring.void(event, broadcast);
    return { event, broadcast, sender: vote.sender, change: vote.change };
  }

  #ban(hash: string): void {
    this.#voided.add(hash);
    if (this.#voided.size > SEALED_VOIDED_MAX) {
      this.#voided.delete(this.#voided.values().next().value as string);
    }
  }
}

/** Whether half of those who may vote have agreed: the others are too few to void it. */
function isSettled({ electorate, inFavor }: OpenVote): boolean {
  return inFavor.size * 2 >= electorate.size;
}
