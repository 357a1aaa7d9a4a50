// The open plain rooms by title: who may make another one, and when a room is forgotten.

import { ROOM_MEMORY_BUDGET } from "../config/limits.ts";
import type { ServerConfig } from "../config/server_options.ts";
import { FairBudget } from "../limits/fair_budget.ts";
import { roomBounds, RoomQuota, type RoomQuotaOptions } from "../limits/room_quota.ts";
import type { Bus } from "../room/bus.ts";
import { MemoryBus } from "../room/memory_bus.ts";
import { Room, type RoomOptions } from "../room/room.ts";
import type { RoomSnapshot } from "../room/room_snapshot.ts";
import type { RoomKeeper } from "../session/session_host.ts";

// A room remembers longer than a session is held: a client that comes back in the last second must find all of it.
const MEMORY_HOLDS = 2;

/** Opens rooms and forgets them. */
export class RoomRegistry implements RoomKeeper {
  readonly #bus: Bus;
  readonly #memoryMs: number;
  readonly #backlog: number;
  readonly #memory = new FairBudget(ROOM_MEMORY_BUDGET);
  readonly #shares: RoomQuota;
  readonly #rooms = new Map<string, Room>();
  #nextRoom = 1;

  constructor(config: ServerConfig, bus: Bus) {
    this.#bus = bus;
    this.#backlog = config.backlog;
    this.#memoryMs = config.hold * 1_000 * MEMORY_HOLDS;
    this.#shares = new RoomQuota(roomBounds(config));
  }

  /** Other bounds from now on; rooms that exist stay. */
  useBounds(bounds: RoomQuotaOptions): void {
    this.#shares.useBounds(bounds);
  }

  /** Number of open rooms. */
  get size(): number {
    return this.#rooms.size;
  }

  /** All rooms in which somebody of this server is. */
  get all(): Room[] {
    return [...this.#rooms.values()];
  }

  /** Bytes of what all rooms keep. */
  get bytes(): number {
    return this.#memory.used;
  }

  /** All rooms forget what is too old at `now`. */
  forgetOld(now: number): void {
    for (const room of this.#rooms.values()) room.forgetOld(now);
  }

  open(title: string, address?: string): Room {
    const room = this.#rooms.get(title);
    if (room !== undefined) return room;
    const madeBy = { address, forget: this.#shares.take(address) };
    return this.#make({ id: this.#nextRoom++, title, madeBy });
  }

  tidy(room: Room): void {
    if (room.size > 0 || this.#rooms.get(room.title) !== room) return;
    this.#rooms.delete(room.title);
    room.close();
  }

  /** All rooms as data, and the number of the next one; for a server that has its rooms to itself. */
  snapshot(): { readonly nextRoom: number; readonly rooms: readonly RoomSnapshot[] } {
    const bus = this.#memoryBus();
    return { nextRoom: this.#nextRoom, rooms: this.all.map((room) => snapshotOf(room, bus)) };
  }

  /** Opens the rooms of `known` again; nobody of this server is in them yet. */
  restore(nextRoom: number, known: readonly RoomSnapshot[]): Room[] {
    const bus = this.#memoryBus();
    this.#nextRoom = nextRoom;
    return known.map((room) => {
      const { id, title, madeBy: address, channel } = room;
      bus.restore(title, channel);
      const madeBy = { address, forget: this.#shares.keep(address) };
      return this.#make({ id, title, known: room, madeBy });
    });
  }

  #make(parts: Pick<RoomOptions, "id" | "title" | "known" | "madeBy">): Room {
    const room = new Room({
      ...parts,
      bus: this.#bus,
      memoryMs: this.#memoryMs,
      memory: this.#memory,
      backlog: this.#backlog,
    });
    this.#rooms.set(room.title, room);
    return room;
  }

  #memoryBus(): MemoryBus {
    if (this.#bus instanceof MemoryBus) return this.#bus;
    throw new Error("the rooms are shared with other servers");
  }
}

function snapshotOf(room: Room, bus: MemoryBus): RoomSnapshot {
  const { id, title, madeBy, authors } = room;
  const channel = bus.stateOf(title);
  if (channel === undefined) throw new Error(`room ${id} has no channel`);
  return { id, title, madeBy, channel, authors: authors.snapshot };
}
