// One client: its link while there is one, the proof by which it comes back, its rooms, and what it asked for last.
// Knows no sockets and no wires.

import { DECLINED_REMEMBERED } from "../config/limits.ts";
import type { Event, EventOf, MemberState } from "../../shared/messages/messages_v2.ts";
import { decodeEvent, encodeEvent } from "../../shared/messages/codec_v2.ts";
import { EncodedEvent } from "../delivery/encoded_event.ts";
import type { RemoteSession } from "../cluster/cluster.ts";
import type { Position } from "../room/bus.ts";
import { FileTransfers } from "./file_transfers.ts";
import type { SessionSnapshot } from "./session_snapshot.ts";
import { Mailbox } from "./mailbox.ts";
import { Membership } from "./membership.ts";
import { RequestBudget } from "../limits/request_budget.ts";
import type { EventWriter } from "../delivery/event_writer.ts";
import { RateLimit } from "../limits/rate_limit.ts";
import { Attachments } from "../sealed/attachments.ts";
import { adaptSession } from "../sealed/session_adapter.ts";
import type { Relay } from "../relay/relay.ts";
import type { Room } from "../room/room.ts";

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
  readonly taken?: RemoteSession;
  /** What the process before this one knew of it. */
  readonly known?: SessionSnapshot;
}

/** A client of the server, whether its link is up or just lost. */
export class Session {
  readonly id: number;
  readonly relay: Relay;
  readonly ticket: SessionTicket | undefined;
  readonly address: string;
  readonly rateLimit: RateLimit | undefined;
  /** Undefined where rates are not limited. */
  readonly pace: RequestBudget | undefined;
  /** Whether it speaks v1. */
  readonly old: boolean;
  /** What its user says about being away; null = nothing. */
  status: string | null = null;
  /** When it began, ms since 1970. */
  readonly since = Date.now();
  heardAt = performance.now();
  pingedAt = performance.now();
  /** Until when further rate-limit notices to a v1 client are held back: one a window is enough. */
  quietUntil = -Infinity;
  /** Number of the last request that was looked at. */
  lastRequest: number;
  #memberships: readonly Membership[] = [];
  // What most sessions never need is made when it is needed: 10,000 of them are to be cheap.
  #declined: Map<number, string> | undefined;
  #mailbox: Mailbox | undefined;
  #files: FileTransfers | undefined;
  #sealed: Attachments | undefined;
  #challenge: Uint8Array | undefined;
  #reachLimit: RateLimit | undefined;
  #wantedName: string;
  #port: EventWriter | undefined;
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
    this.pace = rate === undefined ? undefined : new RequestBudget(performance.now());
    if (options.known !== undefined) this.#restore(options.known);
  }

  /** The name that it asked for; a room where that is taken gives it another. */
  get wantedName(): string {
    return this.#wantedName;
  }

  /** The files that it is sending. */
  get files(): FileTransfers {
    return this.#files ??= new FileTransfers(this.relay.config["max-file"]);
  }

  /** Its part in sealed rooms. */
  get sealed(): Attachments {
    if (this.#sealed === undefined) {
      const { sealed, cluster } = this.relay;
      this.#sealed = new Attachments(adaptSession(this), sealed, cluster?.sealed.clientOf(this));
      if (this.#challenge !== undefined) this.#sealed.proveBy(this.#challenge);
    }
    return this.#sealed;
  }

  /** Number of sealed rooms of this server that it is in. */
  get sealedRooms(): number {
    return this.#sealed?.size ?? 0;
  }

  /** For the rooms that one message reaches beyond the first; made by the first of them, since most have none. */
  get reachLimit(): RateLimit | undefined {
    const rate = this.relay.config["rate-limit"];
    return this.#reachLimit ??= rate === undefined ? undefined : new RateLimit(rate);
  }

  get port(): EventWriter | undefined {
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
  get snapshot(): SessionSnapshot | undefined {
    const { id: client, ticket, address, status, lastRequest } = this;
    const files = this.#files?.state ?? [];
    if (ticket === undefined) return undefined;
    return {
      ...{ client, name: this.#wantedName, ticket, address, status, lastRequest, files },
      declined: [...this.#declined ?? []],
      rooms: this.memberships.map(({ room, name, since }) => [room.id, name, since]),
      mail: this.#emptyMailbox().map(({ event }) => encodeEvent(event)),
    };
  }

  /** Where it is, in the order in which it came. */
  get memberships(): readonly Membership[] {
    return this.#memberships;
  }

  /** Its place in room number `room`; undefined where it is not there. */
  membership(room: number): Membership | undefined {
    return this.#memberships.find((membership) => membership.room.id === room);
  }

  deliver(broadcast: EncodedEvent): void {
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
    if (this.#port === undefined) return this.#keep(this.#alone(event));
    this.tell(event);
    return true;
  }

  /** Answers request `id` with a refusal, now and when it is repeated. */
  decline(id: number, why: string): void {
    const declined = this.#declined ??= new Map();
    declined.set(id, why);
    if (declined.size > DECLINED_REMEMBERED) {
      declined.delete(declined.keys().next().value as number);
    }
    this.tell({ kind: "declined", id, why });
  }

  /** Answers a request that was looked at before; it has no second effect. */
  answerRepeat(id: number): void {
    const why = this.#declined?.get(id);
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
    this.#memberships = [...this.#memberships, membership];
    // A v1 client has one name, which it takes along from room to room.
    if (this.old) this.#wantedName = membership.name;
    return membership;
  }

  /** Leaves one room; everyone there is told. */
  leave(membership: Membership): void {
    this.#memberships = this.#memberships.filter((other) => other !== membership);
    this.#files?.clear(membership.room.id);
    membership.leave();
  }

  /** Is another server's from now on: nobody here is told anything. */
  giveUp(): void {
    for (const membership of this.#memberships) {
      membership.room.remove(membership);
      this.relay.tidy(membership.room);
    }
    this.#memberships = [];
    this.#returnMail();
    this.#sealed?.loseLink();
    const port = this.#port;
    // Its end is no end of a session of ours.
    this.#port = undefined;
    port?.close();
  }

  /** Leaves all rooms for good. Senders of what it did not get any more are told. */
  end(): void {
    for (const membership of this.memberships) this.leave(membership);
    this.#returnMail();
  }

  /** Its link ended: it is in no sealed room, for a while or, with `forGood`, for ever. */
  endSealed(forGood: boolean): void {
    if (forGood) this.#sealed?.leaveAll();
    else this.#sealed?.loseLink();
  }

  /** Asks for a name that is free in all its rooms; everyone is told. The places of that, 0 where it was taken. */
  rename(name: string): Position[] {
    this.#wantedName = name;
    return this.memberships.map((membership) => membership.rename(name));
  }

  /** Its link ends with this process: it keeps its places, and nobody is told. */
  detach(): void {
    this.#port?.close();
    this.#port = undefined;
    this.#expected = true;
    this.#sealed?.loseLink();
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

  /** Has a link, the first or a new one, whose client has been told nothing yet; v1 has no challenge. */
  takeLink(port: EventWriter, challenge?: Uint8Array): void {
    const previous = this.#port;
    this.#port = port;
    this.#challenge = challenge;
    this.#sealed?.takeLink(challenge);
    this.#expected = false;
    this.heardAt = performance.now();
    previous?.close();
  }

  /** Gets what was kept while the link was lost. */
  takeMail(): void {
    for (const broadcast of this.#emptyMailbox()) this.deliver(broadcast);
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
    await closeOnceSaid(port);
  }

  /** Is over from now on; its client is told why, and must not come back into it. */
  async expel(why: string): Promise<void> {
    const port = this.#port;
    this.tell({ kind: "closing", why, retry: false });
    // Its end is no end of a session of ours, and what still comes over it is not looked at.
    this.#port = undefined;
    this.endSealed(true);
    if (port !== undefined) await closeOnceSaid(port);
  }

  /** Closes its link; the read loop then ends. */
  close(): void {
    this.#port?.close();
  }

  #restore({ status, lastRequest, declined, mail, files }: SessionSnapshot): void {
    if (files !== undefined && files.length > 0) this.files.restore(files);
    this.status = status;
    this.lastRequest = lastRequest;
    this.#expected = true;
    if (declined.length > 0) this.#declined = new Map(declined);
    for (const body of mail) this.#keep(new EncodedEvent(decodeEvent(body), ""));
  }

  #keep(broadcast: EncodedEvent): boolean {
    this.#mailbox ??= new Mailbox(this.relay.budget);
    return this.#mailbox.add(broadcast);
  }

  #emptyMailbox(): EncodedEvent[] {
    return this.#mailbox?.empty() ?? [];
  }

  #returnMail(): void {
    for (const { event } of this.#emptyMailbox()) {
      if (event.kind === "direct") this.relay.tellUndelivered(event);
    }
  }

  // v1 names the room in every message, and its clients are in one.
  #alone(event: Event): EncodedEvent {
    const [first] = this.#memberships;
    return new EncodedEvent(event, first?.room.title ?? "");
  }
}

async function closeOnceSaid(port: EventWriter): Promise<void> {
  const timer = setTimeout(() => port.close(), SAY_WHY_MS);
  await port.drained();
  clearTimeout(timer);
  port.close();
}
