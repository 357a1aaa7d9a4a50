// What holds on for members that left a room: a mute, and the pace of a slow room. It is bound to where they came from,
// since a client that comes back as another session has another number and may have another name.

import { DEPARTED_BUDGET, DEPARTED_REJOIN_MS } from "../config/limits.ts";
import { RoomSources, type RoomSourcesState, type SourcedRoom } from "./room_sources.ts";

/** What a member takes along when it leaves a room; times are ms since 1970. */
export interface Burden {
  /** Until when it is muted; 0 = it is not. */
  readonly mutedUntil: number;
  /** When it spoke last; 0 = never. */
  readonly spokeAt: number;
}

/** A burden, and when its source was seen last. */
export interface Departed extends Burden {
  /** When a member of the source came or left last. */
  readonly seenAt: number;
}

const NO_BURDEN: Burden = { mutedUntil: 0, spokeAt: 0 };

/** What the memory of departed members needs. */
export interface DepartedOptions {
  /** Whether addresses tell clients apart; behind a proxy that is not trusted they do not, and nothing is kept. */
  readonly tellsApart: boolean;
  /** Told of each burden that changed on this server. */
  readonly onChanged?: (title: string, address: string, burden: Burden) => void;
}

/** Burdens of sources in rooms. Newcomers of the source have them; members who were there before do not. */
export class DepartedMembers {
  readonly #departed = new RoomSources<Departed>(DEPARTED_BUDGET);
  readonly #options: DepartedOptions;
  /** See DepartedOptions; it may change. */
  tellsApart: boolean;

  constructor(options: DepartedOptions) {
    this.#options = options;
    this.tellsApart = options.tellsApart;
  }

  /** A member with `burden` left the room at `now`. */
  leave(room: SourcedRoom, address: string, burden: Burden, now: number): void {
    const known = this.of(room.title, address);
    const both = {
      mutedUntil: Math.max(known.mutedUntil, burden.mutedUntil),
      spokeAt: Math.max(known.spokeAt, burden.spokeAt),
    };
    this.note(room, address, both, now);
    this.#options.onChanged?.(room.title, address, both);
  }

  /** What another server knows of a source, at `now`; it replaces what is known here. */
  note(room: SourcedRoom, address: string, burden: Burden, now: number): void {
    if (!this.tellsApart) return;
    const isOver = burden.mutedUntil <= now && burden.spokeAt === 0;
    if (isOver) this.#departed.delete(room.title, address);
    else this.#departed.set(room, address, { ...burden, seenAt: now });
  }

  /** All of it, for another process. */
  get state(): RoomSourcesState<Departed> {
    return this.#departed.state;
  }

  /** Goes on from the state of the process before. */
  restore(state: RoomSourcesState<Departed>): void {
    this.#departed.restore(state);
  }

  /** What a newcomer of the source of `address` has in the room `title`. */
  of(title: string, address: string): Burden {
    return this.#departed.get(title, address) ?? NO_BURDEN;
  }

  /** The ms until one more client of that source may come in, 0 = now: each coming shows a name, which is a text. */
  joinWait(title: string, address: string, now: number): number {
    const known = this.#departed.get(title, address);
    if (known === undefined || known.mutedUntil <= now) return 0;
    return Math.max(0, known.seenAt + DEPARTED_REJOIN_MS - now);
  }

  /** A newcomer of the source of `address` came in at `now`. */
  joined(room: SourcedRoom, address: string, now: number): void {
    const known = this.#departed.get(room.title, address);
    if (known !== undefined) this.#departed.set(room, address, { ...known, seenAt: now });
  }

  /** The maker unmuted a member of that source. */
  unmute(title: string, address: string): void {
    this.#departed.delete(title, address);
    this.#options.onChanged?.(title, address, NO_BURDEN);
  }
}
