// Somebody in a sealed room, as far as the server knows: a handle, and a link while there is one.

import { timingSafeEqual } from "node:crypto";
import { encodeBase64 } from "../../shared/base/base64.ts";
import { SEALED_CHUNKS_OPEN_MAX } from "../config/limits.ts";
import type { Event } from "../../shared/messages/messages_v2.ts";
import { EncodedEvent } from "../delivery/encoded_event.ts";

/** Why a room lets a session go without being asked to. */
export type DropReason = "replaced" | "voided" | "closed";

/** A session that is attached to a sealed room. `deliver` never waits and never throws. */
export interface SealedPeer {
  deliver(broadcast: EncodedEvent): void;
  /** The room lets the session go: its handle is taken elsewhere, it is kept out, or the room is closed. */
  dropped(room: number, why: DropReason): void;
  /** The room goes to another server: the session's client must come again. */
  comeAgain(): void;
}

/** A handle as a key of maps. */
export type HandleKey = string & { readonly brand: "HandleKey" };

/** The key of a handle. */
export function handleKey(handle: Uint8Array): HandleKey {
  return encodeBase64(handle) as HandleKey;
}

/** A member, for the next process: handle, owner (null = nobody yet), since which place, whether it is gone for good. */
export type SeatState = readonly [Uint8Array, Uint8Array | null, number, boolean];

/** One handle in one room. */
export class Seat {
  readonly handle: Uint8Array;
  readonly key: HandleKey;
  /** Whether it has the group's state: it can be asked, it votes, and its leaf must be removed when it goes. */
  member: boolean;
  /** Place of the commit by which it came into the group; 0 = not known. */
  memberFrom = 0;
  peer: SealedPeer | undefined;
  /** Gone for good; its leaf is still in the group. */
  departed = false;
  /** Calls off what happens at the end of its grace time. */
  stopGrace: () => void = () => {};
  #owner: Uint8Array | undefined;
  /** Chunks that this seat asked of others and did not get yet. */
  readonly #credit = new Map<HandleKey, number>();

  constructor(handle: Uint8Array, member: boolean) {
    this.handle = handle;
    this.key = handleKey(handle);
    this.member = member;
  }

  /** The member that another process knew; it has no link yet. */
  static restore([handle, owner, memberFrom, departed]: SeatState): Seat {
    const seat = new Seat(handle, true);
    if (owner !== null) seat.#owner = owner;
    [seat.memberFrom, seat.departed] = [memberFrom, departed];
    return seat;
  }

  /** What the next process must know of a member. */
  get state(): SeatState {
    return [this.handle, this.#owner ?? null, this.memberFrom, this.departed];
  }

  /** Whether the handle is `owner`'s; the first who says so owns it. Compared in constant time. */
  isOwnedBy(owner: Uint8Array): boolean {
    this.#owner ??= owner;
    return timingSafeEqual(this.#owner, owner);
  }

  /** Delivers one event to this seat alone. */
  tell(event: Event): void {
    this.peer?.deliver(new EncodedEvent(event, ""));
  }

  /** Lets `chunks` more of `sender` through. False where that is too many. */
  grant(sender: HandleKey, chunks: number): boolean {
    let open = chunks;
    for (const granted of this.#credit.values()) open += granted;
    if (open > SEALED_CHUNKS_OPEN_MAX) return false;
    this.#credit.set(sender, (this.#credit.get(sender) ?? 0) + chunks);
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
