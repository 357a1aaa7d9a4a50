// How the events of a room get their order and come back to it. A bus is all that several servers need to share one
// room; this one is for one server and keeps everything in memory.
//
// The contract:
// 1. `publish` gives each event of a room a position, from 1 without gaps, and each chat its sequence, in the order of
//    the calls. All that was published comes back through `deliver`, once, in the order of the positions.
// 2. `publish` resolves once the event came back. Where that is at once it returns the position itself: no promise is
//    made for each message of a busy room.
// 3. `pass` brings events without a position (files, typing) to `deliver` in the order of the calls, at most once.
//    With an audience of one it goes to that client alone, on whichever server that is.
// 4. Neither waits for a member, and neither throws.
// 5. Where other servers have the room too, an event may have become impossible before it got its position (a name was
//    taken, a message was there already): then it never comes back, and its position is 0. Where the bus refuses an
//    event (its sender was taken for gone, the bus is full), `onRefused` is told why.
// 6. The view has every event before `deliver` brings it.

import { unframeBody } from "../../shared/channel/record_batch.ts";
import type { Event } from "../../shared/messages/messages_v2.ts";
import { decodeEvent } from "../../shared/messages/codec_v2.ts";
import { EncodedEvent } from "../delivery/encoded_event.ts";
import { Backlog } from "./backlog.ts";
import { type MissedEvents, RecentEvents } from "./recent_events.ts";
import { RoomView } from "./room_view.ts";
import type { Audience, Bus, Channel, ChannelOptions, PassingEvent, PlacedEvent } from "./bus.ts";

/** A channel of a MemoryBus, for another process to go on. */
export interface ChannelState {
  /** The room's view, encoded. */
  readonly view: Uint8Array;
  /** What is remembered, oldest first: position, age in ms, the encoded event. */
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

  /** The state of the channel of room `title`. */
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
  readonly view: RoomView;
  readonly #title: string;
  readonly #deliver: ChannelOptions["deliver"];
  readonly #memory: RecentEvents;
  readonly #onClose: () => void;

  constructor(
    { title, memoryMs, memory, backlog, deliver }: ChannelOptions,
    onClose: () => void,
    state: ChannelState | undefined,
  ) {
    this.#title = title;
    this.#deliver = deliver;
    this.#onClose = onClose;
    this.#memory = new RecentEvents(memoryMs, memory);
    this.view = new RoomView(new Backlog(backlog, memory));
    if (state !== undefined) this.#restore(state);
  }

  get state(): ChannelState {
    const now = performance.now();
    this.#memory.forget(now);
    const events = this.#memory.all.map(({ body, at, time }) =>
      [at, now - time, unframeBody(body.content)] as const
    );
    return { view: this.view.encode(), events };
  }

  get at(): number {
    return this.view.at;
  }

  publish(event: PlacedEvent): number {
    const at = ++this.view.at;
    const placed: Event = event.kind === "chat"
      ? { ...event, at, sequence: ++this.view.sequence }
      : { ...event, at };
    this.view.apply(event);
    const broadcast = new EncodedEvent(placed, this.#title);
    this.#memory.add(broadcast, at, performance.now());
    this.#deliver(broadcast);
    return at;
  }

  pass(event: PassingEvent, audience?: Audience): void {
    this.#deliver(new EncodedEvent(event, this.#title), audience);
  }

  missed(seen: number): MissedEvents {
    this.forgetOld(performance.now());
    return this.#memory.since(Math.min(seen, this.at), this.at);
  }

  forgetOld(now: number): void {
    this.#memory.forget(now);
  }

  close(): void {
    this.#memory.close();
    this.view.backlog.close();
    this.#onClose();
  }

  #restore({ view, events }: ChannelState): void {
    this.view.adopt(view);
    const now = performance.now();
    for (const [at, age, body] of events) {
      this.#memory.add(new EncodedEvent(decodeEvent(body), this.#title), at, now - age);
    }
  }
}
