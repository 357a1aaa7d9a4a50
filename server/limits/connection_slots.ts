// Slots for connections: how many there are in all and for one source, and who may connect beyond that.

import { mayTakeSlot } from "./fair_budget.ts";
import { sourceOf } from "./ip_network.ts";

/** A slot that a connection takes, or a session that is held. */
export interface ConnectionSlot {
  /** All slots are taken: this connection may stay only if it resumes a held session, which has a slot already. */
  readonly forHeld: boolean;
  /** Its connection resumed a held session, which gave its own slot back. */
  settle(): void;
  /** Gives it back; idempotent. */
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
  /** Connections beyond the caps that have not shown yet that they resume a session. */
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

  /** Other limits from now on; who is here stays. */
  useLimits(limits: SlotLimits): void {
    this.#limits = limits;
  }

  /** Slots that are taken now. */
  get taken(): number {
    return this.#all.taken;
  }

  /**
   * A slot for a connection from `address`; undefined where there is none. `heldOnly`: as if the caps were reached;
   * `ownOnly`: and only for sessions of the same source.
   */
  admit(
    address: string,
    { heldOnly = false, ownOnly = false } = {},
  ): ConnectionSlot | undefined {
    const here = this.#sources.get(sourceOf(address)) ?? { taken: 0, held: 0, guests: 0 };
    const { perSource = Infinity } = this.#limits;
    const all = this.#all;
    if (!heldOnly && this.#isFree(here.taken)) return this.#take(address, {});
    // As many as are held, at most: all others are disconnected before anything is read from them.
    const mayComeBack = here.guests < here.held || !ownOnly && here.taken < perSource;
    if (all.guests < all.held && mayComeBack) return this.#take(address, { guests: 1 });
    return undefined;
  }

  /** The same for a connection whose address a proxy has still to tell: only the cap in all counts. */
  admitUnknown({ heldOnly = false } = {}): ConnectionSlot | undefined {
    const all = this.#all;
    if (!heldOnly && all.taken < this.#limits.most) return this.#take(UNKNOWN_SOURCE, {});
    return all.guests < all.held ? this.#take(UNKNOWN_SOURCE, { guests: 1 }) : undefined;
  }

  /** A slot beside the caps, for a session whose own connection is counted already and about to end. */
  hold(address: string): ConnectionSlot {
    return this.#take(address, { held: 1 });
  }

  #isFree(held: number): boolean {
    const { most, perSource } = this.#limits;
    const used = this.#all.taken;
    // Where one source may have all slots, nothing is kept for others.
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
