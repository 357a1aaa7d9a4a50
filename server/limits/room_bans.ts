// Sources that the makers of rooms banned from them, on this server.

import { ROOM_BANS_BUDGET } from "../config/limits.ts";
import { RoomSources, type RoomSourcesState, type SourcedRoom } from "./room_sources.ts";

/** Bans of sources from rooms; times are ms since 1970. */
export class RoomBans {
  readonly #until = new RoomSources<number>(ROOM_BANS_BUDGET);

  /** Keeps the source of `address` out of a room. */
  add(room: SourcedRoom, address: string, until: number): void {
    this.#until.set(room, address, until);
  }

  /** Until when `address` is kept out of the room `title`, as seen at `now`; undefined where it is not. */
  until(title: string, address: string, now: number): number | undefined {
    const until = this.#until.get(title, address);
    if (until === undefined || until > now) return until;
    this.#until.delete(title, address);
    return undefined;
  }

  /** All bans, for another process. */
  get state(): RoomSourcesState<number> {
    return this.#until.state;
  }

  /** Goes on from the state of the process before. */
  restore(state: RoomSourcesState<number>): void {
    this.#until.restore(state);
  }

  /** Ends all bans of the room `title`: whoever lifts one knows no addresses. */
  lift(title: string): void {
    this.#until.clear(title);
  }
}
