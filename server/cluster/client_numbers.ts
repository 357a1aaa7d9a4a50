// Client numbers that no two servers assign: the server's slot, followed by a number of its own.

import type { ClientId } from "../../shared/messages/ids.ts";

declare const SLOT: unique symbol;
/** A server process in a cluster: random, so that nothing must be stored to keep it unique. */
export type Slot = number & { readonly [SLOT]: true };

// Together 53 bits, what an integer of JavaScript and of v1's JSON holds exactly. Ten servers have the same slot
// with a chance of 3 in 10 million; 33 million clients of one process come before one of its numbers repeats.
const SLOT_BITS = 27;
const CLIENTS = 2 ** 25;

/** A slot for this process. */
export function randomSlot(): Slot {
  const [bits = 0] = crypto.getRandomValues(new Uint32Array(1));
  return (bits >>> (32 - SLOT_BITS)) + 1 as Slot;
}

/** The first client number of a slot. */
export function clientsOf(slot: Slot): number {
  return slot * CLIENTS;
}

/** The slot that a client number belongs to. */
export function slotOf(client: ClientId): Slot {
  return Math.floor(client / CLIENTS) as Slot;
}
