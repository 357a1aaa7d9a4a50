// What the maker of a room decided: who is out, who is silent, who may come in, and how fast one may talk. Follows
// from the room's events alone, so that several servers decide alike.

import type { ClientId } from "../../shared/messages/ids.ts";
import type { Event, EventOf } from "../../shared/messages/messages_v2.ts";
import { MODERATED_MAX } from "../config/limits.ts";

/** Rules of one room. Times are ms since 1970. */
export interface RulesSnapshot {
  readonly maker: number;
  readonly present: number;
  readonly locked: boolean;
  readonly slow: number;
  readonly banned: readonly (readonly [client: number, until: number])[];
  readonly muted: readonly (readonly [client: number, until: number])[];
}

/** Follows a room's events. */
export class RoomRules {
  #maker = 0;
  #present = 0;
  #locked = false;
  #slow = 0;
  #banned = new Map<number, number>();
  #muted = new Map<number, number>();

  /** The client that made the room; 0 = it is gone, and nobody can moderate. */
  get maker(): number {
    return this.#maker;
  }

  /** Whether nobody may come in. */
  get locked(): boolean {
    return this.#locked;
  }

  /** Seconds between two messages of one member; 0 = no rule. */
  get slow(): number {
    return this.#slow;
  }

  /** All of it, for another server. */
  get snapshot(): RulesSnapshot {
    return {
      maker: this.#maker,
      present: this.#present,
      locked: this.#locked,
      slow: this.#slow,
      banned: [...this.#banned],
      muted: [...this.#muted],
    };
  }

  set snapshot({ maker, present, locked, slow, banned, muted }: RulesSnapshot) {
    this.#maker = maker;
    this.#present = present;
    this.#locked = locked;
    this.#slow = slow;
    this.#banned = new Map(banned);
    this.#muted = new Map(muted);
  }

  /** Takes an event of the room into account. */
  take(event: Event): void {
    if (event.kind === "joined") {
      // Who finds the room empty makes it; the old protocol has no words to moderate with.
      if (this.#present++ === 0 && !event.old) this.#maker = event.client;
    } else if (event.kind === "left") {
      this.#present--;
      if (event.client === this.#maker) this.#endMaker();
    } else if (event.kind === "moderated") this.#moderate(event);
  }

  /** Until when `client` is banned, as seen at `now`; undefined where it is not. */
  bannedUntil(client: number, now: number): number | undefined {
    return running(this.#banned.get(client), now);
  }

  /** Until when `client` is muted, as seen at `now`; undefined where it is not. */
  mutedUntil(client: number, now: number): number | undefined {
    return running(this.#muted.get(client), now);
  }

  // A lock and a slow mode concern everybody, and nobody could end them any more. Bans and mutes stay.
  #endMaker(): void {
    this.#maker = 0;
    this.#locked = false;
    this.#slow = 0;
  }

  #moderate({ what, whom, seconds, time }: EventOf<"moderated">): void {
    const until = seconds === 0 ? Infinity : time + seconds * 1_000;
    switch (what) {
      case "kick":
        return;
      case "ban":
        return note(this.#banned, whom, until);
      case "unban":
        return void this.#banned.delete(whom);
      case "mute":
        return note(this.#muted, whom, until);
      case "unmute":
        return void this.#muted.delete(whom);
      case "lock":
      case "unlock":
        this.#locked = what === "lock";
        return;
      case "slow":
        this.#slow = seconds;
    }
  }
}

function running(until: number | undefined, now: number): number | undefined {
  return until !== undefined && until > now ? until : undefined;
}

// The oldest decision gives way: a maker must not fill the server's memory.
function note(map: Map<number, number>, client: ClientId, until: number): void {
  map.delete(client);
  map.set(client, until);
  if (map.size > MODERATED_MAX) map.delete(map.keys().next().value as number);
}
