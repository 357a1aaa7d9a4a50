// One client: its link while there is one, the proof by which it comes back, its rooms, and what it asked for last.
// Knows no sockets and no wires.

import { DECLINED_REMEMBERED } from "../shared/limits.ts";
import type { Event, EventOf, MemberState } from "../shared/messages_v2.ts";
import { decodeEvent, encodeEvent } from "../shared/wire_v2.ts";
import { Broadcast } from "./broadcast.ts";
import type { Elsewhere } from "./cluster/cluster.ts";
import type { Place } from "./bus.ts";
import { FileRelay } from "./file_relay.ts";
import type { SessionState } from "./hand_over.ts";
import { Mailbox } from "./mailbox.ts";
import { Membership } from "./membership.ts";
import { Pace } from "./pace.ts";
import type { Port } from "./port.ts";
import { RateLimit } from "./rate_limit.ts";
import { Attachments } from "./sealed/attachments.ts";
import { sealedOwner } from "./sealed/owner.ts";
import type { Relay } from "./relay.ts";
import type { Room } from "./room.ts";

// A peer that broke the protocol, or a server that stops, has this long to write why.
const SAY_WHY_MS = 1_000;

/** Proof of who may take a held session up again. */
export interface SessionTicket {
  readonly id: Uint8Array;
  readonly secret: Uint8Array;
}

/** What a session starts with. */
export interface SessionOptions {
  /** The name that it wants in all rooms. */
  readonly name: string;
  /** Whether it speaks v1. */
  readonly old: boolean;
  /** Undefined for v1, which cannot come back. */
  readonly ticket: SessionTicket | undefined;
  readonly address: string;
  /** Where another server had it before. */
  readonly taken?: Elsewhere;
  /** What the process before this one knew of it. */
  readonly known?: SessionState;
}

/** A client of the server, whether its link is up or just lost. */
export class Session {
  readonly id: number;
  readonly relay: Relay;
  readonly ticket: SessionTicket | undefined;
  readonly address: string;
  readonly rateLimit: RateLimit | undefined;
  /** For the rooms that one message reaches beyond the first. */
  readonly reachLimit: RateLimit | undefined;
  /** Undefined where rates are not limited. */
  readonly pace: Pace | undefined;
  readonly files: FileRelay;
  readonly sealed: Attachments;
  /** Whether it speaks v1. */
  readonly old: boolean;
  /** What its user says about being away; null = nothing. */
  status: string | null = null;
  heardAt = performance.now();
  pingedAt = performance.now();
  /** Until when further rate-limit notices to a v1 client are held back: one a window is enough. */
  quietUntil = -Infinity;
  /** Number of the last request that was looked at. */
  lastRequest: number;
  readonly #declined = new Map<number, string>();
  readonly #memberships = new Map<number, Membership>();
  readonly #mailbox: Mailbox;
  #wantedName: string;
  #port: Port | undefined;
  #expected = false;
  /** The server that had it is gone, and with it the number of the last request. */
  #anyNumber: boolean;

  constructor(relay: Relay, options: SessionOptions) {
    this.relay = relay;
    this.id = options.known?.client ?? options.taken?.client ?? relay.takeId();
    this.lastRequest = options.taken?.request ?? 0;
    this.#anyNumber = options.taken !== undefined && options.taken.request === undefined;
    this.ticket = options.ticket;
    this.address = options.address;
    this.old = options.old;
    this.#wantedName = options.name;
    const rate = relay.config["rate-limit"];
    this.rateLimit = rate === undefined ? undefined : new RateLimit(rate);
    this.reachLimit = rate === undefined ? undefined : new RateLimit(rate);
    this.pace = rate === undefined ? undefined : new Pace(performance.now());
    this.files = new FileRelay(relay.config["max-file"]);
    this.sealed = new Attachments(
      sealedOwner(this),
      relay.sealed,
      relay.cluster?.sealed.clientOf(this),
    );
    this.#mailbox = new Mailbox(relay.budget);
    if (options.known !== undefined) this.#restore(options.known);
  }

  /** The name that it asked for; a room where that is taken gives it another. */
  get wantedName(): string {
    return this.#wantedName;
  }

  get port(): Port | undefined {
    return this.#port;
  }

  get state(): MemberState {
    return this.old ? "old" : this.#port === undefined && !this.#expected ? "away" : "here";
  }

  /** Its link ended with the process that had it, and its client is about to be back: nobody was told. */
  get expected(): boolean {
    return this.#expected;
  }

  /** What the next process must know of it; undefined for v1, which cannot come back. */
  get snapshot(): SessionState | undefined {
    const { id: client, ticket, address, status, lastRequest } = this;
    const files = this.files.state;
    if (ticket === undefined) return undefined;
    return {
      ...{ client, name: this.#wantedName, ticket, address, status, lastRequest, files },
      declined: [...this.#declined],
      rooms: this.memberships.map(({ room, name, since }) => [room.id, name, since]),
      mail: this.#mailbox.empty().map(({ event }) => encodeEvent(event)),
    };
  }

  /** Where it is, in the order in which it came. */
  get memberships(): Membership[] {
    return [...this.#memberships.values()];
  }

  /** Its place in room number `room`; undefined where it is not there. */
  membership(room: number): Membership | undefined {
    return this.#memberships.get(room);
  }

  deliver(broadcast: Broadcast): void {
    if (this.#port === undefined) return;
    this.#port.deliver(broadcast);
    this.relay.metrics.counters.messagesOut++;
  }

  /** Delivers one event to this client alone. */
  tell(event: Event): void {
    this.deliver(this.#alone(event));
  }

  /** The same, and keeps it where the link is lost. False where it is too much to be kept. */
  tellSurely(event: EventOf<"direct" | "undelivered">): boolean {
    if (this.#port === undefined) return this.#mailbox.add(this.#alone(event));
    this.tell(event);
    return true;
  }

  /** Answers request `id` with a refusal, now and when it is repeated. */
  decline(id: number, why: string): void {
    this.#declined.set(id, why);
    if (this.#declined.size > DECLINED_REMEMBERED) {
      this.#declined.delete(this.#declined.keys().next().value as number);
    }
    this.tell({ kind: "declined", id, why });
  }

  /** Answers a request that was looked at before; it has no second effect. */
  answerRepeat(id: number): void {
    const why = this.#declined.get(id);
    this.tell(why === undefined ? { kind: "done", id } : { kind: "declined", id, why });
  }

  /** Whether request `id`, which is no repeat, may come next. */
  takeNumber(id: number): boolean {
    if (id !== this.lastRequest + 1 && !this.#anyNumber) return false;
    this.#anyNumber = false;
    this.lastRequest = id;
    return true;
  }

  /** Takes a place in `room`, under a name that is free there or its known one; nobody is told yet. */
  enter(room: Room, known?: string, since?: number): Membership {
    const membership = new Membership(this, room, { name: known, since });
    this.#memberships.set(room.id, membership);
    // A v1 client has one name, which it takes along from room to room.
    if (this.old) this.#wantedName = membership.name;
    return membership;
  }

  /** Leaves one room; everyone there is told. */
  leave(membership: Membership): void {
    this.#memberships.delete(membership.room.id);
    this.files.clear(membership.room.id);
    membership.leave();
  }

  /** Is another server's from now on: nobody here is told anything. */
  giveUp(): void {
    for (const { room } of this.memberships) {
      const membership = this.membership(room.id);
      if (membership !== undefined) room.remove(membership);
      this.relay.tidy(room);
    }
    this.#memberships.clear();
    for (const { event } of this.#mailbox.empty()) {
      if (event.kind === "direct") this.relay.tellUndelivered(event);
    }
    this.sealed.loseLink();
    const port = this.#port;
    // Its end is no end of a session of ours.
    this.#port = undefined;
    port?.close();
  }

  /** Leaves all rooms for good. Senders of what it did not get any more are told. */
  end(): void {
    for (const membership of this.memberships) this.leave(membership);
    for (const { event } of this.#mailbox.empty()) {
      if (event.kind === "direct") this.relay.tellUndelivered(event);
    }
  }

  /** Asks for a name that is free in all its rooms; everyone is told. The places of that, 0 where it was taken. */
  rename(name: string): Place[] {
    this.#wantedName = name;
    return this.memberships.map((membership) => membership.rename(name));
  }

  /** Its link ends with this process: it keeps its places, and nobody is told. */
  detach(): void {
    this.#port?.close();
    this.#port = undefined;
    this.#expected = true;
    this.sealed.loseLink();
  }

  /** It was expected and is not back: everyone is told that it is away. */
  missed(): void {
    if (!this.#expected || this.#port !== undefined) return;
    this.#expected = false;
    for (const member of this.memberships) {
      member.room.publish({ kind: "away", ...member.about() });
    }
  }

  /** Its link was lost: it keeps its places, and its files wait. */
  loseLink(): void {
    this.#port?.close();
    this.#port = undefined;
    for (const member of this.memberships) {
      member.room.publish({ kind: "away", ...member.about() });
    }
  }

  /** Has a link, the first or a new one, whose client has been told nothing yet. */
  takeLink(port: Port): void {
    const previous = this.#port;
    this.#port = port;
    this.#expected = false;
    this.heardAt = performance.now();
    previous?.close();
  }

  /** Gets what was kept while the link was lost. */
  takeMail(): void {
    for (const broadcast of this.#mailbox.empty()) this.deliver(broadcast);
  }

  /** Asks whether the client is there; `now` is monotonic, ms. */
  ping(now: number): void {
    this.pingedAt = now;
    this.tell({ kind: "ping" });
  }

  /** Says why in one line and closes the link, as soon as that line is written or SAY_WHY_MS are over. */
  async dismiss(closing: Omit<EventOf<"closing">, "kind">): Promise<void> {
    const port = this.#port;
    if (port === undefined) return;
    this.tell({ kind: "closing", ...closing });
    const timer = setTimeout(() => port.close(), SAY_WHY_MS);
    await port.drained();
    clearTimeout(timer);
    port.close();
  }

  /** Closes its link; the read loop then ends. */
  close(): void {
    this.#port?.close();
  }

  #restore({ status, lastRequest, declined, mail, files }: SessionState): void {
    this.files.restore(files ?? []);
    this.status = status;
    this.lastRequest = lastRequest;
    this.#expected = true;
    for (const [id, why] of declined) this.#declined.set(id, why);
    for (const body of mail) this.#mailbox.add(new Broadcast(decodeEvent(body), ""));
  }

  // v1 names the room in every message, and its clients are in one.
  #alone(event: Event): Broadcast {
    const [first] = this.#memberships.values();
    return new Broadcast(event, first?.room.title ?? "");
  }
}
