// Slots for connections: the caps in all and per source, and which connections may come beyond them.

import { mayTakeSlot } from "./fair_budget.ts";
import { SITE_SHARE, siteOf, sourceOf } from "./ip_network.ts";

/** A slot, taken by a connection or by a session that is held. */
export interface ConnectionSlot {
  /** True where all slots are taken: the connection may stay only if it resumes a held session, which has a slot. */
  readonly forHeld: boolean;
  /** Called when the connection has resumed a held session, which gave its own slot back. */
  settle(): void;
  /** Gives the slot back; idempotent. */
  release(): void;
}

/** How many slots there are. */
export interface SlotLimits {
  readonly most: number;
  /** Most for one source, and a part of those for its site; undefined = all of them, as behind a proxy. */
  readonly perSource: number | undefined;
}

interface Count {
  taken: number;
  held: number;
  /** Connections beyond the caps that have not yet resumed a session. */
  guests: number;
}

// No address is empty.
const UNKNOWN_SOURCE = "";
const NOTHING: Readonly<Count> = { taken: 0, held: 0, guests: 0 };

/** Counts connections, in all and by source. */
export class ConnectionSlots {
  #limits: SlotLimits;
  readonly #counts = new Counts();

  constructor(limits: SlotLimits) {
    this.#limits = limits;
  }

  /** Changes the limits; connections that are here stay. */
  useLimits(limits: SlotLimits): void {
    this.#limits = limits;
  }

  /** Slots that are taken now. */
  get taken(): number {
    return this.#counts.all.taken;
  }

  /**
   * A slot for a connection from `address`; undefined where none is free. `heldOnly` acts as if the caps were reached;
   * `ownOnly` also demands that the held session is of the same source.
   */
  admit(
    address: string,
    { heldOnly = false, ownOnly = false } = {},
  ): ConnectionSlot | undefined {
    const here = this.#counts.of(address);
    const { perSource = Infinity } = this.#limits;
    const { all } = this.#counts;
    if (!heldOnly && this.#isFree(address)) return this.#take(address, {});
    // At most as many as there are held sessions: any more are disconnected before anything is read from them.
    const mayComeBack = here.guests < here.held || !ownOnly && here.taken < perSource;
    if (all.guests < all.held && mayComeBack) return this.#take(address, { guests: 1 });
    return undefined;
  }

  /** The same for a connection whose proxy has not yet named the client: only the total cap counts. */
  admitUnknown({ heldOnly = false } = {}): ConnectionSlot | undefined {
    const { all } = this.#counts;
    if (!heldOnly && all.taken < this.#limits.most) return this.#take(UNKNOWN_SOURCE, {});
    return all.guests < all.held ? this.#take(UNKNOWN_SOURCE, { guests: 1 }) : undefined;
  }

  /** A slot outside the caps, for a session whose own connection still counts and is about to end. */
  hold(address: string): ConnectionSlot {
    return this.#take(address, { held: 1 });
  }

  #isFree(address: string): boolean {
    const { most, perSource } = this.#limits;
    const used = this.#counts.all.taken;
    // Where one source may take all slots, none are reserved for others.
    if (perSource === undefined) return used < most;
    if (this.#counts.of(address).taken >= perSource) return false;
    const { taken: held } = this.#counts.ofSite(address);
    return held < perSource * SITE_SHARE && mayTakeSlot({ most, used, held });
  }

  #take(address: string, { held = 0, guests = 0 }: Partial<Count>): ConnectionSlot {
    return new Slot(this.#counts, address, { taken: 1, held, guests });
  }
}

/** What is taken now, in all, by source and by site. */
class Counts {
  readonly all: Count = { ...NOTHING };
  readonly #sources = new Map<string, Count>();

  /** What the source of `address` has. */
  of(address: string): Readonly<Count> {
    return this.#sources.get(sourceOf(address)) ?? NOTHING;
  }

  /** What the site of `address` has. */
  ofSite(address: string): Readonly<Count> {
    return this.#sources.get(siteOf(address)) ?? NOTHING;
  }

  /** Counts what `address` takes more, or less. */
  add(address: string, { taken, held, guests }: Readonly<Count>): void {
    const counted = (count: Count) => {
      count.taken += taken;
      count.held += held;
      count.guests += guests;
      return count;
    };
    counted(this.all);
    const [source, site] = [sourceOf(address), siteOf(address)];
    for (const name of source === site ? [source] : [source, site]) {
      const here = counted(this.#sources.get(name) ?? { ...NOTHING });
      if (here.taken === 0) this.#sources.delete(name);
      else this.#sources.set(name, here);
    }
  }
}

// A class and not closures: each connection has one for as long as it lasts.
class Slot implements ConnectionSlot {
  readonly forHeld: boolean;
  readonly #counts: Counts;
  readonly #address: string;
  readonly #held: number;
  #guests: number;
  #isTaken = true;

  constructor(counts: Counts, address: string, count: Readonly<Count>) {
    this.forHeld = count.guests > 0;
    this.#counts = counts;
    this.#address = address;
    this.#held = count.held;
    this.#guests = count.guests;
    counts.add(address, count);
  }

  settle(): void {
    if (!this.#isTaken) return;
    this.#counts.add(this.#address, { ...NOTHING, guests: -this.#guests });
    this.#guests = 0;
  }

  release(): void {
    if (!this.#isTaken) return;
    this.#isTaken = false;
    this.#counts.add(this.#address, { taken: -1, held: -this.#held, guests: -this.#guests });
  }
}
