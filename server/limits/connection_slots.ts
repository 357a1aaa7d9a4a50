// Slots for connections: the caps in all and per source, and which connections may come beyond them.

import { mayTakeSlot } from "./fair_budget.ts";
import { sourceOf } from "./ip_network.ts";

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
  /** Most for one source; undefined = all of them, as behind a proxy. */
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

/** Counts connections, in all and by source. */
export class ConnectionSlots {
  #limits: SlotLimits;
  readonly #all: Count = { taken: 0, held: 0, guests: 0 };
  readonly #sources = new Map<string, Count>();

  constructor(limits: SlotLimits) {
    this.#limits = limits;
  }

  /** Changes the limits; connections that are here stay. */
  useLimits(limits: SlotLimits): void {
    this.#limits = limits;
  }

  /** Slots that are taken now. */
  get taken(): number {
    return this.#all.taken;
  }

  /**
   * A slot for a connection from `address`; undefined where none is free. `heldOnly` acts as if the caps were reached;
   * `ownOnly` also demands that the held session is of the same source.
   */
  admit(
    address: string,
    { heldOnly = false, ownOnly = false } = {},
  ): ConnectionSlot | undefined {
    const here = this.#sources.get(sourceOf(address)) ?? { taken: 0, held: 0, guests: 0 };
    const { perSource = Infinity } = this.#limits;
    const all = this.#all;
    if (!heldOnly && this.#isFree(here.taken)) return this.#take(address, {});
    // At most as many as there are held sessions: any more are disconnected before anything is read from them.
    const mayComeBack = here.guests < here.held || !ownOnly && here.taken < perSource;
    if (all.guests < all.held && mayComeBack) return this.#take(address, { guests: 1 });
    return undefined;
  }

  /** The same for a connection whose proxy has not yet named the client: only the total cap counts. */
  admitUnknown({ heldOnly = false } = {}): ConnectionSlot | undefined {
    const all = this.#all;
    if (!heldOnly && all.taken < this.#limits.most) return this.#take(UNKNOWN_SOURCE, {});
    return all.guests < all.held ? this.#take(UNKNOWN_SOURCE, { guests: 1 }) : undefined;
  }

  /** A slot outside the caps, for a session whose own connection still counts and is about to end. */
  hold(address: string): ConnectionSlot {
    return this.#take(address, { held: 1 });
  }

  #isFree(held: number): boolean {
    const { most, perSource } = this.#limits;
    const used = this.#all.taken;
    // Where one source may take all slots, none are reserved for others.
    if (perSource === undefined) return used < most;
    return held < perSource && mayTakeSlot({ most, used, held });
  }

  #take(address: string, { held = 0, guests = 0 }: Partial<Count>): ConnectionSlot {
    let own: Count = { taken: 1, held, guests };
    this.#add(address, own);
    const become = (next: Count) => {
      this.#add(address, {
        taken: next.taken - own.taken,
        held: next.held - own.held,
        guests: next.guests - own.guests,
      });
      own = next;
    };
    return {
      forHeld: guests > 0,
      settle: () => become({ ...own, guests: 0 }),
      release: () => become({ taken: 0, held: 0, guests: 0 }),
    };
  }

  #add(address: string, { taken, held, guests }: Count): void {
    const source = sourceOf(address);
    const here = this.#sources.get(source) ?? { taken: 0, held: 0, guests: 0 };
    for (const count of [this.#all, here]) {
      count.taken += taken;
      count.held += held;
      count.guests += guests;
    }
    if (here.taken === 0) this.#sources.delete(source);
    else this.#sources.set(source, here);
  }
}
