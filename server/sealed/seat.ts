// A process in a sealed room, as far as the relay knows it: a handle, and a connection while there is one.

import { decodeBase64, encodeBase64 } from "../../shared/base/base64.ts";
import { SEALED_CHUNKS_ALL_MAX, SEALED_CHUNKS_OPEN_MAX } from "../config/limits.ts";
import type { Event } from "../../shared/messages/messages_v2.ts";
import { siteOf } from "../limits/ip_network.ts";
import { EncodedEvent } from "../delivery/encoded_event.ts";

/** Why a room lets a session go without being asked to. */
export type DropReason = "replaced" | "voided" | "closed" | "locked" | "crowded";

/** A session that is attached to a sealed room. `deliver` never waits and never throws. */
export interface SealedPeer {
  deliver(broadcast: EncodedEvent): void;
  /** The room lets the session go. */
  dropped(room: number, why: DropReason): void;
  /** The room moves to another server: the session's client must reconnect. */
  comeAgain(): void;
}

/** A handle as a key of maps. */
export type HandleKey = string & { readonly brand: "HandleKey" };

/** The key of a handle. */
export function handleKey(handle: Uint8Array): HandleKey {
  return encodeBase64(handle) as HandleKey;
}

/** The handle of a key. */
export function handleOf(key: HandleKey): Uint8Array {
  return decodeBase64(key) ?? new Uint8Array();
}

/** A seat, for the next process: its handle, and whether it is gone for good. */
export type SeatState = readonly [Uint8Array, boolean];

/** One handle in one room. Whether it is a member, the roster knows. */
export class Seat {
  readonly handle: Uint8Array;
  readonly key: HandleKey;
  peer: SealedPeer | undefined;
  /** Where its connection comes from: a network, or what else stands for one. */
  source = "";
  /** The site of that. */
  site = "";
  /** When its connection came; monotonic ms. */
  since = 0;
  /** Whether it says that it has the group's state; nothing but its own word. */
  claimsMembership = false;
  /** Gone for good; its leaf is still in the group. */
  departed = false;
  /** How often it had its turn to join, and did not use it. */
  turnsInVain = 0;
  /** Calls off what happens at the end of its grace time. */
  stopGrace: () => void = () => {};
  /** Chunks that this seat asked of others and did not get yet. */
  readonly #credit = new Map<HandleKey, number>();

  constructor(handle: Uint8Array) {
    this.handle = handle;
    this.key = handleKey(handle);
  }

  /** The seat that another process knew; it has no connection yet. */
  static restore([handle, departed]: SeatState): Seat {
    const seat = new Seat(handle);
    seat.departed = departed;
    return seat;
  }

  /** Its connection comes from there. */
  cameFrom(source: string): void {
    this.source = source;
    this.site = siteOf(source);
  }

  /** What the next process must know. */
  get state(): SeatState {
    return [this.handle, this.departed];
  }

  /** Delivers one event to this seat alone. */
  tell(event: Event): void {
    this.peer?.deliver(new EncodedEvent(event, ""));
  }

  /**
   * Lets `chunks` more of `sender` through, up to so many in all: what was asked for again may come once. False where
   * other senders owe too many.
   */
  grant(sender: HandleKey, chunks: number): boolean {
    const known = this.#credit.get(sender) ?? 0;
    let others = -known;
    for (const granted of this.#credit.values()) others += granted;
    const most = Math.min(SEALED_CHUNKS_OPEN_MAX, SEALED_CHUNKS_ALL_MAX - others);
    if (most <= 0) return false;
    this.#credit.set(sender, Math.min(known + chunks, most));
    return true;
  }

  /** Takes one chunk of `sender`, where it was asked for. */
  spend(sender: HandleKey): boolean {
    const left = this.#credit.get(sender) ?? 0;
    if (left === 0) return false;
    if (left === 1) this.#credit.delete(sender);
    else this.#credit.set(sender, left - 1);
    return true;
  }

  /** Takes back what was granted: of `sender`, or of all. */
  revoke(sender?: HandleKey): void {
    if (sender === undefined) this.#credit.clear();
    else this.#credit.delete(sender);
  }
}

/** All seats of one room, and who of them is a member. */
export class Seats {
  readonly #seats = new Map<HandleKey, Seat>();
  readonly #isMember: (key: HandleKey) => boolean;
  /** The member that made the current epoch: the first to know it. */
  lastCommitter: Seat | undefined;

  constructor(isMember: (key: HandleKey) => boolean) {
    this.#isMember = isMember;
  }

  /** All of them. */
  get all(): Seat[] {
    return [...this.#seats.values()];
  }

  /** Those with a connection. */
  get connected(): Seat[] {
    return this.all.filter(({ peer }) => peer !== undefined);
  }

  /** Those with a connection that are not in the group, in the order of their coming. */
  get guests(): Seat[] {
    return this.connected.filter(({ key }) => !this.#isMember(key));
  }

  /** Seats of members, with a connection or without. */
  get ofMembers(): Seat[] {
    return this.all.filter(({ key }) => this.#isMember(key));
  }

  /** Members with a connection; first the one that made the current epoch, which has certainly processed it. */
  get members(): readonly Seat[] {
    const all = this.connected.filter(({ key }) => this.#isMember(key));
    const first = all.indexOf(this.lastCommitter as Seat);
    return first <= 0 ? all : [all[first] as Seat, ...all.toSpliced(first, 1)];
  }

  /** The seat of a handle. */
  of(key: HandleKey): Seat | undefined {
    return this.#seats.get(key);
  }

  /** A new seat. */
  add(seat: Seat): void {
    this.#seats.set(seat.key, seat);
  }

  /** Seats for members without a connection, where they have none yet. */
  addAbsent(handles: readonly Uint8Array[]): Seat[] {
    const absent = handles.map((handle) => new Seat(new Uint8Array(handle)))
      .filter(({ key }) => this.#isMember(key) && !this.#seats.has(key));
    for (const seat of absent) this.add(seat);
    return absent;
  }

  /** Nobody has that seat any more. */
  remove(seat: Seat): void {
    seat.stopGrace();
    if (this.#seats.get(seat.key) === seat) this.#seats.delete(seat.key);
  }

  /** The room is gone. */
  clear(): void {
    for (const seat of this.all) this.remove(seat);
  }

  /** Delivers one event to all members, or to all but one. */
  send(event: Event, except?: Seat): void {
    this.deliver(new EncodedEvent(event, ""), this.members.filter((seat) => seat !== except));
  }

  /** Delivers an event to these. */
  deliver(broadcast: EncodedEvent, seats: Iterable<Seat> = this.members): void {
    for (const seat of seats) seat.peer?.deliver(broadcast);
  }
}
