// The slot of a connection from a trusted proxy, which counts for no address until the client's address is known.

import type { ConnectionSlot } from "../limits/connection_slots.ts";

/** Decides whether a connection from `address` may stay; undefined = refuse. */
export type Admit = (address: string) => ConnectionSlot | undefined;

/** A slot that is exchanged once for one of the client's own address. */
export class ProvisionalSlot implements ConnectionSlot {
  readonly #admit: Admit;
  #slot: ConnectionSlot;

  /** `slot`: the slot of the connection until then. */
  constructor(slot: ConnectionSlot, admit: Admit) {
    this.#slot = slot;
    this.#admit = admit;
  }

  get forHeld(): boolean {
    return this.#slot.forHeld;
  }

  /** Takes a slot for `address`. Where there is none, gives this one back and returns false. */
  moveTo(address: string): boolean {
    // Given back first, then taken: a server with one slot left must not refuse the client that has it.
    this.#slot.release();
    const slot = this.#admit(address);
    if (slot === undefined) return false;
    this.#slot = slot;
    return true;
  }

  settle(): void {
    this.#slot.settle();
  }

  release(): void {
    this.#slot.release();
  }
}
