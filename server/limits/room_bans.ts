// Addresses that the makers of rooms banned from them, on this server.

import { MODERATED_MAX } from "../config/limits.ts";
import { sourceOf } from "./ip_network.ts";

/** Bans of addresses from rooms; times are ms since 1970. */
export class RoomBans {
  readonly #until = new Map<string, number>();

  /** Keeps `address` out of the room `title`; the oldest of MODERATED_MAX bans gives way. */
  add(title: string, address: string, until: number): void {
    const key = keyOf(title, address);
    this.#until.delete(key);
    this.#until.set(key, until);
    if (this.#until.size > MODERATED_MAX) {
      this.#until.delete(this.#until.keys().next().value as string);
    }
  }

  /** Until when `address` is kept out, as seen at `now`; undefined where it is not. */
  until(title: string, address: string, now: number): number | undefined {
    const until = this.#until.get(keyOf(title, address));
    if (until === undefined || until > now) return until;
    this.#until.delete(keyOf(title, address));
    return undefined;
  }

  /** Lets everybody of the room `title` in again: who asks for it does not know addresses. */
  lift(title: string): void {
    for (const key of this.#until.keys()) if (key.startsWith(`${title}\n`)) this.#until.delete(key);
  }
}

function keyOf(title: string, address: string): string {
  return `${title}\n${sourceOf(address)}`;
}
