// The rooms that the user is in, and which of them is the current one.

import type { AnyRoomId, LocalRoomId } from "../base/local_ids.ts";
import { ProtocolError } from "../../shared/base/errors.ts";
import { SESSION_ROOMS_MAX } from "../../shared/base/limits.ts";
import type { RosterEntry } from "./roster.ts";
import { JoinedRoom } from "./joined_room.ts";

// A server can take us out of rooms and into others without end.
const VISITED_MAX = 256;

/** The user's rooms, in the order of joining. */
export class JoinedRooms {
  #all: JoinedRoom[] = [];
  readonly #visited = new Set<string>();
  #current: JoinedRoom | undefined;
  /** The room that was current before; leaving leads back there. */
  #previous: JoinedRoom | undefined;

  /** All rooms. */
  get all(): readonly JoinedRoom[] {
    return this.#all;
  }

  /** The room that lines go to; undefined if the user is in none. */
  get current(): JoinedRoom | undefined {
    return this.#current;
  }

  /** Names of all rooms. */
  get titles(): string[] {
    return this.#all.map(({ title }) => title);
  }

  /** The room of this id in this session. */
  byId(id: AnyRoomId): JoinedRoom | undefined {
    return this.#all.find((room) => room.id === id);
  }

  /** The other members of a room that this client is in; none for any other room. */
  othersIn(room: object): readonly RosterEntry[] {
    const joined = this.#all.find((each) => each === room);
    return joined?.roster.people.filter(({ name }) => name !== joined.name) ?? [];
  }

  /** The room of this name. */
  byTitle(title: string): JoinedRoom | undefined {
    return this.#all.find((room) => room.title === title);
  }

  /** The next room to read: one with a mention, else one with unread messages, else the previous one. */
  get next(): JoinedRoom | undefined {
    return this.#all.find(({ mentions }) => mentions > 0) ??
      this.#all.find(({ unread }) => unread > 0) ?? this.#previous;
  }

  /** Adds a room; it becomes the current one if there is none. Throws ProtocolError where a server names too many. */
  add(title: string, name: string): JoinedRoom {
    if (this.plain.length >= SESSION_ROOMS_MAX) {
      throw new ProtocolError(
        `Cannot join another room: ${SESSION_ROOMS_MAX} is the maximum in one session`,
      );
    }
    const room = new JoinedRoom(title, name);
    this.#all.push(room);
    this.#current ??= room;
    return room;
  }

  /** Adds a sealed room under an id of this client, which no server can name. */
  addSealed(title: string, name: string, id: LocalRoomId): JoinedRoom {
    const room = new JoinedRoom(title, name, true);
    room.id = id;
    this.#all.push(room);
    this.#current ??= room;
    return room;
  }

  /** Notes the name of a room for Tab; the oldest go. */
  noteVisit(title: string): void {
    this.#visited.delete(title);
    this.#visited.add(title);
    const [oldest] = this.#visited;
    if (this.#visited.size > VISITED_MAX && oldest !== undefined) this.#visited.delete(oldest);
  }

  /** Names of rooms that the user has been in. */
  get visited(): readonly string[] {
    return [...this.#visited];
  }

  /** Rooms that are not sealed: the server knows their names. */
  get plain(): readonly JoinedRoom[] {
    return this.#all.filter(({ isSealed }) => !isSealed);
  }

  /** Whether one is sealed. */
  get hasSealed(): boolean {
    return this.#all.some(({ isSealed }) => isSealed);
  }

  /** Removes a room. If it was the current one, returns the new current room. */
  remove(room: JoinedRoom): JoinedRoom | undefined {
    room.id = undefined;
    this.#all = this.#all.filter((other) => other !== room);
    if (this.#previous === room) this.#previous = undefined;
    if (this.#current !== room) return undefined;
    this.#current = undefined;
    const next = this.#previous ?? this.#all[0];
    if (next !== undefined) this.switchTo(next);
    return next;
  }

  /** Removes all plain rooms but one: on a v1 server the user is in the room that it names. */
  keepOnly(id: AnyRoomId, title: string): void {
    for (const room of this.plain) if (room.id !== id && room.title !== title) this.remove(room);
  }

  /** Runs `action` with `room` as the current one; a switch that `action` makes stays. */
  within<T>(room: JoinedRoom, action: () => T): T {
    const before = this.#current;
    this.#current = room;
    try {
      return action();
    } finally {
      const isOver = this.#current === room || !this.#all.includes(room);
      if (isOver && (before === undefined || this.#all.includes(before))) this.#current = before;
    }
  }

  /** Makes `room` the current one; its messages count as read. */
  switchTo(room: JoinedRoom): void {
    if (room !== this.#current) this.#previous = this.#current;
    this.#current = room;
    room.wasUnread = room.unread;
    [room.unread, room.mentions] = [0, 0];
  }
}
