// One room: who is in it, under which names, and the order of what happens.

import type { Event, EventOf, MemberState } from "../shared/messages_v2.ts";
import { nameKey, nextFreeName } from "../shared/names.ts";
import { Broadcast } from "./broadcast.ts";
import { type Missed, RoomMemory } from "./room_memory.ts";

/** Somebody in a room. `deliver` never waits and never throws. */
export interface Member {
  readonly id: number;
  readonly name: string;
  readonly state: MemberState;
  /** When it came into the room, ms since 1970. */
  readonly since: number;
  deliver(broadcast: Broadcast): void;
}

type WithoutPlace<E> = E extends unknown ? Omit<E, "at" | "sequence"> : never;

/** Events that have a place in the room's order, before the room gives it to them. */
export type PlacedEvent = WithoutPlace<
  EventOf<"chat" | "joined" | "left" | "renamed" | "away" | "back">
>;

/** A room's members and its order. A room never waits for a member. */
export class Room {
  readonly name: string;
  readonly #members = new Map<number, Member>();
  readonly #nameKeys = new Set<string>();
  readonly #memory: RoomMemory;
  #at = 0;
  #sequence = 0;

  /** `name` has passed `parseRoom`; `memoryMs`: how long events are remembered. */
  constructor(name: string, memoryMs: number) {
    this.name = name;
    this.#memory = new RoomMemory(memoryMs);
  }

  /** Number of members. */
  get size(): number {
    return this.#members.size;
  }

  /** The place of the last event. */
  get at(): number {
    return this.#at;
  }

  /** The members, in the order in which they came: number, name, state, since when. */
  get list(): EventOf<"members">["list"] {
    return Array.from(
      this.#members.values(),
      ({ id, name, state, since }) => [id, name, state, since],
    );
  }

  /** `wanted`, or with the next free suffix where it or a lookalike is taken. */
  freeName(wanted: string): string {
    return nextFreeName(wanted, (key) => this.#nameKeys.has(key));
  }

  /** Whether somebody else than `member` has `name` or a lookalike of it. */
  isTaken(name: string, member: Member): boolean {
    const key = nameKey(name);
    return this.#nameKeys.has(key) && !(this.has(member) && nameKey(member.name) === key);
  }

  /** Whether `member` is here. */
  has(member: Member): boolean {
    return this.#members.has(member.id);
  }

  /** Takes `member` in, under a name that is free here. */
  add(member: Member): void {
    this.#members.set(member.id, member);
    this.#nameKeys.add(nameKey(member.name));
  }

  /** Lets `member` go. */
  remove(member: Member): void {
    if (this.#members.delete(member.id)) this.#nameKeys.delete(nameKey(member.name));
  }

  /** Moves the claim on a name; the caller changes the member's own name. */
  rename(previous: string, next: string): void {
    this.#nameKeys.delete(nameKey(previous));
    this.#nameKeys.add(nameKey(next));
  }

  /** Gives an event its place, remembers it and sends it to all members. */
  publish(event: PlacedEvent): void {
    const at = ++this.#at;
    const placed = event.kind === "chat"
      ? { ...event, at, sequence: ++this.#sequence }
      : { ...event, at };
    const broadcast = new Broadcast(placed as Event, this.name);
    this.#memory.add(broadcast, at, performance.now());
    this.send(broadcast);
  }

  /** Sends what has no place in the order to all members, or all but one. */
  send(broadcast: Broadcast, except?: Member): void {
    for (const member of this.#members.values()) {
      if (member.id !== except?.id) member.deliver(broadcast);
    }
  }

  /** What happened after place `seen`. */
  missed(seen: number): Missed {
    this.#memory.forget(performance.now());
    return this.#memory.since(Math.min(seen, this.#at), this.#at);
  }
}
