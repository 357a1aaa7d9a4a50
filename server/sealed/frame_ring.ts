// The last frames of a sealed room, for those who come back. Messages are forgotten before commits: without a commit,
// whoever comes back must join again.

import { SEALED_RING, SEALED_RING_COMMITS } from "../config/limits.ts";
import type { EventOf } from "../../shared/messages/messages_v2.ts";
import { decodeEvent, encodeEvent } from "../../shared/messages/codec_v2.ts";
import { EncodedEvent } from "../delivery/encoded_event.ts";
import type { BudgetAccount, BudgetPayer, BudgetShare, FairBudget } from "../limits/fair_budget.ts";

type Frame = EventOf<"sealed_frame">;
/** One of MISSING. */
export type Missing = EventOf<"sealed_attached">["missing"];

interface Kept {
  readonly frame: Frame;
  readonly broadcast: EncodedEvent;
  readonly bytes: number;
}

interface Void {
  readonly event: EventOf<"sealed_void">;
  readonly broadcast: EncodedEvent;
}

/** Up to where somebody has a room. */
export interface RingPosition {
  readonly epoch: number;
  readonly seq: number;
}

/** What is sent to a member that comes back. */
export interface Replay {
  readonly missing: Missing;
  readonly broadcasts: readonly EncodedEvent[];
}

/** What the next process must know of a ring: frames and voids as they are told. */
export interface RingState {
  readonly events: readonly Uint8Array[];
  readonly epochsFrom: number;
  readonly forgotten: number;
}

// The size of a frame besides its body.
const FRAME_OVERHEAD_BYTES = 200;
const VOIDS_KEPT = 64;

/** Frames in order, bounded in number, bytes and, for messages, age. */
export class FrameRing implements BudgetPayer {
  readonly #budget: FairBudget;
  readonly #share: BudgetShare;
  readonly #maxAgeMs: number;
  #commits: Kept[] = [];
  #messages: Kept[] = [];
  #voids: Void[] = [];
  #commitBytes = 0;
  #messageBytes = 0;
  /** Of commits, none below is complete: the epoch from which on all are here. */
  #epochsFrom: number;
  /** The highest sequence of a frame that was forgotten. */
  #forgotten: number;

  /** The ring of a room that begins behind `start`. */
  constructor(
    { budget, source }: BudgetAccount,
    { start, maxAgeMs }: { start: RingPosition; maxAgeMs: number },
  ) {
    this.#budget = budget;
    this.#share = budget.open(source, this);
    this.#maxAgeMs = maxAgeMs;
    this.#epochsFrom = start.epoch;
    this.#forgotten = start.seq;
  }

  /** Bytes that are remembered. */
  get bytes(): number {
    return this.#commitBytes + this.#messageBytes;
  }

  /** What the next process must know. */
  get state(): RingState {
    const frames = [...this.#commits, ...this.#messages].map(({ frame }) => encodeEvent(frame));
    const voids = this.#voids.map(({ event }) => encodeEvent(event));
    const [epochsFrom, forgotten] = [this.#epochsFrom, this.#forgotten];
    return { events: [...frames, ...voids], epochsFrom, forgotten };
  }

  /** Has what another process kept. */
  restore({ events, epochsFrom, forgotten }: RingState): void {
    [this.#epochsFrom, this.#forgotten] = [epochsFrom, forgotten];
    for (const body of events) {
      const event = decodeEvent(body);
      if (event.kind === "sealed_frame") this.add(event, new EncodedEvent(event, ""));
      if (event.kind !== "sealed_void") continue;
      this.#voids.push({ event, broadcast: new EncodedEvent(event, "") });
    }
  }

  /** Keeps a frame; `broadcast` carries it. */
  add(frame: Frame, broadcast: EncodedEvent): void {
    const bytes = frame.body.length + FRAME_OVERHEAD_BYTES;
    const kept = { frame, broadcast, bytes };
    if (frame.type === "commit") {
      this.#commits.push(kept);
      this.#commitBytes += bytes;
    } else {
      this.#messages.push(kept);
      this.#messageBytes += bytes;
    }
    this.#budget.take(this.#share, bytes);
    this.#shrink();
  }

  /** Forgets messages that are too old at `now` (as frames' times). */
  forgetOld(now: number): void {
    while (now - (this.#messages[0]?.frame.time ?? now) > this.#maxAgeMs) this.#dropMessage();
  }

  /** Takes the void frames out and remembers that they are. */
  void(event: EventOf<"sealed_void">, broadcast: EncodedEvent): void {
    const stays = ({ frame }: Kept): boolean => frame.seq < event.seq || frame.seq > event.last;
    const [commits, messages] = [this.#commits.filter(stays), this.#messages.filter(stays)];
    const before = this.bytes;
    [this.#commits, this.#messages] = [commits, messages];
    this.#commitBytes = bytesOf(commits);
    this.#messageBytes = bytesOf(messages);
    this.#budget.give(this.#share, before - this.bytes);
    this.#voids.push({ event, broadcast });
    if (this.#voids.length > VOIDS_KEPT) {
      // A member that has not heard of it is as far behind as one whose commits are gone.
      const gone = this.#voids.shift() as Void;
      this.#epochsFrom = Math.max(this.#epochsFrom, gone.event.epoch + 1);
    }
  }

  /** What is sent to a member that is at `from` in a room that is at `to`. */
  since(from: RingPosition, to: RingPosition): Replay {
    if (from.epoch < this.#epochsFrom || from.epoch > this.#reachable(from, to)) {
      return { missing: "epochs", broadcasts: [] };
    }
    const frames = [...this.#commits, ...this.#messages]
      .filter(({ frame }) => frame.seq > from.seq)
      .map(({ frame, broadcast }) => ({ place: frame.seq, broadcast }));
    const voids = this.#voids
      .filter(({ event }) => event.last >= from.seq)
      // Behind all that was void, before what follows it.
      .map(({ event, broadcast }) => ({ place: event.last + 0.5, broadcast }));
    const broadcasts = [...frames, ...voids].sort((a, b) => a.place - b.place)
      .map(({ broadcast }) => broadcast);
    // One who has seen more than there is was here before the relay forgot the room.
    const whole = from.seq >= this.#forgotten && from.seq <= to.seq;
    return { missing: whole ? "nothing" : "messages", broadcasts };
  }

  /** Forgets all: the room is gone. */
  clear(): void {
    this.#budget.give(this.#share, this.bytes);
    this.#budget.close(this.#share);
    [this.#commits, this.#messages, this.#voids] = [[], [], []];
    [this.#commitBytes, this.#messageBytes] = [0, 0];
  }

  // A member of an epoch that is void now has one more than the room until it hears of that.
  #reachable(from: RingPosition, to: RingPosition): number {
    const unheard = this.#voids.filter(({ event }) => event.last >= from.seq);
    return Math.max(
      to.epoch,
      ...unheard.map(({ event }) => event.epoch + event.last - event.seq + 1),
    );
  }

  #shrink(): void {
    const commits = (): boolean =>
      this.#commits.length > SEALED_RING_COMMITS.frames ||
      this.#commitBytes > SEALED_RING_COMMITS.bytes;
    while (commits()) this.#dropCommit();
    const all = (): boolean =>
      this.#commits.length + this.#messages.length > SEALED_RING.frames ||
      this.bytes > SEALED_RING.bytes;
    this.#dropWhile(all);
  }

  /** Called by the budget: forgets the older half. */
  pay(): void {
    const half = this.bytes / 2;
    this.#dropWhile(() => this.bytes > half);
  }

  #dropWhile(isTooMuch: () => boolean): void {
    while (isTooMuch() && this.#messages.length > 0) this.#dropMessage();
    while (isTooMuch() && this.#commits.length > 0) this.#dropCommit();
  }

  #dropMessage(): void {
    const dropped = this.#messages.shift();
    if (dropped === undefined) return;
    this.#messageBytes -= dropped.bytes;
    this.#forgot(dropped);
  }

  #dropCommit(): void {
    const dropped = this.#commits.shift();
    if (dropped === undefined) return;
    this.#commitBytes -= dropped.bytes;
    this.#epochsFrom = Math.max(this.#epochsFrom, dropped.frame.epoch + 1);
    this.#forgot(dropped);
  }

  #forgot({ frame, bytes }: Kept): void {
    this.#budget.give(this.#share, bytes);
    this.#forgotten = Math.max(this.#forgotten, frame.seq);
  }
}

function bytesOf(kept: readonly Kept[]): number {
  return kept.reduce((sum, { bytes }) => sum + bytes, 0);
}
