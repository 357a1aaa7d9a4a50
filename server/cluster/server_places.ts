// Where clients reach the servers of a cluster, how full each is, and whether this one has more than its share.

import { OTHER_SERVERS_MAX } from "../../shared/base/limits.ts";
import { hostAndPort } from "../../shared/text/host_and_port.ts";
import type { Slot } from "./client_numbers.ts";

// Longer than a server may be silent: one that is cut off itself must know that before it drops the others.
const FRESH_MS = 8_000;
// Far above its share a server begins to pass clients on, and ends a little above it: nobody goes to and fro.
const BEGIN = { factor: 1.25, more: 4 };
const END = { factor: 1.05, more: 1 };
// The surplus is gone in a minute, and never faster than the others compute handshakes beside their other work.
const BEATS = 60;
const BEAT_MAX = 20;

/** Where clients reach a server. */
export interface ServerPlace {
  readonly host: string;
  readonly port: number;
}

/** What a server says of itself to the others. */
export interface ServerLoad extends ServerPlace {
  /** Clients whose connection is up. */
  readonly members: number;
  /** Whether it takes new ones. */
  readonly takes: boolean;
}

/** Clients to pass on, and where to. */
export interface Surplus {
  readonly to: ServerPlace;
  readonly count: number;
}

interface Heard extends ServerLoad {
  readonly at: number;
}

/** The other servers that say where clients reach them. Times are monotonic, ms. */
export class ServerPlaces {
  readonly #heard = new Map<Slot, Heard>();
  readonly #random: () => number;
  #isPassingOn = false;
  #told: readonly ServerPlace[] = [];

  /** `random` gives numbers from 0 up to 1. */
  constructor(random: () => number = cryptoRandom) {
    this.#random = random;
  }

  /** Server `slot` said so much of itself. */
  note(slot: Slot, load: ServerLoad, at: number): void {
    this.#heard.set(slot, { ...load, at });
  }

  /** It is gone. */
  drop(slot: Slot): void {
    this.#heard.delete(slot);
  }

  /** Nobody can be heard: what is known holds on; a server that was silent before is not known any more. */
  holdOn(now: number): void {
    for (const [slot, heard] of this.#heard) {
      if (now - heard.at < FRESH_MS) this.#heard.set(slot, { ...heard, at: now });
      else this.#heard.delete(slot);
    }
  }

  /** Where clients were told last that they reach the others. */
  get told(): readonly ServerPlace[] {
    return this.#told;
  }

  /** Makes that the list of now; gives whether it is another one. */
  renew(own: ServerPlace | undefined, now: number): boolean {
    const list = this.list(own, now);
    const isSame = list.length === this.#told.length && list.every(({ host, port }, n) => {
      const told = this.#told[n];
      return host === told?.host && port === told.port;
    });
    this.#told = list;
    return !isSame;
  }

  /** Those that take clients, `own` left out; in an order that does not change by itself. */
  list(own: ServerPlace | undefined, now: number): ServerPlace[] {
    const places = new Map(
      this.#taking(now).map(({ host, port }) => [hostAndPort(host, port), { host, port }]),
    );
    if (own !== undefined) places.delete(hostAndPort(own.host, own.port));
    return [...places].sort(([one], [other]) => one < other ? -1 : 1)
      .map(([, place]) => place).slice(0, OTHER_SERVERS_MAX);
  }

  /** What this server has above its share, as much of it as may go now; undefined where all is well. */
  surplus(own: ServerLoad, now: number): Surplus | undefined {
    const others = this.#taking(now);
    const all = [...others, ...(own.takes ? [own] : [])];
    const share = all.reduce((sum, { members }) => sum + members, 0) / all.length;
    const { factor, more } = this.#isPassingOn ? END : BEGIN;
    this.#isPassingOn = others.length > 0 && own.members > 0 &&
      (!own.takes || own.members > share * factor + more);
    if (!this.#isPassingOn) return undefined;
    const count = Math.ceil((own.members - (own.takes ? share : 0)) / BEATS);
    return { to: this.#emptiest(others), count: Math.min(count, BEAT_MAX) };
  }

  /** By chance, the emptier the likelier: several full servers must not all choose the same one. */
  #emptiest(others: readonly Heard[]): ServerPlace {
    const most = Math.max(...others.map(({ members }) => members)) + 1;
    const rooms = others.map(({ members }) => (most - members) ** 2);
    let at = this.#random() * rooms.reduce((sum, room) => sum + room, 0);
    const chosen = rooms.findIndex((room) => (at -= room) < 0);
    const { host, port } = others[chosen] ?? others[0] as Heard;
    return { host, port };
  }

  #taking(now: number): Heard[] {
    return [...this.#heard.values()].filter(({ takes, at }) => takes && now - at < FRESH_MS);
  }
}

/** By chance, from 0 up to 1. */
function cryptoRandom(): number {
  const [value = 0] = crypto.getRandomValues(new Uint32Array(1));
  return value / 2 ** 32;
}
