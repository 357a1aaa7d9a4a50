// The user's name, and its way back to the user: after a crash the server still holds the former session and its name,
// so the user is "bob-2" for a while. Nothing proves that both are one person, and nothing has to: the server frees a
// name when its owner is gone, and then the client that wanted it asks for it, as anybody may.

import { nameKey } from "../../shared/text/names.ts";
import type { Clock } from "../base/clock.ts";
import type { JoinedRoom } from "../rooms/joined_room.ts";
import type { JoinedRooms } from "../rooms/joined_rooms.ts";
import type { RequestLedger, RequestOutcome } from "../session/request_ledger.ts";

/** What it works with. */
export interface OwnNameOptions {
  readonly clock: Clock;
  readonly requests: RequestLedger;
  readonly rooms: JoinedRooms;
  /** The name that the user wants in all plain rooms. */
  readonly wanted: string;
  /** Throws ConnectionError where there is no session. */
  readonly requireSession: () => void;
  readonly signal: AbortSignal;
}

// Somebody who takes a name and gives it up again and again must not use up the user's own messages.
const PAUSE_MS = 10_000;

/** The name that the user wants, and what is done to have it. */
export class OwnName {
  readonly #options: OwnNameOptions;
  #wanted: string;
  /** How many `/nick` of the user are on their way. */
  #renaming = 0;
  #quietUntil = -Infinity;
  #waiting = false;

  constructor(options: OwnNameOptions) {
    this.#options = options;
    this.#wanted = options.wanted;
  }

  /** The name that the user wants in all plain rooms. */
  get wanted(): string {
    return this.#wanted;
  }

  /** Asks for another name: in all plain rooms, or in the sealed one that lines go to, whose members alone know it. */
  async change(name: string): Promise<RequestOutcome> {
    const { rooms: { current, plain }, requests, requireSession } = this.#options;
    const sealed = current?.isSealed ? current : undefined;
    const isSame = name === this.#wanted && plain.every((room) => room.name === name);
    if (sealed === undefined && isSame) return "confirmed";
    if (sealed === undefined) requireSession();
    this.#renaming++;
    const outcome = await requests.add({ kind: "rename", name }, sealed)
      .finally(() => this.#renaming--);
    if (outcome !== "confirmed") return outcome;
    if (sealed === undefined) this.#wanted = name;
    else sealed.wantedName = name;
    return outcome;
  }

  /** Nobody is called `name` in `room` any more: where it is the user's, it is asked for. */
  freed(room: JoinedRoom, name: string): void {
    if (!this.#isMissed(room) || nameKey(name) !== nameKey(this.#wantedIn(room))) return;
    const { clock, signal } = this.#options;
    const pause = this.#quietUntil - clock.now();
    if (pause <= 0) return this.#ask(room);
    if (this.#waiting) return;
    this.#waiting = true;
    void clock.wait(pause, signal).then(() => {
      this.#waiting = false;
      const isTaken = room.roster.find(this.#wantedIn(room)) !== undefined;
      if (!signal.aborted && !isTaken && this.#isMissed(room)) this.#ask(room);
    });
  }

  #wantedIn({ isSealed, wantedName }: JoinedRoom): string {
    return isSealed ? wantedName : this.#wanted;
  }

  /** The user's own `/nick` goes before. */
  #isMissed(room: JoinedRoom): boolean {
    return room.id !== undefined && room.name !== this.#wantedIn(room) && this.#renaming === 0;
  }

  #ask(room: JoinedRoom): void {
    const { clock, requests } = this.#options;
    this.#quietUntil = clock.now() + PAUSE_MS;
    const draft = { kind: "rename", name: this.#wantedIn(room) } as const;
    void requests.addUnasked(draft, room.isSealed ? room : undefined);
  }
}
