// The slot of a connection from a trusted proxy: taken in no address's name until the client's address is known.

import type { ConnectionSlot } from "../limits/connection_slots.ts";

/** Decides whether a connection from `address` may stay; undefined = refuse. */
export type Admit = (address: string) => ConnectionSlot | undefined;

/** A slot that is exchanged once for one in the client's own name. */
export class ProvisionalSlot implements ConnectionSlot {
  readonly #admit: Admit;
  #slot: ConnectionSlot;

  /** `slot`: what the connection has until then. */
  constructor(slot: ConnectionSlot, admit: Admit) {
    this.#slot = slot;
    this.#admit = admit;
  }

  get forHeld(): boolean {
    return this.#slot.forHeld;
  }

  /** Takes a slot in the name of `address`; false where there is none, and then this one is given back. */
  moveTo(address: string): boolean {
    // First back, then again: a server with one place left must not refuse whoever has it.
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
