// Connections that have shown the relay that they hold the link, and are not in the room: members are told when they
// stay. The relay says so, and may hide it (docs/THREAT-MODEL.md).

import type { MemberState } from "./member_state.ts";

/** Whoever comes in is a guest for a moment. */
const STAYS_MS = 10_000;
/** They come and go as they like, and must not fill the screen by that. */
const TOLD_AGAIN_MS = 60_000;

/** What a member tells of guests. */
export class GuestCount {
  readonly #state: MemberState;
  #count = 0;
  #since = Infinity;
  #told = 0;
  #toldAt = -Infinity;

  constructor(state: MemberState) {
    this.#state = state;
  }

  /** The relay has counted them. */
  counted(count: number): void {
    if (this.#count === 0 && count > 0) this.#since = this.#state.options.now();
    if (count === 0) this.#told = 0;
    this.#count = count;
  }

  /** Lets time pass. */
  tick(now: number): void {
    const isNews = this.#count > this.#told && now >= this.#since + STAYS_MS &&
      now >= this.#toldAt + TOLD_AGAIN_MS;
    if (!isNews || this.#state.phase !== "in") return;
    this.#told = this.#count;
    this.#toldAt = now;
    const who = this.#count === 1 ? "1 connection has" : `${this.#count} connections have`;
    const verb = this.#count === 1 ? "is" : "are";
    this.#state.note("warning", `${who} the link of this room and ${verb} not in it.`);
  }
}
