// What holds on for members that left a room: a mute, and the pace of a slow room. A client that comes back as another
// session has another number and may have another name. So it is bound to what cannot be chosen as easily: where it came
// from, and the name of its token where the operator named tokens. Sessions that began before the mute are others.

import { DEPARTED_BUDGET, DEPARTED_REJOIN_MS } from "../config/limits.ts";
import { sourceOf } from "./ip_network.ts";
import { RoomSources, type RoomSourcesState, type SourcedRoom } from "./room_sources.ts";

/** What a member takes along when it leaves a room; times are ms since 1970. */
export interface Burden {
  /** Until when it is muted; 0 = it is not. */
  readonly mutedUntil: number;
  /** When that was decided; 0 = not known. */
  readonly mutedAt: number;
  /** When it spoke last; 0 = never. */
  readonly spokeAt: number;
}

/** A burden, and when its source was seen last. */
export interface Departed extends Burden {
  /** When a member of the source came or left last. */
  readonly seenAt: number;
}

/** Who leaves a room, or comes into it. */
export interface Passer {
  readonly address: string;
  /** Of its token; undefined where that has none. */
  readonly tokenName: string | undefined;
  /** When its session began, ms since 1970. */
  readonly since: number;
}

const NO_BURDEN: Burden = { mutedUntil: 0, mutedAt: 0, spokeAt: 0 };

/** What the memory of departed members needs. */
export interface DepartedOptions {
  /** Whether addresses tell clients apart; behind a proxy that is not trusted they do not, and nothing is kept. */
  readonly tellsApart: boolean;
  /** Told of each burden that changed on this server. */
  readonly onChanged?: (title: string, key: string, burden: Burden) => void;
}

/**
 * Burdens of sources in rooms, apart for each name of a token. Newcomers have them whose session began behind the mute;
 * members who were there before do not.
 */
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
  leave(room: SourcedRoom, who: Passer, burden: Burden, now: number): void {
    const key = keyOf(who);
    const known = this.#departed.get(room.title, key) ?? NO_BURDEN;
    const muted = [known, burden].filter(({ mutedUntil }) => mutedUntil > now);
    const both = {
      mutedUntil: Math.max(0, ...muted.map(({ mutedUntil }) => mutedUntil)),
      mutedAt: muted.length === 0 ? 0 : Math.min(...muted.map(({ mutedAt }) => mutedAt)),
      spokeAt: Math.max(known.spokeAt, burden.spokeAt),
    };
    this.note(room, key, both, now);
    this.#options.onChanged?.(room.title, key, both);
  }

  /** What another server knows of a source, by its key, at `now`; it replaces what is known here. */
  note(room: SourcedRoom, key: string, burden: Burden, now: number): void {
    if (!this.tellsApart) return;
    const isOver = burden.mutedUntil <= now && burden.spokeAt === 0;
    if (isOver) this.#departed.delete(room.title, key);
    else this.#departed.set(room, key, { ...burden, seenAt: now });
  }

  /** All of it, for another process. */
  get state(): RoomSourcesState<Departed> {
    return this.#departed.state;
  }

  /** Goes on from the state of the process before. */
  restore(state: RoomSourcesState<Departed>): void {
    this.#departed.restore(state);
  }

  /** What a newcomer has in the room `title`. */
  of(title: string, who: Passer): Burden {
    const known = this.#departed.get(title, keyOf(who));
    if (known === undefined) return NO_BURDEN;
    return isOther(who, known) ? { ...NO_BURDEN, spokeAt: known.spokeAt } : known;
  }

  /** The ms until one more such client may come in, 0 = now: each coming shows a name, which is a text. */
  joinWait(title: string, who: Passer, now: number): number {
    const known = this.#departed.get(title, keyOf(who));
    if (known === undefined || known.mutedUntil <= now || isOther(who, known)) return 0;
    return Math.max(0, known.seenAt + DEPARTED_REJOIN_MS - now);
  }

  /** A newcomer came in at `now`. */
  joined(room: SourcedRoom, who: Passer, now: number): void {
    const known = this.#departed.get(room.title, keyOf(who));
    if (known !== undefined) this.#departed.set(room, keyOf(who), { ...known, seenAt: now });
  }

  /** The maker unmuted such a member. */
  unmute(title: string, who: Passer): void {
    this.#departed.delete(title, keyOf(who));
    this.#options.onChanged?.(title, keyOf(who), NO_BURDEN);
  }
}

/** Whether that client was there already when the mute was decided: it is not the one that was muted. */
function isOther({ since }: Passer, { mutedAt }: Burden): boolean {
  return since < mutedAt;
}

// No source and no name of a token holds a line break.
function keyOf({ address, tokenName }: Passer): string {
  return tokenName === undefined ? sourceOf(address) : `${sourceOf(address)}\n${tokenName}`;
}
