// What a sealed room says to the relay and hears from it: the rows of shared/messages/messages_sealed.ts.

import type { SealedEvent, SealedRequest } from "../../shared/messages/messages_v2.ts";

/** Requests of a member; `ask` is repeated by the answer. */
export type ToRelay = SealedRequest;
/** What the relay says. */
export type FromRelay = SealedEvent;
/** One kind of what the relay says. */
export type RelayEvent<K extends FromRelay["kind"]> = Extract<FromRelay, { kind: K }>;
