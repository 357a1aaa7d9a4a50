// Members whom nobody could let into the current epoch. One that most members cannot come into is none: as after a
// restart, they bring back the one that they have.

import type { Seat } from "./seat.ts";

/** Who could not come into an epoch. */
export class FailedJoins {
  readonly #seats = new Set<Seat>();

  /** One more. True where nobody has the epoch: these are more than half of `members`, who have a link. */
  add(seat: Seat, members: readonly Seat[]): boolean {
    if (!seat.member) return false;
    this.#seats.add(seat);
    const count = members.filter((member) => this.#seats.has(member)).length;
    // One alone does not decide it, who may be a former member while the others are away for a moment.
    return count >= 2 && count * 2 > members.length;
  }

  /** Another epoch, or somebody could. */
  clear(): void {
    this.#seats.clear();
  }
}
