// How many rooms each source made, so that a few of them cannot have all that there may be.

import { LimitError } from "../../shared/base/errors.ts";
import { SESSION_ROOMS_MAX } from "../../shared/base/limits.ts";
import type { ServerConfig } from "../config/server_options.ts";
import { sourceOf } from "./ip_network.ts";

// A member of several rooms finds most of them made.
const ROOMS_PER_CONNECTION = 2;

/** Rooms that one source may have made, of those that are there: what its connections are worth, or one session's. */
export function roomShare({ "max-per-address": perAddress }: ServerConfig): number {
  return Math.max(SESSION_ROOMS_MAX, ROOMS_PER_CONNECTION * (perAddress ?? Infinity));
}

/** Counts the rooms of each source. */
export class RoomQuota {
  readonly #share: number;
  readonly #made = new Map<string, number>();

  constructor(share: number) {
    this.#share = share;
  }

  /** Counts a room that `address` makes, undefined = nobody of this server: what to call at its end. Throws LimitError. */
  take(address: string | undefined): () => void {
    if (address !== undefined && (this.#made.get(sourceOf(address)) ?? 0) >= this.#share) {
      throw new LimitError(
        `Cannot open another room: at most ${this.#share} made from one address are allowed`,
      );
    }
    return this.keep(address);
  }

  /** The same for a room that is there already, whatever the share. */
  keep(address: string | undefined): () => void {
    if (address === undefined) return () => {};
    const source = sourceOf(address);
    this.#made.set(source, (this.#made.get(source) ?? 0) + 1);
    return () => this.#give(source);
  }

  #give(source: string): void {
    const left = (this.#made.get(source) ?? 1) - 1;
    if (left === 0) this.#made.delete(source);
    else this.#made.set(source, left);
  }
}
