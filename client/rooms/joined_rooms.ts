// The rooms that we are in, what we know of each, and which of them is the current one.

import { type Person, Roster } from "./roster.ts";
import type { SealStatus } from "../sealed_engine/engine_protocol.ts";
import { Said } from "./recent_messages.ts";

/** One room of ours. Its texts are the server's and its members': NOT sanitized. */
export class RoomState {
  readonly title: string;
  /** Whether only its members can read it: then its number is our own, and below zero. */
  readonly isSealed: boolean;
  /** How a sealed room is; undefined before anything is known of it. */
  seal: SealStatus | undefined;
  readonly roster = new Roster();
  readonly said = new Said();
  /** Its number in this session; undefined while we are not in it. */
  number: number | undefined;
  /** Our name in it, as the server gave it. */
  name: string;
  /** What it is about; empty where nobody said. */
  topic = "";
  /** The client that made it and may moderate it; 0 = it is gone, or the server does not tell. */
  maker = 0;
  /** Whom we banned, by the name that they had: their number is what a ban is lifted by. */
  readonly banned = new Map<string, number>();
  /** Place of the last of its events that we have. */
  seen = 0;
  /** Messages that came while another room was the current one, and how many of them name us. */
  unread = 0;
  mentions = 0;
  #firstSight = true;
  #people: Person[] = [];

  constructor(title: string, name: string, isSealed = false) {
    this.title = title;
    this.isSealed = isSealed;
    this.name = name;
  }

  /** Whether who is here is news; once for each time that we come in. */
  takeFirstSight(): boolean {
    const first = this.#firstSight;
    this.#firstSight = false;
    return first;
  }

  /** Whether we came in anew and have not been told who is here. */
  get isNew(): boolean {
    return this.#firstSight;
  }

  /** A part of who is here; true where it was the last one. */
  takeMembers(people: readonly Person[], more: boolean): boolean {
    this.#people.push(...people);
    if (more) return false;
    this.roster.replace(this.#people);
    this.#people = [];
    return true;
  }

  /** Nothing is known of who is here: we come in anew. */
  startAnew(): void {
    this.roster.clear();
    this.said.clear();
    this.#people = [];
    this.#firstSight = true;
  }
}

/** Our rooms, in the order in which we came into them. */
export class Rooms {
  #all: RoomState[] = [];
  #current: RoomState | undefined;
  /** Where we were before, so that leaving leads back there. */
  #previous: RoomState | undefined;

  /** All of them. */
  get all(): readonly RoomState[] {
    return this.#all;
  }

  /** The room that lines go to; undefined where we are in none. */
  get current(): RoomState | undefined {
    return this.#current;
  }

  /** Their names. */
  get titles(): string[] {
    return this.#all.map(({ title }) => title);
  }

  /** The room of this number in this session. */
  byNumber(number: number): RoomState | undefined {
    return this.#all.find((room) => room.number === number);
  }

  /** The room of this name. */
  byTitle(title: string): RoomState | undefined {
    return this.#all.find((room) => room.title === title);
  }

  /** Where there is most to read: where somebody named us, then what is unread, then where we were before. */
  get next(): RoomState | undefined {
    return this.#all.find(({ mentions }) => mentions > 0) ??
      this.#all.find(({ unread }) => unread > 0) ?? this.#previous;
  }

  /** One more room; it becomes the current one where there was none. */
  add(title: string, name: string): RoomState {
    const room = new RoomState(title, name);
    this.#all.push(room);
    this.#current ??= room;
    return room;
  }

  /** One more sealed room, under a number of our own that no server can name. */
  addSealed(title: string, name: string, number: number): RoomState {
    const room = new RoomState(title, name, true);
    room.number = number;
    this.#all.push(room);
    this.#current ??= room;
    return room;
  }

  /** Those that the server knows by name. */
  get plain(): readonly RoomState[] {
    return this.#all.filter(({ isSealed }) => !isSealed);
  }

  /** We are not in it any more. Where it was the current one, gives the one that is it now. */
  remove(room: RoomState): RoomState | undefined {
    room.number = undefined;
    this.#all = this.#all.filter((other) => other !== room);
    if (this.#previous === room) this.#previous = undefined;
    if (this.#current !== room) return undefined;
    this.#current = undefined;
    const next = this.#previous ?? this.#all[0];
    if (next !== undefined) this.switchTo(next);
    return next;
  }

  /** Does at once what `action` does, as if `room` were the current one; where it goes elsewhere, that holds. */
  within<T>(room: RoomState, action: () => T): T {
    const before = this.#current;
    this.#current = room;
    try {
      return action();
    } finally {
      const isOver = this.#current === room || !this.#all.includes(room);
      if (isOver && (before === undefined || this.#all.includes(before))) this.#current = before;
    }
  }

  /** Lines go there from now on, and what came there counts as read. */
  switchTo(room: RoomState): void {
    if (room !== this.#current) this.#previous = this.#current;
    this.#current = room;
    [room.unread, room.mentions] = [0, 0];
  }
}
