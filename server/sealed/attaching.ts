// How a connection gets its seat in a sealed room: the seat of its handle or a new one, whom the room does not take,
// and what the connection is told of where the room is.

import type { EventOf } from "../../shared/messages/messages_v2.ts";
import { LimitError } from "../../shared/base/errors.ts";
import { SEALED_MEMBERS_MAX } from "../../shared/base/limits.ts";
import { SEALED_GUESTS_MAX, SEALED_PENALTY_MS } from "../config/limits.ts";
import { SITE_SHARE, siteOf } from "../limits/ip_network.ts";
import type { SealedClock } from "./room_contract.ts";
import type { CommitOrder } from "./commit_order.ts";
import type { Eviction } from "./eviction.ts";
import type { Missing } from "./frame_ring.ts";
import type { Guests } from "./guests.ts";
import type { Roster } from "./roster.ts";
import type { SeatClaim } from "./room_contract.ts";
import { type HandleKey, handleKey, type SealedPeer, Seat, type Seats } from "./seat.ts";

const SEATS_MAX = SEALED_MEMBERS_MAX + SEALED_GUESTS_MAX;

/** What attaching needs from its room. */
export interface AttachingOptions {
  /** Number of the room. */
  readonly room: number;
  readonly clock: SealedClock;
  readonly seats: Seats;
  readonly roster: Roster;
  readonly guests: Guests;
  readonly eviction: Eviction;
  readonly order: () => CommitOrder | undefined;
  /** Lets a seat go, so that another has room. */
  readonly drop: (seat: Seat) => void;
}

/** Gives seats to connections. */
export class Attaching {
  readonly #options: AttachingOptions;
  readonly #penalties = new Penalties();

  constructor(options: AttachingOptions) {
    this.#options = options;
  }

  /**
   * The seat of the client that attaches, over this connection from now on. Throws LimitError where the room does not
   * take it.
   */
  seat(peer: SealedPeer, { handle, source, member }: SeatClaim): Seat {
    const key = handleKey(handle);
    this.#checkPenalty(key, source);
    const seat = this.#options.seats.of(key) ?? this.#newSeat(handle, source);
    this.#connect(seat, peer);
    seat.cameFrom(source);
    seat.since = this.#options.clock.now();
    seat.claimsMembership = member;
    return seat;
  }

  /** Members found a commit of that seat unsound: it, or its source, has to wait. */
  punish({ key, source, site }: Seat): void {
    const now = this.#options.clock.now();
    this.#penalties.add(key, now);
    // Whether a member shares the source is looked at when somebody comes: by then one may have come or gone.
    this.#penalties.add(source, now);
    // Where a site is no more than its source, it has no penalty of its own.
    if (site !== source) this.#penalties.add(site, now, SITE_SHARE);
  }

  /** Tells a seat where the room is, and what it has missed. */
  answer(seat: Seat, { ask, member, epoch, seq }: SeatClaim): void {
    const { room, roster } = this.#options;
    const order = this.#options.order();
    if (order === undefined) return seat.tell({ kind: "sealed_none", ask, room });
    if (!roster.has(seat.key)) return seat.tell({ ...STRANGER, ask, room });
    const replay = member
      ? order.since({ epoch, seq })
      : { missing: "epochs" as const, broadcasts: [] };
    this.tellAttached(seat, { ask, missing: replay.missing });
    for (const broadcast of replay.broadcasts) seat.peer?.deliver(broadcast);
  }

  /** Tells a member where the room is. */
  tellAttached(
    seat: Seat,
    { ask, missing }: { readonly ask: number; readonly missing: Missing },
  ): void {
    const { room, roster, seats, guests } = this.#options;
    const order = this.#options.order();
    if (order === undefined) return seat.tell({ kind: "sealed_none", ask, room });
    if (!roster.has(seat.key)) return seat.tell({ ...STRANGER, ask, room });
    const members = seats.ofMembers
      .map(({ handle, peer }): [Uint8Array, boolean] => [handle, peer !== undefined]);
    seat.tell({ kind: "sealed_attached", ask, missing, room, ...order.standing, members });
    if (guests.told > 0) seat.tell({ kind: "sealed_guests", room, count: guests.told });
  }

  #checkPenalty(key: HandleKey, source: string): void {
    const { clock, roster, seats } = this.#options;
    const now = clock.now();
    const isShared = roster.has(key) ||
      seats.members.some((seat) => seat.source === source);
    const ofSource = isShared
      ? 0
      : Math.max(...[source, siteOf(source)].map((name) => this.#penalties.waitMs(name, now)));
    const wait = Math.max(ofSource, this.#penalties.waitMs(key, now));
    if (wait === 0) return;
    const seconds = Math.ceil(wait / 1_000);
    throw new LimitError(
      `Cannot join the room: members found the last commit invalid. Wait ${seconds} s`,
    );
  }

  #newSeat(handle: Uint8Array, source: string): Seat {
    const { roster, seats, guests, drop } = this.#options;
    const seat = new Seat(handle);
    if (roster.wasRemoved(seat.key)) {
      throw new LimitError("Cannot join the room: you were removed from it");
    }
    if (roster.isLocked && !roster.has(seat.key)) {
      throw new LimitError("Cannot join the room: it is locked");
    }
    // A room without a group has no guests: all of its members may come back at once.
    const crowded = this.#options.order() === undefined ? undefined : guests.makeRoom(source);
    if (crowded !== undefined) drop(crowded);
    if (seats.all.length >= SEATS_MAX) {
      throw new LimitError(`Cannot join the room: it has ${SEATS_MAX} connections`);
    }
    seats.add(seat);
    return seat;
  }

  #connect(seat: Seat, peer: SealedPeer): void {
    const previous = seat.peer;
    seat.stopGrace();
    seat.peer = peer;
    seat.revoke();
    if (previous !== undefined && previous !== peer) {
      previous.dropped(this.#options.room, "replaced");
    }
    if (!seat.departed) return;
    seat.departed = false;
    this.#options.eviction.remove(seat);
  }
}

// A client that is not in the group learns nothing of it: it has to join, as if it had missed everything.
const STRANGER = {
  kind: "sealed_attached",
  epoch: 0,
  seq: 0,
  missing: "epochs",
  members: [],
} as const satisfies Partial<EventOf<"sealed_attached">>;

interface Penalty {
  readonly until: number;
  readonly times: number;
}

const PENALTIES_KEPT = 1_000;

/**
 * Keeps senders out of one room for a while after its members found a commit unsound: the handle that sent it; its
 * source, if no member shares that; and its site, from the eighth commit on. All times are monotonic ms.
 */
export class Penalties {
  readonly #penalties = new Map<string, Penalty>();

  /** `who` (a handle's key, a source or a site) is kept out, longer each time; at first only the time `share` counts. */
  add(who: string, now: number, share = 1): void {
    const { first, most } = SEALED_PENALTY_MS;
    const times = (this.#penalties.get(who)?.times ?? 0) + 1;
    const penalties = Math.floor(times / share);
    const ms = penalties === 0 ? 0 : Math.min(most, first * 2 ** (penalties - 1));
    this.#penalties.delete(who);
    this.#penalties.set(who, { until: now + ms, times });
    if (this.#penalties.size > PENALTIES_KEPT) {
      this.#penalties.delete(this.#penalties.keys().next().value as string);
    }
  }

  /** How long `who` has to wait; 0 = not at all. */
  waitMs(who: string, now: number): number {
    return Math.max(0, (this.#penalties.get(who)?.until ?? 0) - now);
  }
}
