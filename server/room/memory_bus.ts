// How the events of a room get their order and come back to it. Between a room and its bus lies all that several
// servers need to have one room together; the bus here is for one server and keeps everything in memory.
//
// The contract:
// 1. `publish` gives each event of a room a place, from 1 without gaps, and each chat its sequence, in the order of
//    the calls. All that was published comes back through `deliver`, once, in the order of the places.
// 2. `publish` resolves once the event came back. Where that is at once it returns the place itself: no promise is
//    made for each message of a busy room.
// 3. `pass` brings what has no place (files, typing) to `deliver` in the order of the calls, at most once.
//    With an audience of one it goes to that client alone, on whichever server that is.
// 4. Neither waits for a member, and neither throws.
// 5. Where other servers have the room too, an event may have become impossible before it got its place (a name was
//    taken, a message was there already): then it never comes back, and its place is 0.

import type { Event } from "../../shared/messages/messages_v2.ts";
import { decodeEvent, encodeEvent } from "../../shared/messages/codec_v2.ts";
import { EncodedEvent } from "../delivery/encoded_event.ts";
import { type MissedEvents, RecentEvents } from "./recent_events.ts";
import type { Audience, Bus, Channel, ChannelOptions, PassingEvent, PlacedEvent } from "./bus.ts";

/** Where a channel of a MemoryBus stands, for another process to go on. */
export interface ChannelState {
  readonly at: number;
  readonly sequence: number;
  /** What is remembered, oldest first: place, age in ms, the encoded event. */
  readonly events: readonly (readonly [number, number, Uint8Array])[];
}

/** The bus of one server. */
export class MemoryBus implements Bus {
  readonly firstClient = 1;
  readonly #channels = new Map<string, MemoryChannel>();
  readonly #restored = new Map<string, ChannelState>();

  open(options: ChannelOptions): Channel {
    const { title } = options;
    const onClose = () => this.#channels.delete(title);
    const channel = new MemoryChannel(options, onClose, this.#restored.get(title));
    this.#restored.delete(title);
    this.#channels.set(title, channel);
    return channel;
  }

  /** Where the channel of room `title` stands. */
  stateOf(title: string): ChannelState | undefined {
    return this.#channels.get(title)?.state;
  }

  /** The next channel that is opened for room `title` goes on from `state`. */
  restore(title: string, state: ChannelState): void {
    this.#restored.set(title, state);
  }
}

class MemoryChannel implements Channel {
  readonly ready = undefined;
  readonly view = undefined;
  readonly #title: string;
  readonly #deliver: ChannelOptions["deliver"];
  readonly #memory: RecentEvents;
  readonly #onClose: () => void;
  #at: number;
  #sequence: number;

  constructor(
    { title, memoryMs, deliver }: ChannelOptions,
    onClose: () => void,
    state: ChannelState = { at: 0, sequence: 0, events: [] },
  ) {
    this.#title = title;
    this.#deliver = deliver;
    this.#onClose = onClose;
    this.#memory = new RecentEvents(memoryMs);
    this.#at = state.at;
    this.#sequence = state.sequence;
    const now = performance.now();
    for (const [at, age, body] of state.events) {
      this.#memory.add(new EncodedEvent(decodeEvent(body), title), at, now - age);
    }
  }

  get state(): ChannelState {
    const now = performance.now();
    this.#memory.forget(now);
    const events = this.#memory.all.map(({ broadcast, at, time }) =>
      [at, now - time, encodeEvent(broadcast.event)] as const
    );
    return { at: this.#at, sequence: this.#sequence, events };
  }

  get at(): number {
    return this.#at;
  }

  publish(event: PlacedEvent): number {
    const at = ++this.#at;
    const placed: Event = event.kind === "chat"
      ? { ...event, at, sequence: ++this.#sequence }
      : { ...event, at };
    const broadcast = new EncodedEvent(placed, this.#title);
    this.#memory.add(broadcast, at, performance.now());
    this.#deliver(broadcast);
    return at;
  }

  pass(event: PassingEvent, audience?: Audience): void {
    this.#deliver(new EncodedEvent(event, this.#title), audience);
  }

  missed(seen: number): MissedEvents {
    this.#memory.forget(performance.now());
    return this.#memory.since(Math.min(seen, this.#at), this.#at);
  }

  close(): void {
    this.#onClose();
  }
}
