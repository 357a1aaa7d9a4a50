// The last events of a room, for members whose connection was lost for a moment. In memory only, bounded in number, bytes
// and age, and all rooms together in bytes.

import { ROOM_MEMORY_BYTES, ROOM_MEMORY_EVENTS } from "../config/limits.ts";
import { EncodedEvent } from "../delivery/encoded_event.ts";
import type { BudgetAccount, BudgetPayer, BudgetShare, FairBudget } from "../limits/fair_budget.ts";

/** An event that is kept. */
export interface RecentEvent {
  readonly broadcast: EncodedEvent;
  readonly at: number;
  readonly bytes: number;
  readonly time: number;
}

/** What a room can still replay: the events after a position, and whether these are all. */
export interface MissedEvents {
  readonly events: readonly EncodedEvent[];
  /** The position after which `events` begin. */
  readonly after: number;
  readonly complete: boolean;
}

const GONE: RecentEvent = {
  broadcast: new EncodedEvent({ kind: "ping" }, ""),
  at: 0,
  bytes: 0,
  time: 0,
};

/** A queue of events with their positions in the room, which grow by one. */
export class RecentEvents implements BudgetPayer {
  readonly #maxAgeMs: number;
  #events: RecentEvent[] = [];
  #start = 0;
  #bytes = 0;
  readonly #budget: FairBudget;
  readonly #share: BudgetShare;

  /** `maxAgeMs`: how long an event is kept; 0 = no event is. */
  constructor(maxAgeMs: number, { budget, source }: BudgetAccount) {
    this.#maxAgeMs = maxAgeMs;
    this.#budget = budget;
    this.#share = budget.open(source, this);
  }

  /** Keeps the event at position `at`, `now` in ms. */
  add(broadcast: EncodedEvent, at: number, now: number): void {
    if (this.#maxAgeMs === 0) return;
    const { bytes } = broadcast.v2;
    this.#events.push({ broadcast, at, bytes, time: now });
    this.#bytes += bytes;
    this.#budget.take(this.#share, bytes);
    this.forget(now);
  }

  /** Forgets what is too old or too much at `now`. */
  forget(now: number): void {
    this.#dropWhile(({ time }) =>
      this.#events.length - this.#start > ROOM_MEMORY_EVENTS ||
      this.#bytes > ROOM_MEMORY_BYTES || now - time > this.#maxAgeMs
    );
  }

  /** Called by the budget: forgets the older half. */
  pay(): void {
    const half = this.#bytes / 2;
    this.#dropWhile(() => this.#bytes > half);
  }

  /** The room is gone. */
  close(): void {
    this.#dropWhile(() => true);
    this.#budget.close(this.#share);
  }

  #dropWhile(isDue: (oldest: RecentEvent) => boolean): void {
    for (;;) {
      const oldest = this.#events[this.#start];
      if (oldest === undefined || !isDue(oldest)) break;
      this.#bytes -= oldest.bytes;
      this.#budget.give(this.#share, oldest.bytes);
      // What is forgotten must not live on until the array is cut: the budget counts it no longer.
      this.#events[this.#start++] = GONE;
    }
    // Shifting one by one would cost the length each time: the array is cut when half of it is dead.
    if (this.#start > 64 && this.#start * 2 > this.#events.length) {
      this.#events = this.#events.slice(this.#start);
      this.#start = 0;
    }
  }

  /** All that is kept, oldest first. */
  get all(): readonly RecentEvent[] {
    return this.#events.slice(this.#start);
  }

  /** What happened after position `seen` in a room that is at position `last`. */
  since(seen: number, last: number): MissedEvents {
    const kept = this.#events.slice(this.#start);
    const events = kept.filter((event) => event.at > seen).map(({ broadcast }) => broadcast);
    const after = last - events.length;
    return { events, after, complete: seen >= after };
  }
}
