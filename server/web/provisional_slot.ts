// The slot of a connection from a trusted proxy, which counts for no address until the client's address is known.
// From then on it counts for that one: a client that says nothing more holds none of the places of others.

import type { Closable, ConnectionSlot } from "../limits/connection_slots.ts";

/** Decides whether a connection from `address` may stay; undefined = refuse. */
export type Admit = (address: string) => ConnectionSlot | undefined;

/** A slot that is exchanged for one of the client's own address. */
export class ProvisionalSlot implements ConnectionSlot {
  /** Whether a proxy's header came: what follows it is the client's, which is not asked who it is. */
  isNamed = false;
  readonly #admit: Admit;
  #slot: ConnectionSlot;
  #address: string | undefined;
  #connection: Closable | undefined;

  /** `slot`: the slot of the connection until then. */
  constructor(slot: ConnectionSlot, admit: Admit) {
    this.#slot = slot;
    this.#admit = admit;
  }

  get forHeld(): boolean {
    return this.#slot.forHeld;
  }

  get why(): string | undefined {
    return this.#slot.why;
  }

  /**
   * Takes a slot for `address`; nothing happens where it has that one. Where there is none, gives this one back and
   * returns false.
   */
  moveTo(address: string): boolean {
    if (address === this.#address) return true;
    // Given back first, then taken: a server with one slot left must not refuse the client that has it.
    this.#slot.release();
    const slot = this.#admit(address);
    if (slot === undefined) return false;
    this.#slot = slot;
    this.#address = address;
    if (this.#connection !== undefined) slot.isOf?.(this.#connection);
    return true;
  }

  isOf(connection: Closable): void {
    this.#connection = connection;
    this.#slot.isOf?.(connection);
  }

  settle(): void {
    this.#slot.settle();
  }

  release(): void {
    this.#slot.release();
  }
}
