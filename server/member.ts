// Somebody in a room, whether their link is up or just lost. Knows no sockets and no wires.

import { DECLINED_REMEMBERED } from "../shared/limits.ts";
import type { Event, EventOf, MemberState } from "../shared/messages_v2.ts";
import { Broadcast } from "./broadcast.ts";
import { FileRelay } from "./file_relay.ts";
import { Pace } from "./pace.ts";
import type { Port } from "./port.ts";
import { RateLimit } from "./rate_limit.ts";
import type { Relay } from "./relay.ts";
import type { Member as RoomMember, Room } from "./room.ts";

// A peer that broke the protocol, or a server that stops, has this long to write why.
const SAY_WHY_MS = 1_000;

/** Proof of who may take a held session up again. */
export interface SessionTicket {
  readonly id: Uint8Array;
  readonly secret: Uint8Array;
}

/** What a member starts with. */
export interface MemberOptions {
  readonly id: number;
  readonly name: string;
  readonly room: Room;
  /** Whether it speaks v1. */
  readonly old: boolean;
  /** Undefined for v1, which cannot come back. */
  readonly ticket: SessionTicket | undefined;
  readonly address: string;
}

/** A member of a room: its name, its link while there is one, and what it asked for last. */
export class Member implements RoomMember {
  readonly id: number;
  readonly relay: Relay;
  readonly ticket: SessionTicket | undefined;
  readonly address: string;
  readonly rateLimit: RateLimit | undefined;
  /** Undefined where rates are not limited. */
  readonly pace: Pace | undefined;
  readonly files: FileRelay;
  readonly since = Date.now();
  heardAt = performance.now();
  pingedAt = performance.now();
  /** Until when further rate-limit notices to a v1 client are held back: one a window is enough. */
  quietUntil = -Infinity;
  /** Number of the last request that was looked at. */
  lastRequest = 0;
  readonly #declined = new Map<number, string>();
  /** Whether it speaks v1. */
  readonly old: boolean;
  #name: string;
  #room: Room;
  #port: Port | undefined;
  #announced = false;

  constructor(relay: Relay, options: MemberOptions) {
    this.relay = relay;
    this.id = options.id;
    this.ticket = options.ticket;
    this.address = options.address;
    this.#name = options.name;
    this.#room = options.room;
    this.old = options.old;
    const rate = relay.config["rate-limit"];
    this.rateLimit = rate === undefined ? undefined : new RateLimit(rate);
    this.pace = rate === undefined ? undefined : new Pace(performance.now());
    this.files = new FileRelay(relay.config["max-file"]);
  }

  get name(): string {
    return this.#name;
  }

  get room(): Room {
    return this.#room;
  }

  get port(): Port | undefined {
    return this.#port;
  }

  get state(): MemberState {
    return this.old ? "old" : this.#port === undefined ? "away" : "here";
  }

  deliver(broadcast: Broadcast): void {
    if (this.#port === undefined) return;
    this.#port.deliver(broadcast);
    this.relay.metrics.counters.messagesOut++;
  }

  /** Delivers one event to this member alone. */
  tell(event: Event): void {
    this.deliver(new Broadcast(event, this.#room.name));
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

  /** Comes into `room` under its name, which is free there; everyone is told, itself as well. */
  enter(room: Room): void {
    this.#room = room;
    if (!room.has(this)) room.add(this);
    this.#announced = true;
    room.publish({ kind: "joined", ...this.#about(), old: this.old });
    this.tell({ kind: "members", list: room.list });
  }

  /** Leaves its room; everyone else is told. */
  leave(): void {
    const room = this.#room;
    if (!room.has(this)) return;
    room.remove(this);
    this.files.clear();
    if (this.#announced) room.publish({ kind: "left", ...this.#about() });
    this.#announced = false;
    this.relay.tidy(room);
  }

  /** Takes a name that is free in its room; everyone is told. */
  rename(name: string): void {
    const previous = this.#name;
    this.#room.rename(previous, name);
    this.#name = name;
    this.#room.publish({ kind: "renamed", ...this.#about(), previous });
  }

  /** Takes a name that is free in `room`, between leaving one room and entering the next. */
  takeNameFor(room: Room): void {
    this.#name = room.freeName(this.#name);
  }

  /** Its link was lost: it keeps its place, and files on their way end. */
  loseLink(): void {
    this.#port?.close();
    this.#port = undefined;
    this.files.clear();
    this.#room.publish({ kind: "away", ...this.#about() });
  }

  /** Has a link, the first or a new one, whose client has been told nothing yet. */
  takeLink(port: Port): void {
    const previous = this.#port;
    this.#port = port;
    this.heardAt = performance.now();
    previous?.close();
  }

  /** Is reachable again: everyone is told. */
  announceBack(): void {
    this.#room.publish({ kind: "back", ...this.#about() });
    this.tell({ kind: "members", list: this.#room.list });
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

  /** Who did something, and when. */
  #about(): { readonly client: number; readonly name: string; readonly time: number } {
    return { client: this.id, name: this.#name, time: Date.now() };
  }
}
