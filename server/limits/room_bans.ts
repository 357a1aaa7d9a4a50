// Bans by the makers of rooms.

import { ROOM_BANS_BUDGET } from "../config/limits.ts";
import { sourceOf } from "./ip_network.ts";
import { RoomSources, type RoomSourcesState, type SourcedRoom } from "./room_sources.ts";

/** Called for each ban that this server decided: a source and an end, or that the room has no bans left. */
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

  /** The end of the ban of `address` from the room `title`, as seen at `now`; undefined where it is not banned. */
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

  /** Ends all bans of the room `title`: members do not learn addresses, so nobody can name one. */
  lift(title: string): void {
    this.noteLifted(title);
    this.#onChanged?.(title);
  }

  /** The same, as another server decided it. */
  noteLifted(title: string): void {
    this.#until.clear(title);
  }
}
