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

import type { Event, EventOf, MemberState } from "../../shared/messages/messages_v2.ts";
import { decodeEvent, encodeEvent } from "../../shared/messages/codec_v2.ts";
import { Broadcast } from "../delivery/encoded_event.ts";
import { type Missed, RoomMemory } from "./recent_events.ts";
import type { RoomRules } from "./room_rules.ts";

type WithoutPlace<E> = E extends unknown ? Omit<E, "at" | "sequence"> : never;

/** A chat before it has its place and sequence; the sequence of a `revised` is that of the chat it changes. */
type Chat = WithoutPlace<EventOf<"chat">>;
type Placeable<E> = E extends unknown ? Omit<E, "at"> : never;

/** Events that have a place in a room's order, before the bus gives it to them. */
export type PlacedEvent =
  | Chat
  | Placeable<
    EventOf<
      "joined" | "left" | "renamed" | "away" | "back" | "revised" | "topic" | "status" | "moderated"
    >
  >;

/** Events of a room without a place. */
export type PassingEvent = EventOf<"offer" | "chunk" | "typing" | "reached" | "pull">;

/** Who gets an event: all but one, or one alone; undefined = all. */
export type Audience = { readonly except: number } | { readonly only: number } | undefined;

/** The place of an event: now, or when the bus knows it. */
export type Place = number | Promise<number>;

/** Somebody in a room, on whichever server. */
export interface Occupant {
  readonly client: number;
  readonly name: string;
  readonly state: MemberState;
  readonly since: number;
  readonly status: string | null;
  /** The highest number of a request of theirs that became an event: tells repeats. */
  readonly request: number;
}

/** What is known of a room on all servers together. */
export interface SharedView {
  readonly topic: string;
  readonly rules: RoomRules;
  /** In the order in which they came. */
  readonly occupants: readonly Occupant[];
  of(client: number): Occupant | undefined;
  /** The client that has this name or a lookalike of it. */
  holder(nameKey: string): number | undefined;
}

/** What a room is to its bus. */
export interface ChannelOptions {
  /** The room's number on this server. */
  readonly room: number;
  /** The room's name, by which all servers know it. */
  readonly title: string;
  /** How long events are remembered; 0 = not at all. */
  readonly memoryMs: number;
  /** Takes each event as it comes back. */
  readonly deliver: (broadcast: Broadcast, audience?: Audience) => void;
  /** The order was lost and begins anew: what was delivered last may be unknown to others, and the other way round. */
  readonly onBreak: () => void;
}

/** One room on a bus. */
export interface Channel {
  /** The place of the last event that was delivered. */
  readonly at: number;
  /** Resolves when it is known what happened on other servers; undefined where there are none. */
  readonly ready: Promise<void> | undefined;
  /** The room on all servers; undefined where there is only this one. */
  readonly view: SharedView | undefined;
  publish(event: PlacedEvent): Place;
  pass(event: PassingEvent, audience?: Audience): void;
  /** What happened after place `seen`, as far as it is remembered. */
  missed(seen: number): Missed;
  /** The room is gone from this server. */
  close(): void;
}

/** Where rooms get their channels. */
export interface Bus {
  open(options: ChannelOptions): Channel;
  /** The number after which this server's clients are numbered: no two servers give the same. */
  readonly firstClient: number;
}

/** Runs `next` when `place` is known: at once where it is. */
export function whenPlaced(place: Place, next: (place: number) => void): void {
  if (typeof place === "number") next(place);
  else void place.then(next);
}

/** Runs `next` when all places are known, and tells whether all of it happened. */
export function whenAllPlaced(places: readonly Place[], next: (happened: boolean) => void): void {
  const judge = (known: readonly number[]) => next(known.every((place) => place > 0));
  if (places.every((place) => typeof place === "number")) judge(places);
  else void Promise.all(places).then(judge);
}

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
  readonly #memory: RoomMemory;
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
    this.#memory = new RoomMemory(memoryMs);
    this.#at = state.at;
    this.#sequence = state.sequence;
    const now = performance.now();
    for (const [at, age, body] of state.events) {
      this.#memory.add(new Broadcast(decodeEvent(body), title), at, now - age);
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
    const broadcast = new Broadcast(placed, this.#title);
    this.#memory.add(broadcast, at, performance.now());
    this.#deliver(broadcast);
    return at;
  }

  pass(event: PassingEvent, audience?: Audience): void {
    this.#deliver(new Broadcast(event, this.#title), audience);
  }

  missed(seen: number): Missed {
    this.#memory.forget(performance.now());
    return this.#memory.since(Math.min(seen, this.#at), this.#at);
  }

  close(): void {
    this.#onClose();
  }
}
