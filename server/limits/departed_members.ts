// Restrictions that outlast leaving a room: a mute, and the pace of a slow room. A client that returns in a new session
// has a new id and may use a new name, so a restriction is bound to what is harder to change: the source address, and
// the name of the token where tokens are named. A session that began before the mute belongs to somebody else.

import { DEPARTED_BUDGET, DEPARTED_REJOIN_MS } from "../config/limits.ts";
import { sourceOf } from "./ip_network.ts";
import { RoomSources, type RoomSourcesState, type SourcedRoom } from "./room_sources.ts";

/** The restrictions that a member keeps when it leaves a room; times are ms since 1970. */
export interface Burden {
  /** End of the mute; 0 = not muted. */
  readonly mutedUntil: number;
  /** When the mute was decided; 0 = not known. */
  readonly mutedAt: number;
  /** When the member last spoke; 0 = never. */
  readonly spokeAt: number;
}

/** A burden, and when its source was last seen. */
export interface Departed extends Burden {
  /** When a member of the source last came or left. */
  readonly seenAt: number;
}

/** Who leaves a room, or comes into it. */
export interface Passer {
  readonly address: string;
  /** Name of its token; undefined where the token has none. */
  readonly tokenName: string | undefined;
  /** When its session began, ms since 1970. */
  readonly since: number;
}

const NO_BURDEN: Burden = { mutedUntil: 0, mutedAt: 0, spokeAt: 0 };

/** What the memory of departed members needs. */
export interface DepartedOptions {
  /** Whether addresses tell clients apart. Behind an untrusted proxy they do not, and nothing is kept. */
  readonly tellsApart: boolean;
  /** Told of each burden that changed on this server. */
  readonly onChanged?: (title: string, key: string, burden: Burden) => void;
}

/**
 * Burdens by room, source and token name. They apply to newcomers whose session began after the mute, and not to
 * members whose session is older.
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

  /** Replaces what is known of a source, by its key, with what another server says at `now`. */
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

  /** The burden of a newcomer to the room `title`. */
  of(title: string, who: Passer): Burden {
    const known = this.#departed.get(title, keyOf(who));
    if (known === undefined) return NO_BURDEN;
    return isOther(who, known) ? { ...NO_BURDEN, spokeAt: known.spokeAt } : known;
  }

  /** The ms until one more such client may join, 0 = now: each join shows a name, and a name can carry a message. */
  joinWait(title: string, who: Passer, now: number): number {
    const known = this.#departed.get(title, keyOf(who));
    if (known === undefined || known.mutedUntil <= now || isOther(who, known)) return 0;
    return Math.max(0, known.seenAt + DEPARTED_REJOIN_MS - now);
  }

  /** A newcomer joined at `now`. */
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

/** Whether the client's session is older than the mute: then it is not the one that was muted. */
function isOther({ since }: Passer, { mutedAt }: Burden): boolean {
  return since < mutedAt;
}

// Neither a source nor a token's name contains a line break.
function keyOf({ address, tokenName }: Passer): string {
  return tokenName === undefined ? sourceOf(address) : `${sourceOf(address)}\n${tokenName}`;
}
