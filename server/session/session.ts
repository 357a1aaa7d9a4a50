// One client: its connection while it has one, the ticket by which it comes back, its rooms, and its requests. Knows no
// sockets and no wire formats.
//
// A session ends, or loses its connection, in one of six ways:
//
// | method             | when                                      | rooms     | others are told | ticket  |
// | ------------------ | ----------------------------------------- | --------- | --------------- | ------- |
// | `loseConnection()` | the connection broke; the session is held | keeps all | "away"          | works   |
// | `detach()`         | this process hands over to the next       | keeps all | nothing         | works   |
// | `depart()`         | its client is about to move to a server   | keeps all | nothing         | works   |
// | `end()`            | it said bye, or the hold is over          | leaves    | "left"          | is gone |
// | `expel()`          | an admin ends it; `end()` follows         | leaves    | "left"          | refused |
// | `giveUp()`         | its client went on at another server      | leaves    | nothing         | there   |

import type { Rate } from "../../shared/base/rate.ts";
import type { RequestId, RoomId } from "../../shared/messages/ids.ts";
import { type EncodedBurst, spreadBursts } from "../delivery/burst.ts";
import { EncodedEvent } from "../delivery/encoded_event.ts";
import type { EventWriter } from "../delivery/event_writer.ts";
import { RateLimit } from "../limits/rate_limit.ts";
import { sourceOf } from "../limits/ip_network.ts";
import { RequestBudget } from "../limits/request_budget.ts";
import type { Position } from "../room/bus.ts";
import type { Room } from "../room/room.ts";
import { Attachments } from "../sealed/attachments.ts";
import { adaptSession } from "../sealed/session_adapter.ts";
import { decodeEvent, encodeEvent } from "../../shared/messages/codec_v2.ts";
import type { Event, EventOf, MemberState } from "../../shared/messages/messages_v2.ts";
import { closeOnceWritten, DEPART_MS } from "./last_line.ts";
import type { SessionOptions } from "./session_options.ts";
import { FileTransfers } from "./file_transfers.ts";
import { Mailbox } from "./mailbox.ts";
import { type MemberSession, Membership } from "./membership.ts";
import { RequestNumbers } from "./request_numbers.ts";
import type { SessionHost, SessionRef } from "./session_host.ts";
import type { SessionSnapshot } from "./session_snapshot.ts";
import { renewed, type SessionTicket } from "./session_ticket.ts";

/** A client of the server, whether its connection is up or just lost. */
export class Session implements MemberSession, SessionRef {
  readonly id: number;
  readonly host: SessionHost;
  ticket: SessionTicket | undefined;
  readonly address: string;
  /** Undefined where rates are not limited. */
  rateLimit: RateLimit | undefined;
  /** Also where rates are not limited: what the rate limit never counts has its pace all the same. */
  readonly requestBudget = new RequestBudget(performance.now());
  readonly isV1: boolean;
  readonly requests = new RequestNumbers();
  /** What its user says about being away; null = nothing. */
  status: string | null = null;
  /** When it began, ms since 1970. */
  readonly since = Date.now();
  /** Messages that came from its client, and messages to it, as far as this process knows. */
  received = 0;
  sent = 0;
  /** When the client was heard last; monotonic ms. */
  heardAt = performance.now();
  /** When it asked for something last, beyond a sign of life; monotonic ms. */
  actedAt = performance.now();
  /** When it was pinged last; monotonic ms. */
  pingedAt = performance.now();
  /** Those who get what it pushes: it is read slower while they are behind. */
  pushesTo: { isBehind(): boolean; waited(): void } | undefined;
  /** Until when further rate-limit notices to a v1 client are held back: one a window is enough. */
  quietUntil = -Infinity;
  #memberships: readonly Membership[] = [];
  // What most sessions never need is made on first use: 10,000 sessions have to be cheap.
  #mailbox: Mailbox | undefined;
  #files: FileTransfers | undefined;
  #sealed: Attachments | undefined;
  #challenge: Uint8Array | undefined;
  #reachLimit: RateLimit | undefined;
  #wantedName: string;
  #writer: EventWriter | undefined;
  #expected = false;

  constructor(host: SessionHost, options: SessionOptions) {
    const { known, taken } = options;
    this.host = host;
    this.id = known?.client ?? taken?.client ?? host.nextClientId();
    this.ticket = options.ticket;
    this.address = options.address;
    this.isV1 = options.isV1;
    this.#wantedName = options.name;
    this.useRate(host.config["rate-limit"]);
    if (taken !== undefined) this.requests.follow(taken);
    if (known !== undefined) this.#restore(known);
  }

  /** From now on it may send so much; undefined = as much as it likes. */
  useRate(rate: Rate | undefined): void {
    this.rateLimit = rate && new RateLimit(rate);
    this.#reachLimit = undefined;
  }

  /** The name that it asked for; a room where that is taken gives it another. */
  get wantedName(): string {
    return this.#wantedName;
  }

  /** The name of the token that it came with; undefined where that has none. */
  get tokenName(): string | undefined {
    return this.host.tokenName(this);
  }

  /** The files that it is sending. */
  get files(): FileTransfers {
    return this.#files ??= new FileTransfers(this.host.config["max-file"], this);
  }

  /** Its part in sealed rooms. */
  get sealed(): Attachments {
    if (this.#sealed === undefined) {
      const { sealed, cluster } = this.host;
      this.#sealed = new Attachments(adaptSession(this), sealed, cluster?.sealed.clientOf(this));
      if (this.#challenge !== undefined) this.#sealed.proveBy(this.#challenge);
    }
    return this.#sealed;
  }

  /** Whether there are files that it offered, and that may still be asked for. */
  get hasFiles(): boolean {
    return this.#files?.isEmpty === false;
  }

  /** Number of sealed rooms of this server that it is in. */
  get sealedRooms(): number {
    return this.#sealed?.size ?? 0;
  }

  /** Limits the rooms that one message reaches beyond the first. */
  get reachLimit(): RateLimit | undefined {
    const rate = this.host.config["rate-limit"];
    return this.#reachLimit ??= rate === undefined ? undefined : new RateLimit(rate);
  }

  /** Where its events are written; undefined while the connection is lost. */
  get writer(): EventWriter | undefined {
    return this.#writer;
  }

  get state(): MemberState {
    if (this.isV1) return "old";
    return this.#writer === undefined && !this.#expected ? "away" : "here";
  }

  /** Its connection ended with the process that had it, and its client is about to be back: nobody was told. */
  get expected(): boolean {
    return this.#expected;
  }

  /** Gives the ticket another secret; the one that the client has `shown` holds until confirmTicket(). */
  renewTicket(shown: Uint8Array): void {
    if (this.ticket === undefined) return;
    this.ticket = renewed(this.ticket, shown);
    this.host.cluster?.opened(this);
  }

  /** The client has read its new ticket: it has sent something behind the welcome. */
  confirmTicket(): void {
    if (this.ticket?.former === undefined) return;
    const { id, secret } = this.ticket;
    this.ticket = { id, secret };
    this.host.cluster?.opened(this);
  }

  /** What the next process must know of it; undefined for v1, which cannot come back. */
  get snapshot(): SessionSnapshot | undefined {
    const { id: client, ticket, address, status } = this;
    if (ticket === undefined) return undefined;
    return {
      client,
      name: this.#wantedName,
      ticket,
      address,
      status,
      lastRequest: this.requests.last,
      declined: this.requests.declined,
      files: this.#files?.state ?? [],
      rooms: this.#memberships.map(({ room, name }) => [room.id, name]),
      mail: this.emptyMailbox().map(({ event }) => encodeEvent(event)),
    };
  }

  /** Where it is, in the order in which it came. */
  get memberships(): readonly Membership[] {
    return this.#memberships;
  }

  membership(room: RoomId): Membership | undefined {
    return this.#memberships.find((membership) => membership.room.id === room);
  }

  deliver(broadcast: EncodedEvent | EncodedBurst): boolean {
    spreadBursts();
    if (this.#writer?.deliver(broadcast) !== true) return false;
    this.host.counters.messagesOut += broadcast.count;
    this.sent += broadcast.count;
    return true;
  }

  /** Delivers one event to this client alone. */
  tell(event: Event): void {
    this.deliver(this.#encode(event));
  }

  tellSurely(event: EventOf<"direct" | "undelivered">): boolean {
    if (this.#writer === undefined) return this.#keep(this.#encode(event));
    this.tell(event);
    return true;
  }

  /** Answers request `id` with a refusal, now and when it is repeated. */
  decline(id: RequestId, why: string): void {
    this.requests.decline(id, why);
    this.tell({ kind: "declined", id, why });
  }

  /** Enters `room`, under a name that is free there or its known one; nobody is told yet. */
  enter(room: Room, known?: string): Membership {
    const membership = new Membership(this, room, known);
    // concat() and no spread, which would leave room for 16 more.
    this.#memberships = this.#memberships.concat(membership);
    // A v1 client has one name, which it takes along from room to room.
    if (this.isV1) this.#wantedName = membership.name;
    return membership;
  }

  /** Leaves one room; everyone there is told. */
  leave(membership: Membership): void {
    this.#memberships = this.#memberships.filter((other) => other !== membership);
    this.#files?.clear(membership.room.id);
    membership.leave();
  }

  /** Asks for a name in some of its rooms; everyone there is told. Gives the positions, 0 where it was taken. */
  rename(name: string, where: readonly Membership[]): Position[] {
    this.#wantedName = name;
    return where.map((membership) => membership.rename(name));
  }

  /** Has a connection, the first or a new one, whose client has been told nothing yet; v1 has no challenge. */
  takeConnection(writer: EventWriter, challenge?: Uint8Array): void {
    const previous = this.#writer;
    this.#writer = writer;
    this.#challenge = challenge;
    this.#sealed?.takeConnection(challenge);
    this.#expected = false;
    this.heardAt = performance.now();
    previous?.close();
  }

  /** Gets what was kept while the connection was lost. */
  takeMail(): void {
    for (const broadcast of this.emptyMailbox()) this.deliver(broadcast);
  }

  /** Its connection is back: what receivers said of its files meanwhile, or may have been lost with the last one. */
  tellReceipts(): void {
    for (const receipt of this.#files?.receipts ?? []) this.tell(receipt);
  }

  /** Asks with `ping` whether the client is there; `now` is monotonic, ms. */
  ping(now: number, ping: EncodedEvent): void {
    this.pingedAt = now;
    this.deliver(ping);
  }

  /** The connection was lost: it keeps its memberships, and its files wait. */
  loseConnection(): void {
    this.#writer?.close();
    this.#writer = undefined;
    this.#publishAway();
  }

  /** Its connection ends with this process: it keeps its memberships, and nobody is told. */
  detach(): void {
    this.#writer?.close();
    this.#writer = undefined;
    this.#expected = true;
    this.#sealed?.loseConnection();
  }

  /**
   * Its client goes on at another server, which will ask for the session: what it was told is written, then the
   * connection ends. Nobody is told, unless the client does not come: HeldSessions knows when.
   */
  depart(): void {
    spreadBursts();
    const writer = this.#writer;
    this.#writer = undefined;
    this.#expected = true;
    if (writer !== undefined) void closeOnceWritten(writer, DEPART_MS);
  }

  /** It was expected and is not back: everyone is told that it is away. */
  missed(): void {
    if (!this.#expected || this.#writer !== undefined) return;
    this.#expected = false;
    this.#sealed?.loseConnection();
    this.#publishAway();
  }

  /** Leaves all rooms for good. The senders of mail that it did not get are told. */
  end(): void {
    for (const membership of this.#memberships) this.leave(membership);
    this.#returnMail();
  }

  /** Is another server's from now on: nobody here is told anything. */
  giveUp(): void {
    for (const membership of this.#memberships) {
      membership.room.remove(membership);
      this.host.rooms.tidy(membership.room);
    }
    this.#memberships = [];
    this.#returnMail();
    // A session that departed keeps its seats in sealed rooms until missed(), and takes them at the next server without
    // a gap.
    if (!this.#expected) this.#sealed?.loseConnection();
    const writer = this.#writer;
    // The end of this connection no longer ends a session.
    this.#writer = undefined;
    writer?.close();
  }

  /** Its client is told why it is over and must not come back into it; `end()` follows. */
  async expel(why: string): Promise<void> {
    const writer = this.#writer;
    this.tell({ kind: "closing", why, retry: false });
    // The end of this connection no longer ends a session, and what still comes over it is ignored.
    this.#writer = undefined;
    this.leaveSealedRooms(true);
    if (writer !== undefined) await closeOnceWritten(writer);
  }

  /** Its connection ended: it is in no sealed room, for a while or, with `forGood`, forever. */
  leaveSealedRooms(forGood: boolean): void {
    if (forGood) this.#sealed?.leaveAll();
    else this.#sealed?.loseConnection();
  }

  /** Says why in one line and closes the connection, once that line is written or LAST_LINE_MS are over. */
  async dismiss(closing: Omit<EventOf<"closing">, "kind">): Promise<void> {
    const writer = this.#writer;
    if (writer === undefined) return;
    this.tell({ kind: "closing", ...closing });
    await closeOnceWritten(writer);
  }

  /** Closes its connection; the read loop then ends. */
  close(): void {
    this.#writer?.close();
  }

  #restore({ status, lastRequest, declined, mail, files }: SessionSnapshot): void {
    if (files.length > 0) this.files.restore(files);
    this.status = status;
    this.requests.restore(lastRequest, declined);
    this.#expected = true;
    for (const body of mail) this.#keep(new EncodedEvent(decodeEvent(body), ""));
  }

  #publishAway(): void {
    for (const membership of this.#memberships) {
      membership.room.publish({ kind: "away", ...membership.about() });
    }
  }

  #keep(broadcast: EncodedEvent): boolean {
    this.#mailbox ??= new Mailbox({
      budget: this.host.budget,
      source: sourceOf(this.address),
      onLost: (lost) => this.#returnMail(lost),
    });
    return this.#mailbox.add(broadcast);
  }

  /** Takes what was kept while the connection was lost; nothing is kept from now on. */
  emptyMailbox(): EncodedEvent[] {
    return this.#mailbox?.empty() ?? [];
  }

  #returnMail(mail: readonly EncodedEvent[] = this.emptyMailbox()): void {
    for (const { event } of mail) {
      if (event.kind === "direct") this.host.tellUndelivered(event);
    }
  }

  // v1 names the room in every message, and its clients are in one.
  #encode(event: Event): EncodedEvent {
    const [first] = this.#memberships;
    return new EncodedEvent(event, first?.room.title ?? "");
  }
}
