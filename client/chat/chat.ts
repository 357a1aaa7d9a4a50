// The chat: who we are and where, what we do there, and what is shown of it. Knows no socket and no terminal.

import type { ClientId } from "../../shared/messages/ids.ts";
import { type CmdchatError, UsageError } from "../../shared/base/errors.ts";
import type { Fingerprint } from "../../shared/crypto/fingerprint.ts";
import type { EventOf, SealedEvent } from "../../shared/messages/messages_v2.ts";
import { ChatEnd } from "./chat_end.ts";
import { connectionOf, typingOf } from "./chat_parts.ts";
import type { ConnectionState } from "./connection_state.ts";
import { isSealedId } from "../base/local_ids.ts";
import type { ChatAddress, ChatOptions } from "./chat_options.ts";
import {
  plainSink,
  type ServerPlace,
  type Session,
  type SessionDestination,
} from "../session/session.ts";
import type { ChatContext } from "../events/chat_context.ts";
import { handleEvent } from "../events/dispatch.ts";
import type { Output } from "../output/output.ts";
import { type OwnPeople, strangers } from "../people/own_people.ts";
import { DEFAULT_RATE, RatePacer } from "../session/rate_pacer.ts";
import { Backoff, keepConnected } from "../session/reconnect.ts";
import { RequestLedger, type RequestOutcome } from "../session/request_ledger.ts";
import { DirectMessages } from "../rooms/direct_messages.ts";
import { JoinedRooms } from "../rooms/joined_rooms.ts";
import type { JoinedRoom } from "../rooms/joined_room.ts";
import { SealedRooms } from "../sealed/sealed_rooms.ts";
import { showStatus } from "./chat_status.ts";
import { OpenSession } from "./open_session.ts";
import { OwnName } from "./own_name.ts";
import { PlainPeople } from "./plain_people.ts";
import type { RoomProofs } from "../people/room_proofs.ts";
import { type ChatForm, MessageSender } from "./message_sender.ts";
import type { Typing } from "../rooms/typing.ts";
import { SessionMove } from "./session_move.ts";
import type { ChatConsole } from "../console/console.ts";
import { transferParts } from "./file_route.ts";
import type { Transfers } from "../transfers/transfers.ts";

// The name that the server gets where we are in sealed rooms only.
const NAMELESS = "sealed";
const ENDED = "Not sent: the chat has ended.";

/** One user's chat with one server, over as many sessions as it takes. */
export class Chat implements ChatContext {
  readonly output: Output;
  readonly console: ChatConsole;
  readonly transfers: Transfers;
  readonly requests: RequestLedger;
  readonly talk: MessageSender;
  readonly typing: Typing;
  readonly rooms = new JoinedRooms();
  readonly directs = new DirectMessages();
  readonly backoff: Backoff;
  /** How it ends, when it does. */
  readonly finish = new ChatEnd();
  readonly sealed: SealedRooms;
  /** The user's device key and the people they know by theirs; and how members of plain rooms prove these. */
  readonly people: OwnPeople;
  readonly proofs: RoomProofs;
  /** How the connection is, and the question of whom to trust. */
  readonly connection: ConnectionState;
  readonly #options: ChatOptions;
  readonly #pacer = new RatePacer(DEFAULT_RATE);
  readonly #session = new OpenSession();
  readonly #ownName: OwnName;
  /** Whether this session does not have our name. */
  #isNameless = false;
  readonly #move: SessionMove;

  constructor(options: ChatOptions) {
    this.#options = options;
    this.output = options.output;
    this.console = options.console;
    this.connection = connectionOf(this, options);
    const { clock, openEngine, alarms = "hold", people = strangers() } = options;
    [this.people, this.backoff] = [people, options.backoff ?? new Backoff()];
    const [pacer, signal, session] = [this.#pacer, this.ending, () => this.#session.now];
    const plain = new PlainPeople({ chat: this, clock, people, alarms, session, signal });
    this.proofs = plain.proofs;
    this.sealed = new SealedRooms({ chat: this, clock, pacer, openEngine, alarms, people });
    this.requests = new RequestLedger({
      clock: options.clock,
      pacer: this.#pacer,
      ...plain.gate,
      onChange: () => this.refreshStatus(),
      sealedLedger: (draft, room) => this.sealed.ledgerOf(draft, room),
    });
    this.#ownName = new OwnName({
      clock,
      requests: this.requests,
      rooms: this.rooms,
      wanted: options.place.name,
      requireSession: () => this.requireSession(),
      signal: this.ending,
    });
    this.talk = new MessageSender(this.requests, () => this.room);
    this.typing = typingOf(this, clock, () => this.#tellTyping());
    this.#move = new SessionMove({
      ...options,
      requests: this.requests,
      destination: () => this.#destination(),
      signal: this.ending,
    });
    this.transfers = options.transfers(transferParts(this, clock));
    const { place: { room: title, name }, secret } = options;
    if (secret === undefined) this.rooms.add(title, name);
    else this.sealed.open({ secret, title, name, isNew: false });
    this.refreshStatus();
  }

  /** Our name in the current room, or the one that we ask for. */
  get name(): string {
    return this.rooms.current?.name ?? this.#ownName.wanted;
  }

  /** The current room. Throws UsageError where we are in none. */
  get room(): JoinedRoom {
    const { current } = this.rooms;
    if (current !== undefined) return current;
    throw new UsageError("Cannot do that: you are in no room", { hint: "/join ROOM" });
  }

  /** Our number in this session. */
  get clientId(): ClientId | undefined {
    return this.#session.now?.welcome.client;
  }

  /** Where the server is. */
  get address(): ChatAddress {
    return this.#options.address;
  }

  /** Who the server is; undefined without a connection, and on v1. */
  get fingerprint(): Fingerprint | undefined {
    return this.#session.now?.welcome.fingerprint;
  }

  /** Whether a session is open and we are in its rooms. */
  get connected(): boolean {
    return this.#session.isSettled;
  }

  /** Whether the server speaks v1: one room, and nothing beyond chats, names and files. */
  get isV1(): boolean {
    return this.#session.now?.welcome.isV1 ?? false;
  }

  /** Aborts when the chat is over. */
  get ending(): AbortSignal {
    return this.finish.signal;
  }

  /** Resolves when a session is open. */
  whenConnected(): Promise<void> {
    return this.#session.whenSettled();
  }

  /** Keeps a session open until `end` is called. Throws what another attempt cannot mend. */
  async run(): Promise<void> {
    try {
      await keepConnected({
        open: (signal) => this.#options.dial(this.#destination(), signal),
        serve: (session) => this.#serve(session),
        onDown: (error) => this.connection.down(error),
        onWaiting: (seconds) => this.connection.waiting(seconds),
        clock: this.#options.clock,
        backoff: this.backoff,
        signal: this.ending,
        asksTrust: this.#options.trust !== undefined,
      });
      if (this.finish.fault !== undefined) throw this.finish.fault;
    } catch (error) {
      this.finish.fail();
      this.requests.end(ENDED);
      throw error;
    }
  }

  /** Leaves: says goodbye, closes the session and lets `run` return, or throw `fault`. */
  end(fault?: CmdchatError): void {
    if (!this.finish.leave(fault)) return;
    this.sealed.end();
    void this.#session.now?.leave();
    this.requests.end(ENDED);
  }

  /** The date and time as lines carry it. */
  utc(): string {
    return this.#options.clock.utc();
  }

  /** The user has typed so far. */
  entered(text: string): void {
    this.typing.entered(text);
    this.#session.now?.nudge();
  }

  /** Says `text` in the current room, as Talk.say() does. */
  say(text: string, manner?: ChatForm): Promise<RequestOutcome> {
    this.typing.said();
    return this.talk.say(text, manner);
  }

  /** Asks for another name, which has passed parseName: in all plain rooms, or in the sealed one that lines go to. */
  async rename(name: string): Promise<RequestOutcome> {
    const outcome = await this.#ownName.change(name);
    this.refreshStatus();
    return outcome;
  }

  /** Goes to a room whose name has passed parseRoom; comes into it where we are not there. */
  join(title: string): Promise<RequestOutcome> {
    const room = this.rooms.byTitle(title);
    if (room?.id !== undefined) {
      this.switchTo(room);
      return Promise.resolve("confirmed");
    }
    this.requireSession();
    // On a v1 server we are in one room: to join is to leave.
    if (this.isV1) this.transfers.roomLeft(this.room);
    if (this.#isNameless) {
      this.#isNameless = false;
      void this.requests.add({ kind: "rename", name: this.#ownName.wanted });
    }
    return this.requests.add({ kind: "join", title });
  }

  /** Leaves a room. */
  async leave(room: JoinedRoom): Promise<RequestOutcome> {
    const sealed = this.sealed.of(room);
    if (sealed !== undefined) {
      sealed.leave();
      return "confirmed";
    }
    this.requireSession();
    this.transfers.roomLeft(room);
    const outcome = await this.requests.add({ kind: "leave" }, room);
    if (outcome === "confirmed") this.forget(room);
    return outcome;
  }

  /** Lines go to `room` from now on. */
  switchTo(room: JoinedRoom): void {
    if (room === this.rooms.current) return;
    this.rooms.switchTo(room);
    this.output.moveTo(room.title);
    this.refreshStatus();
  }

  /** We are not in `room` any more; where it was the current one, the one before it is. */
  forget(room: JoinedRoom, isReplaced = false): void {
    this.proofs.left(room);
    const wasHere = this.rooms.current === room;
    const next = this.rooms.remove(room);
    if (isReplaced) return;
    if (next !== undefined) this.output.moveTo(next.title);
    else if (wasHere) {
      this.output.note("info", "You are in no room now.", "/join ROOM");
    }
    this.refreshStatus();
  }

  /** The server says that we are in a room, up to where, and under which name. */
  enter({ room: number, title, name, at, topic }: EventOf<"entered">): JoinedRoom {
    if (this.isV1) this.rooms.keepOnly(number, title);
    const room = this.rooms.byTitle(title) ?? this.rooms.add(title, name);
    [room.id, room.name, room.topic, room.seen] = [number, name, topic, at];
    room.roster.add({ name, client: this.clientId ?? 0 });
    this.rooms.noteVisit(title);
    if (room.isNew) this.proofs.entered(room);
    if (this.#session.named()) this.#settle();
    this.refreshStatus();
    return room;
  }

  /** The server says under which name we are in `room`. */
  nameIn(room: JoinedRoom, name: string): void {
    room.name = name;
    this.refreshStatus();
  }

  /** Nobody is called `name` in `room` any more: where it is ours, we ask for it. */
  nameFreed(room: JoinedRoom, name: string): void {
    if (!this.isV1) this.#ownName.freed(room, name);
  }

  /** Hands an event of a sealed room to that room. */
  receiveSealed(event: SealedEvent): void {
    this.sealed.receive(event);
  }

  /** The server restarts: the next attempt to connect comes soon. */
  reconnectSoon(): void {
    this.backoff.soon();
  }

  /** The server asks us to go on at another one; nothing is shown of it. */
  moveTo(place: ServerPlace): void {
    // In the middle of entering a sealed room, its members would have to begin again.
    if (this.connected && this.sealed.areSettled) this.#move.begin(this.requireSession(), place);
  }

  /** Draws prompt and status line again. */
  refreshStatus(): void {
    showStatus(this, this.#options.style, this.#session.now?.roundTripMs);
  }

  #destination(): SessionDestination {
    const rooms = this.rooms.plain.map(({ title, seen }) => [title, seen] as const);
    // Of who is in sealed rooms alone, the server needs no name.
    this.#isNameless = rooms.length === 0;
    return {
      name: this.#isNameless ? NAMELESS : this.#ownName.wanted,
      rooms,
      ticket: this.#session.ticket,
    };
  }

  async #serve(session: Session): Promise<Session | undefined> {
    let fault: unknown;
    try {
      this.#welcome(session);
      for await (const event of session.events()) {
        handleEvent(this, event);
        const { caughtUp } = this.sealed;
        if (caughtUp !== undefined) await caughtUp;
      }
    } catch (error) {
      fault = error;
    }
    this.#dropSession();
    return await this.#move.end(fault);
  }

  #welcome(session: Session): void {
    const { messageMax, fileMax, rate, resumed } = session.welcome;
    this.#session.begin(session);
    session.onSilence = () => this.connection.silent(session.silentMs);
    this.talk.messageMax = messageMax;
    this.transfers.fileMax = fileMax;
    this.#pacer.rate = rate;
    for (const room of this.rooms.plain) {
      room.id = undefined;
      if (!resumed) room.startAnew();
    }
    if (!resumed) {
      this.requests.startAnew();
      this.proofs.startAnew();
      this.directs.clear();
    }
    if (this.#session.isComplete) this.#settle();
  }

  /** All rooms of the session are known. */
  #settle(): void {
    const session = this.requireSession();
    // Where we are not any more, the server has said why.
    for (const room of this.rooms.plain) {
      if (room.id === undefined) this.rooms.remove(room);
    }
    this.#session.settle();
    this.connection.opened(this.name, this.rooms.titles, this.#move.isNext(session));
    this.requests.attach(plainSink(session));
    this.transfers.connectionBack(session.welcome.resumed);
    this.proofs.resumed();
    if (!session.welcome.resumed) this.talk.sayStatusAgain();
    this.sealed.connect(session);
    this.refreshStatus();
  }

  #dropSession(): void {
    const { holdSeconds = 0 } = this.#session.now?.welcome ?? {};
    this.transfers.connectionLost(holdSeconds * 1_000);
    this.#session.end();
    this.requests.detach(holdSeconds);
    this.proofs.disconnected();
    this.sealed.disconnect();
    this.refreshStatus();
  }

  /** Worth nothing later: where it cannot be told now, it is not. */
  #tellTyping(): void {
    const { id: room } = this.rooms.current ?? {};
    if (room === undefined || this.isV1 || !this.connected) return;
    if (isSealedId(room)) return this.sealed.of(this.rooms.current)?.typing();
    this.#session.now?.send({ kind: "typing", room }).catch(() => {});
  }

  /** The open session. Throws ConnectionError where there is none. */
  requireSession(): Session {
    return this.#session.require();
  }
}
