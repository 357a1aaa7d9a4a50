// Sources that the makers of rooms banned from them.

import { ROOM_BANS_BUDGET } from "../config/limits.ts";
import { sourceOf } from "./ip_network.ts";
import { RoomSources, type RoomSourcesState, type SourcedRoom } from "./room_sources.ts";

/** Told of each ban that was decided on this server: of a source until a time, or that none is left in that room. */
export type RoomBansWatcher = (title: string, ban?: { source: string; until: number }) => void;

/** Bans of sources from rooms; times are ms since 1970. */
export class RoomBans {
  readonly #until = new RoomSources<number>(ROOM_BANS_BUDGET);
  readonly #onChanged: RoomBansWatcher | undefined;

  constructor(onChanged?: RoomBansWatcher) {
    this.#onChanged = onChanged;
  }

  /** Keeps the source of `address` out of a room. */
  add(room: SourcedRoom, address: string, until: number): void {
    this.note(room, address, until);
    this.#onChanged?.(room.title, { source: sourceOf(address), until });
  }

  /** The same, as another server decided it. */
  note(room: SourcedRoom, address: string, until: number): void {
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
    this.noteLifted(title);
    this.#onChanged?.(title);
  }

  /** The same, as another server decided it. */
  noteLifted(title: string): void {
    this.#until.clear(title);
  }
}
