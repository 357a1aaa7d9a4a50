// Networks that the admin bans from the whole server.

import { LimitError } from "../../shared/base/errors.ts";
import { NetworkSet } from "./network_set.ts";
import { type IpNetwork, isWithin, networkText, parseAddress, parseNetwork } from "./ip_network.ts";

/** One ban; `until` in ms since 1970, undefined = forever. */
export interface NetworkBan {
  readonly network: IpNetwork;
  readonly until: number | undefined;
}

/** Most bans at once: each new connection is compared with all of them. Only the admin adds one. */
export const NETWORK_BANS_MAX = 1_024;

/** The admin's bans. Checked as a connection is accepted, before anything is read or computed for it. */
export class NetworkBans {
  /** Networks that the operator's file bans; only that file changes them. */
  fromFile = new NetworkSet();
  readonly #bans = new Map<string, NetworkBan>();

  /** The bans that are in force at `now`. */
  list(now: number): NetworkBan[] {
    for (const [key, { until = Infinity }] of this.#bans) if (until <= now) this.#bans.delete(key);
    return [...this.#bans.values()];
  }

  /** All bans, for another process or server: network, and its end in ms since 1970 or 0 for never. */
  get snapshot(): readonly (readonly [network: string, until: number])[] {
    return Array.from(
      this.#bans.values(),
      ({ network, until }) => [networkText(network), until ?? 0],
    );
  }

  set snapshot(bans: readonly (readonly [network: string, until: number])[]) {
    for (const [text, until] of bans) {
      const ban = { network: parseNetwork(text), until: until === 0 ? undefined : until };
      this.#bans.set(networkText(ban.network), ban);
    }
  }

  /** Adds a ban, or changes the end of the ban of this network. Throws LimitError above NETWORK_BANS_MAX. */
  add(ban: NetworkBan, now: number): void {
    const key = networkText(ban.network);
    if (!this.#bans.has(key) && this.list(now).length >= NETWORK_BANS_MAX) {
      throw new LimitError(`Cannot ban ${key}: at most ${NETWORK_BANS_MAX} bans are kept`);
    }
    this.#bans.set(key, ban);
  }

  /** Removes the ban of this network. False where there is none. Throws LimitError where the file has it. */
  lift(network: IpNetwork): boolean {
    if (this.fromFile.has(network)) {
      const text = networkText(network);
      throw new LimitError(`Cannot lift the ban of ${text}: it is in the file of --bans-file`);
    }
    return this.#bans.delete(networkText(network));
  }

  /** Whether a connection from `address` is refused at `now`. */
  covers(address: string, now: number): boolean {
    if (this.#bans.size === 0 && this.fromFile.size === 0) return false;
    const parsed = parseAddress(address);
    if (parsed === undefined) return false;
    if (this.fromFile.covers(parsed)) return true;
    const bans = this.#bans.values();
    return bans.some(({ network, until = Infinity }) => until > now && isWithin(parsed, network));
  }
}
