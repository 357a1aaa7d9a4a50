// The rooms that we are in, what we know of each, and which of them is the current one.

import { JoinedRoom } from "./joined_room.ts";

/** Our rooms, in the order in which we came into them. */
export class JoinedRooms {
  #all: JoinedRoom[] = [];
  #current: JoinedRoom | undefined;
  /** Where we were before, so that leaving leads back there. */
  #previous: JoinedRoom | undefined;

  /** All of them. */
  get all(): readonly JoinedRoom[] {
    return this.#all;
  }

  /** The room that lines go to; undefined where we are in none. */
  get current(): JoinedRoom | undefined {
    return this.#current;
  }

  /** Their names. */
  get titles(): string[] {
    return this.#all.map(({ title }) => title);
  }

  /** The room of this number in this session. */
  byNumber(number: number): JoinedRoom | undefined {
    return this.#all.find((room) => room.number === number);
  }

  /** The room of this name. */
  byTitle(title: string): JoinedRoom | undefined {
    return this.#all.find((room) => room.title === title);
  }

  /** Where there is most to read: where somebody named us, then what is unread, then where we were before. */
  get next(): JoinedRoom | undefined {
    return this.#all.find(({ mentions }) => mentions > 0) ??
      this.#all.find(({ unread }) => unread > 0) ?? this.#previous;
  }

  /** One more room; it becomes the current one where there was none. */
  add(title: string, name: string): JoinedRoom {
    const room = new JoinedRoom(title, name);
    this.#all.push(room);
    this.#current ??= room;
    return room;
  }

  /** One more sealed room, under a number of our own that no server can name. */
  addSealed(title: string, name: string, number: number): JoinedRoom {
    const room = new JoinedRoom(title, name, true);
    room.number = number;
    this.#all.push(room);
    this.#current ??= room;
    return room;
  }

  /** Those that the server knows by name. */
  get plain(): readonly JoinedRoom[] {
    return this.#all.filter(({ isSealed }) => !isSealed);
  }

  /** We are not in it any more. Where it was the current one, gives the one that is it now. */
  remove(room: JoinedRoom): JoinedRoom | undefined {
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

  /** Lines go there from now on, and what came there counts as read. */
  switchTo(room: JoinedRoom): void {
    if (room !== this.#current) this.#previous = this.#current;
    this.#current = room;
    [room.unread, room.mentions] = [0, 0];
  }
}
