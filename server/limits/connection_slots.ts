// Places for connections: how many there may be in all and from one source, and who may come beyond that.

import { sourceOf } from "./ip_network.ts";

/** A place that a connection, or a session that waits for its client, takes. */
export interface ConnectionSlot {
  /** All places are taken: only who takes up a session that is held may stay, since that one has its place already. */
  readonly forHeld: boolean;
  /** Its connection took up a session that was held, which gave its own place back. */
  settle(): void;
  /** Gives it back; idempotent. */
  release(): void;
}

/** How many places there are. */
export interface SlotLimits {
  readonly most: number;
  /** Undefined = one source may have all of them. */
  readonly perSource: number | undefined;
}

interface Count {
  taken: number;
  held: number;
  /** Connections beyond the caps that have not shown a ticket yet. */
  guests: number;
}

/** Counts connections, in all and by source. */
export class ConnectionSlots {
  readonly #limits: SlotLimits;
  readonly #all: Count = { taken: 0, held: 0, guests: 0 };
  readonly #sources = new Map<string, Count>();

  constructor(limits: SlotLimits) {
    this.#limits = limits;
  }

  /** Places that are taken now. */
  get taken(): number {
    return this.#all.taken;
  }

  /** A place for a connection from `address`, `heldOnly` as if the caps were reached; undefined where there is none. */
  admit(address: string, { heldOnly = false } = {}): ConnectionSlot | undefined {
    const here = this.#sources.get(sourceOf(address)) ?? { taken: 0, held: 0, guests: 0 };
    const { most, perSource = Infinity } = this.#limits;
    const all = this.#all;
    if (!heldOnly && all.taken < most && here.taken < perSource) return this.#take(address, {});
    // As many as are held, at most: who is in none of these cases is closed before anything is read.
    const mayComeBack = here.taken < perSource || here.guests < here.held;
    if (all.guests < all.held && mayComeBack) return this.#take(address, { guests: 1 });
    return undefined;
  }

  /** A place beside the caps, for a session whose own connection, which they know, is about to end. */
  hold(address: string): ConnectionSlot {
    return this.#take(address, { held: 1 });
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
