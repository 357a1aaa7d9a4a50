// Chats that one read of a busy sender brings into a room leave as one body: to queue each of them for each member would
// cost as much as to encrypt it. Members cannot tell. Chats are collected only between two points where nothing else can
// happen. Whatever else is delivered meanwhile, be it a chat in another room, or changes who is there, lets them go first.

import { concatBytes } from "../../shared/base/bytes.ts";
import type { FramedBody } from "../../shared/channel/record_batch.ts";
import type { EncodedEvent, OutgoingBody } from "./encoded_event.ts";

/** Bytes of the largest burst: four fill a record. */
export const BURST_MAX_BYTES = 16_000;

/** Events that came one right after another, for all who get them. */
export class EncodedBurst {
  readonly isBulk = false;
  readonly events: readonly EncodedEvent[];
  #v2: OutgoingBody<FramedBody> | undefined;

  constructor(events: readonly EncodedEvent[]) {
    this.events = events;
  }

  /** How many events it is. */
  get count(): number {
    return this.events.length;
  }

  /** The bodies of all events for a v2 member, framed for records: one after another as one piece. */
  get v2(): OutgoingBody<FramedBody> {
    if (this.#v2 === undefined) {
      const whole = concatBytes(this.events.flatMap(({ v2 }) => v2.content as Uint8Array[]));
      this.#v2 = { content: [whole], bytes: whole.length, waiting: 0 };
    }
    return this.#v2;
  }
}

/** Somebody who gets events. Neither method waits or throws. */
export interface BurstReceiver {
  deliver(event: EncodedEvent): void;
  deliverBurst(burst: EncodedBurst): void;
}

let isCollecting = false;
/** What was collected. One at a time: chats of two rooms keep their order as well. */
let open: Burst | undefined;

/** From now on chats are collected; no other code may run before `endBursts`. */
export function collectBursts(): void {
  isCollecting = true;
}

/** All that was collected is delivered, and no more is collected. */
export function endBursts(): void {
  isCollecting = false;
  spreadBursts();
}

/** Delivers what was collected, before something else is. */
export function spreadBursts(): void {
  const burst = open;
  open = undefined;
  burst?.spread();
}

/** What was collected for the same receivers. */
export class Burst {
  readonly #receivers: ReadonlyMap<number, BurstReceiver>;
  #events: EncodedEvent[] = [];
  #bytes = 0;

  /** `receivers` may change, after `spreadBursts`. */
  constructor(receivers: ReadonlyMap<number, BurstReceiver>) {
    this.#receivers = receivers;
  }

  /** Delivers an event to all receivers: at once, or with those that come right behind it. */
  add(event: EncodedEvent): void {
    if (!isCollecting || !isShort(event)) {
      spreadBursts();
      return this.#deliver(event);
    }
    const { bytes } = event.v2;
    if (open !== this || this.#bytes + bytes > BURST_MAX_BYTES) spreadBursts();
    open = this;
    this.#events.push(event);
    this.#bytes += bytes;
  }

  /** Called by `spreadBursts`. */
  spread(): void {
    const events = this.#events;
    this.#events = [];
    this.#bytes = 0;
    // Most are alone.
    if (events.length === 1) return this.#deliver(events[0] as EncodedEvent);
    const burst = new EncodedBurst(events);
    for (const receiver of this.#receivers.values()) receiver.deliverBurst(burst);
  }

  #deliver(event: EncodedEvent): void {
    for (const receiver of this.#receivers.values()) receiver.deliver(event);
  }
}

/** Whether others fit beside it, which is so with all usual lines. */
function isShort({ v2: { content, bytes } }: EncodedEvent): boolean {
  return bytes <= BURST_MAX_BYTES / 2 && content.length === 1 && content[0] instanceof Uint8Array;
}
