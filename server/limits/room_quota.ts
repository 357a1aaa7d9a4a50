// Counts the rooms that each source and each site made, so that none can take all rooms that the server allows.

import { LimitError } from "../../shared/base/errors.ts";
import { SESSION_ROOMS_MAX } from "../../shared/base/limits.ts";
import type { ServerConfig } from "../config/server_options.ts";
import { mayTakeSlot } from "./fair_budget.ts";
import { SITE_SHARE, siteOf, sourceOf } from "./ip_network.ts";

// A member of several rooms joins mostly rooms that exist.
const ROOMS_PER_CONNECTION = 2;

/** The most rooms that one source may have: in proportion to its connections, and at least those of one session. */
function roomShare(
  { "max-per-address": perAddress }: Pick<ServerConfig, "max-per-address">,
): number {
  return Math.max(SESSION_ROOMS_MAX, ROOMS_PER_CONNECTION * (perAddress ?? Infinity));
}

/** The bounds that the configuration gives. */
export function roomBounds(
  config: Pick<ServerConfig, "max-rooms" | "max-per-address">,
): RoomQuotaOptions {
  return { most: config["max-rooms"], share: roomShare(config) };
}

/** Bounds of a quota. */
export interface RoomQuotaOptions {
  /** The most rooms in all. */
  readonly most: number;
  /** The most rooms that one source made. */
  readonly share: number;
}

/** Counts the rooms of each source. */
export class RoomQuota {
  #options: RoomQuotaOptions;
  readonly #made = new Map<string, number>();
  #used = 0;

  constructor(options: RoomQuotaOptions) {
    this.#options = options;
  }

  /** Changes the bounds; rooms that exist stay. */
  useBounds(options: RoomQuotaOptions): void {
    this.#options = options;
  }

  /**
   * Counts a room that `address` makes; undefined where a client of another server makes it. Returns the function to
   * call at the end of the room. Throws LimitError.
   */
  take(address: string | undefined): () => void {
    const { most, share } = this.#options;
    const heldBy = (name: string | undefined) => this.#made.get(name ?? "") ?? 0;
    const held = heldBy(address && siteOf(address));
    if (heldBy(address && sourceOf(address)) >= share || held >= share * SITE_SHARE) {
      throw new LimitError(
        `Cannot open another room: at most ${share} made from one address are allowed`,
      );
    }
    // Where one address may make all rooms, as behind a proxy, none are reserved for others.
    const isKept = share < most && !mayTakeSlot({ most, used: this.#used, held });
    if (this.#used >= most || isKept) {
      throw new LimitError(`Cannot open another room: at most ${most} are allowed`);
    }
    return this.keep(address);
  }

  /** The same for a room that exists already; no bound applies. */
  keep(address: string | undefined): () => void {
    this.#used++;
    // One name for both where the site is no more than the source.
    const names = address === undefined ? [] : [...new Set([sourceOf(address), siteOf(address)])];
    for (const name of names) this.#made.set(name, (this.#made.get(name) ?? 0) + 1);
    return () => this.#give(names);
  }

  #give(names: readonly string[]): void {
    this.#used--;
    for (const name of names) {
      const left = (this.#made.get(name) ?? 1) - 1;
      if (left === 0) this.#made.delete(name);
      else this.#made.set(name, left);
    }
  }
}
