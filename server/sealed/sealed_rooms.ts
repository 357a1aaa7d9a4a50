// All sealed rooms of a server, by the random names that the links give them.

import { encodeBase64 } from "../../shared/base/base64.ts";
import { LimitError } from "../../shared/base/errors.ts";
import { RoomQuota, type RoomQuotaOptions } from "../limits/room_quota.ts";
import { SEALED_FORMAT, type SealedClock } from "./room_contract.ts";
import type { SealedCounters } from "../telemetry/counters.ts";
import { FairBudget } from "../limits/fair_budget.ts";
import type { SourceRate } from "../limits/source_rate.ts";
import { sourceOf } from "../limits/ip_network.ts";
import { SEALED_MEMORY_BUDGET } from "../config/limits.ts";
import { SealedRoom } from "./sealed_room.ts";
import type { SealedRoomOptions, SealedSnapshot } from "./room_contract.ts";

// The admin closes rooms by hand.
const CLOSED_MAX = 1_000;

/** What the rooms of one server share. */
export interface SealedRoomsOptions {
  readonly clock: SealedClock;
  readonly counters: SealedCounters;
  /** Most rooms at once. */
  readonly most: number;
  /** Most rooms made from one address. */
  readonly share: number;
  /** How long the seat of a member without a connection is kept. */
  readonly graceMs: number;
  /** How often a source may come into a room; undefined where addresses say nothing about clients. */
  readonly entrances?: (() => SourceRate | undefined) | undefined;
}

/** Told when rooms begin and end. */
export interface SealedWatcher {
  readonly opened: (rid: Uint8Array) => void;
  readonly closed: (rid: Uint8Array) => void;
}

/** The sealed rooms in which somebody is, or is waited for. */
export class SealedRooms {
  readonly #options: SealedRoomsOptions;
  readonly #memory = new FairBudget(SEALED_MEMORY_BUDGET);
  readonly #rooms = new Map<string, SealedRoom>();
  readonly #shares: RoomQuota;
  /** What to call when a room is gone. */
  readonly #forgets = new Map<string, () => void>();
  readonly #closed = new Set<string>();
  #lastNumber = 0;
  #watcher: SealedWatcher | undefined;

  constructor(options: SealedRoomsOptions) {
    this.#options = options;
    this.#shares = new RoomQuota(options);
  }

  /** Other bounds from now on; rooms that exist stay. */
  useBounds(bounds: RoomQuotaOptions): void {
    this.#shares.useBounds(bounds);
  }

  /** Number of rooms. */
  get size(): number {
    return this.#rooms.size;
  }

  /** Bytes of frames that all rooms remember. */
  get bytes(): number {
    return this.#memory.used;
  }

  /** All rooms forget messages that are too old. */
  forgetOld(): void {
    for (const room of this.#rooms.values()) room.forgetOld();
  }

  /** The time by which all of them live; monotonic ms. */
  now(): number {
    return this.#options.clock.now();
  }

  /** The room `rid`, made by `address` of this server where it is not there. Throws LimitError at a cap. */
  open(rid: Uint8Array, address?: string): SealedRoom {
    const key = encodeBase64(rid);
    const known = this.#rooms.get(key);
    if (known !== undefined) return known;
    if (this.#closed.has(key)) {
      throw new LimitError("Cannot join the room: the server's admin closed it");
    }
    this.#forgets.set(key, this.#shares.take(address));
    const source = address === undefined ? key : sourceOf(address);
    return this.#make(key, { number: ++this.#lastNumber, rid: new Uint8Array(rid) }, source);
  }

  /** What the next process must know. */
  get state(): SealedSnapshot {
    return {
      format: SEALED_FORMAT,
      lastNumber: this.#lastNumber,
      closed: [...this.#closed],
      rooms: this.list.flatMap((room) => room.state ?? []),
    };
  }

  /** Has what another process knew, whose members are waited for. False, and has nothing, in another format. */
  restore({ format, lastNumber, closed, rooms }: SealedSnapshot): boolean {
    if (format !== SEALED_FORMAT) return false;
    this.#lastNumber = lastNumber;
    for (const key of closed) this.#closed.add(key);
    for (const known of rooms) {
      const { number, rid } = known;
      const key = encodeBase64(rid);
      // Its maker is not known any more; the room counts all the same.
      this.#forgets.set(key, this.#shares.keep(undefined));
      this.#make(key, { number, rid, known });
    }
    return true;
  }

  /** All rooms. */
  get list(): SealedRoom[] {
    return [...this.#rooms.values()];
  }

  /**
   * Ends room `number`, and keeps it closed for as long as the server runs: its members would bring it back. The number
   * of those who were in it; undefined where it is not there.
   */
  shut(number: number): number | undefined {
    const [key, room] = this.#rooms.entries().find(([, one]) => one.number === number) ?? [];
    if (key === undefined || room === undefined) return undefined;
    const { attached } = room;
    this.#closed.add(key);
    if (this.#closed.size > CLOSED_MAX) {
      this.#closed.delete(this.#closed.keys().next().value as string);
    }
    this.#remove(key);
    room.shut();
    this.#watcher?.closed(room.rid);
    return attached;
  }

  /** The server stops: no timer is left. */
  close(): void {
    for (const [key, room] of this.#rooms) this.#close(key, room);
  }

  /** Tells `watcher` of rooms from now on. */
  watch(watcher: SealedWatcher): void {
    this.#watcher = watcher;
  }

  /** Another server has the room `rid`. */
  giveUp(rid: Uint8Array): void {
    const key = encodeBase64(rid);
    const room = this.#rooms.get(key);
    this.#remove(key);
    room?.giveUp();
  }

  #close(key: string, room: SealedRoom): void {
    room.close();
    if (this.#remove(key)) this.#watcher?.closed(room.rid);
  }

  #make(
    key: string,
    parts: Pick<SealedRoomOptions, "number" | "rid" | "known">,
    source = key,
  ): SealedRoom {
    const { clock, counters, graceMs, entrances } = this.#options;
    const room: SealedRoom = new SealedRoom({
      ...parts,
      clock,
      counters,
      graceMs,
      entrances,
      memory: { budget: this.#memory, source },
      onEmpty: () => this.#close(key, room),
    });
    this.#rooms.set(key, room);
    this.#watcher?.opened(room.rid);
    return room;
  }

  #remove(key: string): boolean {
    this.#forgets.get(key)?.();
    this.#forgets.delete(key);
    return this.#rooms.delete(key);
  }
}
