// The last events of a room, for members whose connection was lost for a moment. In memory only, bounded in number, bytes
// and age, and all rooms together in bytes.

import { ROOM_MEMORY_BYTES, ROOM_MEMORY_EVENTS } from "../config/limits.ts";
import type { FramedBody } from "../../shared/channel/record_batch.ts";
import { EncodedEvent, type OutgoingBody } from "../delivery/encoded_event.ts";
import type { BudgetAccount, BudgetPayer, BudgetShare, FairBudget } from "../limits/fair_budget.ts";

/** An event that is kept: its bytes, since as objects it takes ten times as much. */
export interface RecentEvent {
  readonly body: OutgoingBody<FramedBody>;
  readonly title: string;
  readonly at: number;
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
  body: { content: [], bytes: 0, waiting: 0 },
  title: "",
  at: 0,
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
    const { v2: body, title } = broadcast;
    this.#events.push({ body, title, at, time: now });
    this.#bytes += body.bytes;
    this.#budget.take(this.#share, body.bytes);
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
      this.#bytes -= oldest.body.bytes;
      this.#budget.give(this.#share, oldest.body.bytes);
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
    const events = kept.filter(({ at }) => at > seen)
      .map(({ body, title }) => EncodedEvent.ofBody(body, title));
    const after = last - events.length;
    return { events, after, complete: seen >= after };
  }
}
