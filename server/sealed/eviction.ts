// Those who are gone for good while their leaves are still in the group: one member after another is asked to commit
// their removal, until one has.

import { SEALED_EVICT_MS, SEALED_EVICT_PAUSE_MS } from "../config/limits.ts";
import type { SealedClock } from "./room_contract.ts";
import type { HandleKey, Seat } from "./seat.ts";

/** The eviction's view of its room. */
export interface EvictionOptions {
  /** Number of the room. */
  readonly room: number;
  readonly clock: SealedClock;
  /** Who can commit now, the best first. */
  readonly members: () => readonly Seat[];
}

/** Asks members to remove those who are gone. */
export class Eviction {
  readonly #options: EvictionOptions;
  readonly #departed = new Map<HandleKey, Seat>();
  readonly #asked = new Set<Seat>();
  #running = false;
  #stop: () => void = () => {};

  constructor(options: EvictionOptions) {
    this.#options = options;
  }

  /** Leaves to be removed. */
  get size(): number {
    return this.#departed.size;
  }

  /** A seat is gone for good. */
  add(seat: Seat): void {
    this.#departed.set(seat.key, seat);
    this.#asked.clear();
    this.#ask();
  }

  /** A leaf was removed, or its owner is back. */
  remove(seat: Seat): void {
    if (!this.#departed.delete(seat.key) || this.#departed.size > 0) return;
    this.#stop();
    this.#running = false;
  }

  /** Somebody came, who can be asked where nobody could. */
  memberCame(): void {
    if (!this.#running && this.#departed.size > 0) this.#ask();
  }

  /** The room is gone. */
  clear(): void {
    this.#stop();
    this.#departed.clear();
    this.#running = false;
  }

  #ask(): void {
    this.#stop();
    const { clock, room } = this.#options;
    const members = this.#options.members();
    this.#running = members.length > 0;
    if (!this.#running) return;
    const member = members.find((seat) => !this.#asked.has(seat));
    if (member === undefined) {
      this.#asked.clear();
      this.#stop = clock.after(SEALED_EVICT_PAUSE_MS, () => this.#ask());
      return;
    }
    this.#asked.add(member);
    const handles = Array.from(this.#departed.values(), ({ handle }) => handle);
    member.tell({ kind: "sealed_evict_please", room, handles });
    this.#stop = clock.after(SEALED_EVICT_MS, () => this.#ask());
  }
}
