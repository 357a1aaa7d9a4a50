// Connections that hold the link of a sealed room and are not in its group: members are told how many there are, and
// neither a source nor a site can fill the room with them.

import { LimitError } from "../../shared/base/errors.ts";
import {
  SEALED_GUEST_IDLE_MS,
  SEALED_GUESTS_MAX,
  SEALED_GUESTS_OF_A_SOURCE,
  SEALED_GUESTS_TOLD_MS,
  SEALED_SOURCES_KEPT,
} from "../config/limits.ts";
import { encodeBase64 } from "../../shared/base/base64.ts";
import type { SealedRoomOptions } from "./room_contract.ts";
import { SITE_SHARE, siteOf } from "../limits/ip_network.ts";
import type { Seat } from "./seat.ts";

/** What the guests need of their room. */
export interface GuestsOptions extends Pick<SealedRoomOptions, "clock" | "entrances" | "rid"> {
  /** All who have a connection and are not in the group, in the order in which they came. */
  readonly list: () => readonly Seat[];
  /** Whether a guest waits for its turn to join, or has it. */
  readonly isWaiting: (seat: Seat) => boolean;
  /** Tells all members how many there are. */
  readonly tell: (count: number) => void;
}

/** Counts the guests of one room, and bounds them. */
export class Guests {
  readonly #options: GuestsOptions;
  /** Of the room, among all in which entrances are counted. */
  readonly #scope: string;
  #told = 0;
  #isNews = false;
  #stop: (() => void) | undefined;

  constructor(options: GuestsOptions) {
    this.#options = options;
    this.#scope = `sealed ${encodeBase64(options.rid)}\n`;
  }

  /**
   * Makes room for one more of that source. Gives the guest that has to go: one that had its turn and did not use it, or
   * never asked for one. Where others hold more, the site with most guests pays, and of that the source with most, also
   * with a guest that waits for its turn. Throws LimitError where all wait and nobody holds more.
   */
  makeRoom(source: string): Seat | undefined {
    const all = this.#options.list();
    const own = all.filter((seat) => seat.source === source);
    if (own.length >= SEALED_GUESTS_OF_A_SOURCE) return this.#idleOf(own) ?? decline();
    if (all.length < SEALED_GUESTS_MAX) return undefined;
    const sites = Map.groupBy(all, ({ site }) => site);
    const site = sites.get(siteOf(source)) ?? [];
    const largest = largestOf(sites);
    // The site that has most does not displace others: it pays itself.
    if (largest.length > site.length) {
      const others = [...sites.values()].filter(({ length }) => length === largest.length).flat();
      if (largest.length === site.length + 1) return this.#idleOf(others) ?? decline();
      return this.#worstOf(largestOf(Map.groupBy(largest, (seat) => seat.source)));
    }
    const sources = Map.groupBy(site, (seat) => seat.source);
    const most = largestOf(sources);
    if (most.length > own.length + 1) return this.#worstOf(most);
    const others = site.filter((seat) => (sources.get(seat.source)?.length ?? 0) >= own.length);
    return this.#idleOf(others) ?? decline();
  }

  /** One that is idle; else the one that came last, so that the one that waits for longest has its turn. */
  #worstOf(crowd: readonly Seat[]): Seat | undefined {
    return this.#idleOf(crowd) ??
      crowd.reduce((last, seat) => seat.since >= last.since ? seat : last);
  }

  /** Of those that are idle, the one that left most turns unused. */
  #idleOf(crowd: readonly Seat[]): Seat | undefined {
    const [first, ...others] = crowd.filter((seat) => this.#isIdle(seat));
    return others.reduce(
      (worst, seat) => seat.turnsInVain > (worst?.turnsInVain ?? 0) ? seat : worst,
      first,
    );
  }

  #isIdle(seat: Seat): boolean {
    const { clock, isWaiting } = this.#options;
    if (seat.turnsInVain > 0) return true;
    return !isWaiting(seat) && clock.now() - seat.since >= SEALED_GUEST_IDLE_MS;
  }

  /** Whether a guest may come in now: each entrance is work for all members, and a name on their screens. */
  mayEnter({ source }: Seat): boolean {
    const { clock, entrances } = this.#options;
    return entrances?.()?.allows(source, clock.now(), this.#scope) !== false;
  }

  /** A guest has become a member. */
  hasEntered({ source }: Seat): void {
    const { clock, entrances } = this.#options;
    entrances?.()?.take(source, clock.now(), this.#scope);
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

function decline(): never {
  throw new LimitError("Cannot join the room: others are waiting to join. Try again.");
}

function largestOf(groups: ReadonlyMap<string, readonly Seat[]>): readonly Seat[] {
  return groups.values().reduce((most, one) => one.length > most.length ? one : most);
}

/** How many turns each source, and each site, has had in vain. */
export class TurnsInVain {
  readonly #sources = new Map<string, number>();
  readonly #sites = new Map<string, number>();

  count({ source, site }: Seat): void {
    add(this.#sources, source);
    add(this.#sites, site);
  }

  /** One of that source has used its turn: those of its neighbors count on. */
  forgive(seat: Seat): void {
    const left = (this.#sites.get(seat.site) ?? 0) - this.ofSource(seat);
    this.#sources.delete(seat.source);
    if (left > 0) this.#sites.set(seat.site, left);
    else this.#sites.delete(seat.site);
  }

  ofSource({ source }: Seat): number {
    return this.#sources.get(source) ?? 0;
  }

  /** Of a seat's source, or its part of those of its whole site, whichever is more. */
  of(seat: Seat): number {
    const ofSite = Math.floor((this.#sites.get(seat.site) ?? 0) / SITE_SHARE);
    return Math.max(this.ofSource(seat), ofSite);
  }
}

function add(counts: Map<string, number>, name: string): void {
  const before = counts.get(name) ?? 0;
  counts.delete(name);
  counts.set(name, before + 1);
  if (counts.size > SEALED_SOURCES_KEPT) counts.delete(counts.keys().next().value as string);
}
