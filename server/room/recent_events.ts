// The last events of a room, for those whose link was lost for a moment. In memory only, bounded in number,
// bytes and age.

import { ROOM_MEMORY_BYTES, ROOM_MEMORY_EVENTS } from "../config/limits.ts";
import type { EncodedEvent } from "../delivery/encoded_event.ts";

/** An event that is remembered. */
export interface RecentEvent {
  readonly broadcast: EncodedEvent;
  readonly at: number;
  readonly bytes: number;
  readonly time: number;
}

/** What a room can still tell: the events behind a place, and whether they are all there. */
export interface MissedEvents {
  readonly events: readonly EncodedEvent[];
  /** The place after which `events` begin. */
  readonly after: number;
  readonly complete: boolean;
}

/** A queue of events with their places in the room, which grow by one. */
export class RecentEvents {
  readonly #maxAgeMs: number;
  #events: RecentEvent[] = [];
  #start = 0;
  #bytes = 0;

  /** `maxAgeMs`: how long an event is kept; 0 = nothing is. */
  constructor(maxAgeMs: number) {
    this.#maxAgeMs = maxAgeMs;
  }

  /** Keeps the event at place `at`, `now` in ms. */
  add(broadcast: EncodedEvent, at: number, now: number): void {
    if (this.#maxAgeMs === 0) return;
    const { bytes } = broadcast.v2;
    this.#events.push({ broadcast, at, bytes, time: now });
    this.#bytes += bytes;
    this.forget(now);
  }

  /** Forgets what is too old or too much at `now`. */
  forget(now: number): void {
    for (;;) {
      const oldest = this.#events[this.#start];
      if (oldest === undefined) break;
      const tooMany = this.#events.length - this.#start > ROOM_MEMORY_EVENTS;
      const tooLarge = this.#bytes > ROOM_MEMORY_BYTES;
      if (!tooMany && !tooLarge && now - oldest.time <= this.#maxAgeMs) break;
      this.#bytes -= oldest.bytes;
      this.#start++;
    }
    // Shifting one by one would cost the length each time: cut when half of the array is dead.
    if (this.#start > 64 && this.#start * 2 > this.#events.length) {
      this.#events = this.#events.slice(this.#start);
      this.#start = 0;
    }
  }

  /** All that is remembered, oldest first. */
  get all(): readonly RecentEvent[] {
    return this.#events.slice(this.#start);
  }

  /** What happened after place `seen` in a room that is at place `last`. */
  since(seen: number, last: number): MissedEvents {
    const kept = this.#events.slice(this.#start);
    const events = kept.filter((event) => event.at > seen).map(({ broadcast }) => broadcast);
    const after = last - events.length;
    return { events, after, complete: seen >= after };
  }
}
