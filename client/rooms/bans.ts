// Who is banned from a room, as far as the server told this client.

import type { AnyClientId } from "../base/local_ids.ts";
import { nameKey } from "../../shared/text/names.ts";

// The server keeps as many; one that tells more must not fill the memory.
const BANS_MAX = 1_000;

/** A ban. Names are NOT sanitized. */
export interface KnownBan {
  readonly client: AnyClientId;
  readonly name: string;
  /** ms since 1970; 0 = for good. */
  readonly until: number;
  /** Who decided it. */
  readonly by: string;
}

/** The bans of one room, by client: the same name may be banned twice. */
export class Bans {
  #all = new Map<AnyClientId, KnownBan>();
  #coming: KnownBan[] = [];

  /** All of them, oldest first. */
  get all(): readonly KnownBan[] {
    return [...this.#all.values()];
  }

  /** The last ban of somebody called `name`. */
  of(name: string): KnownBan | undefined {
    return this.all.findLast((ban) => nameKey(ban.name) === nameKey(name));
  }

  /** Somebody is banned. */
  add(ban: KnownBan): void {
    this.#all.delete(ban.client);
    if (this.#all.size < BANS_MAX) this.#all.set(ban.client, ban);
  }

  /** The ban of `client` is lifted. */
  lift(client: AnyClientId): void {
    this.#all.delete(client);
  }

  /** Takes a part of the list that the server tells; with the last part it replaces what was known. */
  take(part: readonly KnownBan[], more: boolean): void {
    this.#coming.push(...part.slice(0, BANS_MAX - this.#coming.length));
    if (more) return;
    this.#all = new Map(this.#coming.map((ban) => [ban.client, ban]));
    this.#coming = [];
  }

  /** Forgets all of them. */
  clear(): void {
    this.#all.clear();
    this.#coming = [];
  }
}
