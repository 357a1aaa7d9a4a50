// Connections that hold the link of a sealed room and are not in its group: members are told how many there are, and a
// source cannot fill the room with them.

import { LimitError } from "../../shared/base/errors.ts";
import {
  SEALED_GUEST_IDLE_MS,
  SEALED_GUESTS_MAX,
  SEALED_GUESTS_OF_A_SOURCE,
  SEALED_GUESTS_TOLD_MS,
} from "../config/limits.ts";
import type { SealedClock } from "./room_contract.ts";
import type { Seat } from "./seat.ts";

/** What the guests need of their room. */
export interface GuestsOptions {
  readonly clock: SealedClock;
  /** All who have a connection and are not in the group, whoever came first before the others. */
  readonly list: () => readonly Seat[];
  /** Whether a guest waits for its turn to join, or has it. */
  readonly isWaiting: (seat: Seat) => boolean;
  /** Tells all members how many there are. */
  readonly tell: (count: number) => void;
}

/** Counts the guests of one room, and bounds them. */
export class Guests {
  readonly #options: GuestsOptions;
  #told = 0;
  #isNews = false;
  #stop: (() => void) | undefined;

  constructor(options: GuestsOptions) {
    this.#options = options;
  }

  /**
   * Makes room for one more of that source. Gives the guest that has to go: one that had its turn and did not use it, or
   * never asked for one. Throws LimitError where all wait for their turn.
   */
  makeRoom(source: unknown): Seat | undefined {
    const all = this.#options.list();
    const own = all.filter((seat) => seat.source === source);
    const crowd = own.length >= SEALED_GUESTS_OF_A_SOURCE
      ? own
      : all.length >= SEALED_GUESTS_MAX
      ? all
      : [];
    if (crowd.length === 0) return undefined;
    const idle = crowd.filter((seat) => this.#isIdle(seat));
    const [first, ...others] = idle;
    if (first === undefined) {
      throw new LimitError("Cannot join the room: others are waiting to join. Try again.");
    }
    return others.reduce(
      (worst, seat) => seat.turnsInVain > worst.turnsInVain ? seat : worst,
      first,
    );
  }

  #isIdle(seat: Seat): boolean {
    const { clock, isWaiting } = this.#options;
    if (seat.turnsInVain > 0) return true;
    return !isWaiting(seat) && clock.now() - seat.since >= SEALED_GUEST_IDLE_MS;
  }

  /** Guests have come or gone. Members are told at once, and then once in a while. */
  changed(): void {
    this.#isNews = true;
    if (this.#stop === undefined) this.#tell();
  }

  #tell(): void {
    const { clock, list, tell } = this.#options;
    const count = list().length;
    this.#isNews = false;
    if (count === 0 && this.#told === 0) return;
    this.#told = count;
    tell(count);
    this.#stop = clock.after(SEALED_GUESTS_TOLD_MS, () => {
      this.#stop = undefined;
      // Also if the number is the same again: a client that has become a member since was not told.
      if (this.#isNews) this.#tell();
    });
  }

  /** How many guests members were told of. */
  get told(): number {
    return this.#told;
  }

  /** The room is gone. */
  clear(): void {
    this.#stop?.();
    this.#stop = undefined;
  }
}
