// Restores the group of a sealed room that this relay does not know: after a restart, or after it got into a state that
// nobody can enter. Its members bring it back; for a while the relay has only their word.

import { SEALED_BRING_BACK_MS } from "../config/limits.ts";
import type { RingPosition } from "./frame_ring.ts";
import type { HandleKey, Seat } from "./seat.ts";

/** Times are monotonic ms. */
export class BringBack {
  /** Until when another's later state corrects what was brought back. */
  #correctableUntil = -Infinity;
  /** Until when every client that claims to be a member counts as one where nobody can enter. */
  #unsettledUntil = -Infinity;
  #heirs: ReadonlySet<HandleKey> = new Set();
  #heirsUntil = -Infinity;
  #waiting: readonly Seat[] = [];

  /** There is no group any more: only these may bring it back for a moment, where there are any. */
  lost(heirs: readonly HandleKey[], now: number): void {
    this.#heirs = new Set(heirs);
    this.#heirsUntil = heirs.length === 0 ? -Infinity : now + SEALED_BRING_BACK_MS;
  }

  /** Whether a seat may make the group. */
  allows({ key }: Seat, now: number): boolean {
    return now >= this.#heirsUntil || this.#heirs.has(key);
  }

  /** A group was brought back; its members have `graceMs` to come. */
  begun(now: number, graceMs: number): void {
    this.#correctableUntil = now + SEALED_BRING_BACK_MS;
    this.#unsettledUntil = now + graceMs;
  }

  /** Whether the relay has lost the roster, and clients that claim to be members count as such. */
  isUnsettled(now: number): boolean {
    return now < this.#unsettledUntil;
  }

  /** Whether a member's state is later than what was brought back, in which nothing has been ordered since. */
  isLater(claim: RingPosition, standing: RingPosition, now: number): boolean {
    if (now >= this.#correctableUntil) return false;
    return claim.epoch > standing.epoch ||
      (claim.epoch === standing.epoch && claim.seq > standing.seq);
  }

  /** These are told where the room is once another has corrected it. */
  wait(seats: readonly Seat[]): void {
    this.#waiting = seats;
  }

  /** The seats that wait for that. */
  takeWaiting(): readonly Seat[] {
    const waiting = this.#waiting;
    this.#waiting = [];
    return waiting;
  }
}
