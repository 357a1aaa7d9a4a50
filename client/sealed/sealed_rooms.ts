// All sealed rooms of one chat over one session: who gets which answer of the relay.

import type { AnyRoomId, LocalRoomId } from "../base/local_ids.ts";
import { ConnectionError } from "../../shared/base/errors.ts";
import type { SealedEvent, SealedRequest } from "../../shared/messages/messages_v2.ts";
import type { ChatContext } from "../events/chat_context.ts";
import type { Clock } from "../base/clock.ts";
import type { RatePacer } from "../session/rate_pacer.ts";
import type { RequestDraft, RequestLedger, RequestRoom } from "../session/request_ledger.ts";
import { openSealedEngine } from "../sealed_engine/engine.ts";
import type { OwnPeople } from "../people/own_people.ts";
import type { AlarmManner } from "./alarm.ts";
import { SealedRoom } from "./sealed_room.ts";
import type { Session } from "../session/session.ts";

// As many as may wait for their turn in a busy room, several times over.
const ASKED_MAX = 4_096;

/** What sealed rooms work with. */
export interface SealedRoomsOptions {
  readonly chat: ChatContext;
  readonly clock: Clock;
  readonly pacer: RatePacer;
  /** Makes the part that seals; the worker's unless told. */
  readonly openEngine?: typeof openSealedEngine | undefined;
  readonly alarms?: AlarmManner | undefined;
  readonly people: OwnPeople;
}

/** A sealed room to be opened. */
export interface SealedDestination {
  readonly secret: Uint8Array;
  /** What it is called here; nobody else is told. */
  readonly title: string;
  readonly name: string;
  /** Whether we make it just now: then nobody else can be there. */
  readonly isNew: boolean;
}

/** A request, the room that made it, and the number that the room gave it. */
interface Asked {
  readonly room: SealedRoom;
  readonly ask: number;
}

/** The sealed rooms that we are in. */
export class SealedRooms {
  readonly #options: SealedRoomsOptions;
  readonly #rooms = new Map<RequestRoom, SealedRoom>();
  /** By the relay's numbers, which are others in each session. */
  readonly #byNumber = new Map<number, SealedRoom>();
  readonly #asked = new Map<number, Asked>();
  #lastAsk = 0;
  #opened = 0;
  #session: Session | undefined;

  constructor(options: SealedRoomsOptions) {
    this.#options = options;
  }

  /** All of them. */
  get all(): SealedRoom[] {
    return [...this.#rooms.values()];
  }

  /** Whether we are a member in all of them, or out. */
  get areSettled(): boolean {
    return this.all.every(({ status }) => status?.phase === "in" || status?.phase === "out");
  }

  /** The sealed room of this state; undefined for a plain one. */
  of(room: RequestRoom | undefined): SealedRoom | undefined {
    return room && this.#rooms.get(room);
  }

  /** The requests of the sealed room that a request is for; undefined where it is for the server. */
  ledgerOf(draft: RequestDraft, room: RequestRoom | undefined): RequestLedger | undefined {
    if (draft.kind !== "direct") return this.of(room)?.requests;
    return this.all.find((sealed) => sealed.knows(draft.to))?.requests;
  }

  /** The sealed room of that id. */
  byId(id: AnyRoomId): SealedRoom | undefined {
    return this.all.find(({ state }) => state.id === id);
  }

  /** Enters a room, as soon as there is a connection; lines go there. */
  open({ secret, title, name, isNew }: SealedDestination): SealedRoom {
    const { chat, clock, pacer, openEngine = openSealedEngine, alarms = "hold" } = this.#options;
    const { people } = this.#options;
    const known = this.all.find((room) => sameBytes(room.secret, secret));
    // The new one comes in its place: that the user is in no room meanwhile is not true.
    if (known?.hasStopped) this.#remove(known, true);
    else if (known !== undefined) {
      chat.switchTo(known.state);
      // Locked out, or put out: the user tries the link again.
      if (known.status?.phase === "out") this.#bringOnline(known);
      return known;
    }
    const id: LocalRoomId = `sealed ${++this.#opened}`;
    const state = chat.rooms.addSealed(freeTitle(chat, title), name, id);
    state.linkTitle = title;
    const room: SealedRoom = new SealedRoom({
      chat,
      clock,
      pacer,
      state,
      id,
      secret,
      name,
      isNew,
      openEngine,
      alarms,
      people,
      send: (request) => this.#send(room, request),
      onOut: () => this.#remove(room),
    });
    this.#rooms.set(state, room);
    chat.switchTo(state);
    this.#bringOnline(room);
    return room;
  }

  /** The user knows others than before. */
  peopleChanged(): void {
    for (const room of this.all) room.peopleChanged();
  }

  /** A session is open: all rooms attach over it. */
  connect(session: Session): void {
    this.#session = session;
    for (const room of this.all) this.#bringOnline(room);
  }

  /** The connection is lost. */
  disconnect(): void {
    this.#session = undefined;
    this.#asked.clear();
    this.#byNumber.clear();
    for (const room of this.all) room.offline();
  }

  /** The relay says something about one of the rooms. */
  receive(event: SealedEvent): void {
    // An own frame that comes back is the answer to the request that it was.
    if (isFrame(event) && "ask" in event) this.#asked.delete(event.ask);
    const asked = "ask" in event && event.ask > 0 && event.kind !== "sealed_frame"
      ? this.#asked.get(event.ask)
      : undefined;
    if (asked === undefined) {
      // Answers to nothing that was asked, and what is of a room that we left, mean nothing.
      const room = "room" in event ? this.#byNumber.get(event.room) : undefined;
      if (room !== undefined && (!("ask" in event) || event.ask === 0 || isFrame(event))) {
        room.receive(event);
      }
      return;
    }
    this.#asked.delete((event as { readonly ask: number }).ask);
    if (event.kind === "sealed_attached" || event.kind === "sealed_none") {
      this.#byNumber.set(event.room, asked.room);
    }
    asked.room.receive({ ...event, ask: asked.ask } as SealedEvent);
  }

  /** Resolves once the rooms have worked off enough for more to be read; undefined where they have. */
  get caughtUp(): Promise<void> | undefined {
    for (const { caughtUp } of this.#rooms.values()) if (caughtUp !== undefined) return caughtUp;
    return undefined;
  }

  /** Requests that have not left, and those whose answer should be here. */
  get waiting(): { readonly unsent: number; readonly overdue: number } {
    return {
      unsent: this.all.reduce((sum, { requests }) => sum + requests.unsent, 0),
      overdue: this.all.reduce((sum, { requests }) => sum + requests.overdue, 0),
    };
  }

  /** Resolves once all that members were told has left: before the chat ends, with a deadline of the caller's. */
  async flushed(): Promise<void> {
    await Promise.all(this.all.map((room) => room.flushed()));
  }

  /** The chat is over. */
  end(): void {
    for (const room of this.all) room.close();
    this.#rooms.clear();
  }

  #bringOnline(room: SealedRoom): void {
    if (this.#session === undefined) return;
    const { challenge } = this.#session.welcome;
    if (challenge !== undefined) return room.online(challenge);
    this.#options.chat.output.fault(
      new ConnectionError(
        "Cannot join the sealed room: this server speaks the old protocol only",
      ),
    );
  }

  #send(room: SealedRoom, request: SealedRequest): void {
    const session = this.#session;
    if (session === undefined) return;
    const renumbered = "ask" in request ? { ...request, ask: ++this.#lastAsk } : request;
    if ("ask" in request) this.#remember(room, request.ask);
    // A connection that cannot take it is broken, and reading will say so.
    session.send(renumbered).catch(() => session.close());
  }

  // A server need not answer: old questions are forgotten.
  #remember(room: SealedRoom, ask: number): void {
    this.#asked.set(this.#lastAsk, { room, ask });
    const [oldest] = this.#asked.keys();
    if (this.#asked.size > ASKED_MAX && oldest !== undefined) this.#asked.delete(oldest);
  }

  #remove(room: SealedRoom, isReplaced = false): void {
    if (!this.#rooms.delete(room.state)) return;
    for (const [number, other] of this.#byNumber) if (other === room) this.#byNumber.delete(number);
    room.close();
    this.#options.chat.forget(room.state, isReplaced);
  }
}

function isFrame(event: SealedEvent): boolean {
  return event.kind === "sealed_frame";
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, at) => byte === b[at]);
}

/** Two rooms of one name would be taken for each other, and one of them the server can read. */
function freeTitle(chat: ChatContext, wanted: string): string {
  for (let n = 1;; n++) {
    const title = n === 1 ? wanted : n === 2 ? `${wanted}-sealed` : `${wanted}-sealed-${n}`;
    if (chat.rooms.byTitle(title) === undefined) return title;
  }
}
