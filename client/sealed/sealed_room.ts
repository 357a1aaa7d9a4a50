// The chat's side of one sealed room: what its members say becomes events as of any room, and what is asked for in it
// goes to the engine that seals. No sealed text ever takes the way of a plain one: the room has no number of the server's.

import {
  type AnyClientId,
  localMember,
  type LocalRoomId,
  memberNumber,
  type WithAnyIds,
} from "../base/local_ids.ts";
import type { Request, SealedEvent, SealedRequest } from "../../shared/messages/messages_v2.ts";
import { nameInSentence } from "../../shared/text/names.ts";
import { quote } from "../../shared/base/sanitize.ts";
import type { ChatContext } from "../events/chat_context.ts";
import type { Clock } from "../base/clock.ts";
import { show } from "../events/show_event.ts";
import { handleDirect } from "../events/dispatch.ts";
import type { RatePacer } from "../session/rate_pacer.ts";
import { listedName } from "../render/text.ts";
import { type LinkMove, RequestLedger, type RequestOutcome } from "../session/request_ledger.ts";
import { handleRoomEvent, type RoomEvent } from "../events/room_handlers.ts";
import type { JoinedRoom } from "../rooms/joined_room.ts";
import { ALONE, wayOut } from "./first_words.ts";
import { NewLinks } from "./new_links.ts";
import { rosterEntry } from "./roster_entry.ts";
import type { openSealedEngine, SealedEngine } from "../sealed_engine/engine.ts";
import { pairCode, type PairCodePart, type SealedPerson } from "../sealed_engine/people.ts";
import type { SealedRoomEvent, SealStatus } from "../sealed_engine/engine_protocol.ts";
import type { OwnPeople } from "../people/own_people.ts";
import { alarmFault, type AlarmManner, alarmText, shutFault } from "./alarm.ts";
import { toEngine } from "./engine_requests.ts";
import { handleFileEvent, type SealedFileParts } from "./sealed_files.ts";
import { SealedDecisions, type WithoutPlace } from "./sealed_decisions.ts";

/** What a sealed room works with. */
export interface SealedRoomOptions {
  readonly chat: ChatContext;
  readonly clock: Clock;
  readonly pacer: RatePacer;
  readonly state: JoinedRoom;
  /** What names the room on this client. */
  readonly id: LocalRoomId;
  readonly secret: Uint8Array;
  readonly name: string;
  /** Whether we make it just now. */
  readonly isNew: boolean;
  readonly openEngine: typeof openSealedEngine;
  readonly alarms: AlarmManner;
  readonly people: OwnPeople;
  /** Takes what is to go to the relay. */
  readonly send: (request: SealedRequest) => void;
  /** The room is left, and nothing more comes of it. */
  readonly onOut: () => void;
}

/** One sealed room that we are in, or on the way into. */
export class SealedRoom {
  readonly state: JoinedRoom;
  readonly secret: Uint8Array;
  readonly requests: RequestLedger;
  /** How it is; undefined before the engine said anything. */
  status: SealStatus | undefined;
  /** The links to which members ask all to go. */
  readonly newLinks = new NewLinks();
  readonly #options: SealedRoomOptions;
  readonly #entered = Promise.withResolvers<RequestOutcome>();
  /** Resolves once we are a member for the first time, or the room has ended without that. */
  readonly entered = this.#entered.promise;
  readonly #engine: SealedEngine;
  /** Fingerprints that the user was shown, by name. */
  readonly #compared = new Map<string, string>();
  readonly #decisions: SealedDecisions;
  readonly #files: SealedFileParts;
  #leaving = false;
  #hasStopped = false;
  #onFlushed: (() => void)[] = [];

  constructor(options: SealedRoomOptions) {
    const { chat, clock, pacer, secret, name, send, alarms, people } = options;
    this.#options = options;
    this.state = options.state;
    this.secret = secret;
    this.#decisions = new SealedDecisions(chat, this.state, {
      status: () => this.status,
      clientOf: (client) => this.#clientOf(client),
      about: (event) => this.#about(event),
      answered: (request) => this.requests.answer(request, "confirmed"),
      pass: (event) => this.#pass(event),
      onOut: options.onOut,
    });
    this.#files = {
      transfers: chat.transfers,
      room: options.id,
      date: () => clock.date(),
      clientOf: (client) => this.#clientOf(client),
      pass: (event) => this.#pass(event),
    };
    const onChange = () => chat.refreshStatus();
    const onHeld = (why: string) => this.#showRefusal(why);
    this.requests = new RequestLedger({ clock, pacer, isSealed: true, onChange, onHeld });
    this.#engine = options.openEngine({
      secret,
      name,
      holds: alarms !== "pass",
      device: people.device,
      remembered: people.known.all,
      send,
      tell: (event) => this.#tell(event),
      fail: (error) => this.#fail(error),
    });
    // The engine keeps requests over any outage: for the ledger, its connection never breaks.
    this.requests.attach({
      send: (request) => Promise.resolve(this.#ask(request)),
      close() {},
    });
  }

  /** Whether we are making it and are not in yet: somebody who follows a link sooner would be first, and its maker. */
  get isBeingMade(): boolean {
    return this.#options.isNew && this.state.isNew;
  }

  /** Whether it cannot go on: nothing that is asked of it is done. */
  get hasStopped(): boolean {
    return this.#hasStopped;
  }

  /** A connection to the relay is open. */
  online(challenge: Uint8Array): void {
    this.#engine.handle({ kind: "online", challenge });
  }

  /** The connection is lost. */
  offline(): void {
    this.#engine.handle({ kind: "offline" });
  }

  /** The relay says something about this room. */
  receive(event: SealedEvent): void {
    this.#engine.receive(event);
  }

  /** Resolves once more may be received; undefined where it may. */
  get caughtUp(): Promise<void> | undefined {
    return this.#engine.caughtUp;
  }

  /** What the user compares with somebody: the code of both. */
  codeWith(person: SealedPerson): readonly PairCodePart[] {
    const own = this.status?.people.find((each) => each.own) ?? person;
    this.#compared.set(person.name, person.digits);
    return pairCode(own, person);
  }

  /** The user has compared that code, or goes on without. False where it was not shown, or the key is another by now. */
  accept({ name, digits }: SealedPerson, verified: boolean): boolean {
    if (verified && this.#compared.get(name) !== digits) return false;
    this.#engine.handle({ kind: "accept", name, verified, digits });
    return true;
  }

  /** The user knows others than before. */
  peopleChanged(): void {
    this.#engine.handle({ kind: "remember", people: this.#options.people.known.all });
  }

  /** Tells all members of another link; the caller reports the outcome. */
  move(secret: Uint8Array): Promise<RequestOutcome> {
    return this.requests.addUnasked({ kind: "move", secret }, this.state);
  }

  /** Something about a file goes to the members. */
  sendFile(request: WithAnyIds<Request>): void {
    this.#ask(request);
  }

  /** Tells the members that we are writing. */
  typing(): void {
    this.#engine.handle({ kind: "typing" });
  }

  /** Leaves: the others are told, and remove us from the group. */
  leave(): void {
    this.#leaving = true;
    this.#engine.handle({ kind: "leave" });
    if (this.status?.phase !== "in") this.#options.onOut();
  }

  /** Resolves once all that was asked for has left, or the room is closed. */
  flushed(): Promise<void> {
    if (this.hasStopped) return Promise.resolve();
    this.#engine.handle({ kind: "flush" });
    return new Promise((resolve) => this.#onFlushed.push(resolve));
  }

  /** The room is not used any more. */
  close(): void {
    this.#entered.resolve("lost");
    this.#stop(`Not sent: you are not in ${quote(this.state.title)} any more.`);
    this.#engine.close();
  }

  /** Nothing that is asked for is done any more. */
  #stop(why: string): void {
    this.#hasStopped = true;
    this.requests.end(why);
    this.#endFlush();
  }

  #endFlush(): void {
    for (const resolve of this.#onFlushed.splice(0)) resolve();
  }

  #ask(request: WithAnyIds<Request> | LinkMove): void {
    const asked = toEngine(request, (client) => memberNumber(this.#options.id, client) ?? 0);
    if (asked !== undefined) return this.#engine.handle(asked);
    const why = "This cannot be done in a sealed room.";
    if ("id" in request) this.#tell({ kind: "declined", request: request.id, why });
  }

  #tell(event: SealedRoomEvent): void {
    switch (event.kind) {
      case "status":
        return this.#showStatus(event);
      case "text": {
        const { client, name, time, sequence, text, request, action, reply } = event;
        if (request > 0) this.requests.answer(request, "confirmed");
        const about = { name, time, sequence, text, client: this.#clientOf(client) };
        return this.#pass({ kind: "chat", ...about, request: 0, action, reply });
      }
      case "revised":
      case "reacted": {
        if (event.request > 0) this.requests.answer(event.request, "confirmed");
        return this.#pass({ ...event, ...this.#about(event), time: event.time, request: 0 });
      }
      case "topic":
        return this.#topic(event);
      case "direct":
        return this.#direct(event);
      case "joined":
        return this.#pass({ ...this.#about(event), kind: "joined", old: false });
      case "typing":
      case "left":
      case "away":
      case "back":
        return this.#pass({ ...this.#about(event), kind: event.kind });
      case "renamed":
        return this.#pass({ ...this.#about(event), kind: "renamed", previous: event.previous });
      case "moderated":
        return this.#decisions.moderated(event);
      case "pinned":
        return this.#decisions.pinned(event);
      case "flushed":
        return this.#endFlush();
      case "done":
        return void this.requests.answer(event.request, "confirmed");
      case "declined":
        if (this.requests.isUnasked(this.requests.answer(event.request, event))) return;
        return this.#showRefusal(event.why);
      case "note":
        return this.#note(event);
      case "alarm":
        return this.#alarm(event);
      case "shut":
        return this.#shut(event);
      case "moved":
        return this.#tellMoved(event);
      case "file":
      case "chunk":
      case "pull":
      case "taken":
      case "receipt":
        return handleFileEvent(event, this.#files);
    }
  }

  #showStatus(status: SealStatus): void {
    const { chat, onOut } = this.#options;
    this.status = status;
    this.state.seal = status;
    this.state.name = status.name;
    this.state.maker = status.maker === 0 ? 0 : localMember(this.#options.id, status.maker);
    this.state.ops = new Set(status.ops.map((op) => localMember(this.#options.id, op)));
    // Our own id as well is one of this room: a word to ourselves must not go to the server either.
    this.state.roster.replace(
      status.people.map((person) => rosterEntry(person, this.#options.id, this.#options.people)),
    );
    if (status.phase === "in" && this.state.takeFirstSight()) {
      const { names } = this.state.roster;
      const text = `In this room: ${names.map(nameInSentence).join(", ")}`;
      show(chat, { event: "names", text, names, time: undefined }, this.state);
      if (names.length === 1 && !this.#options.isNew) this.#note({ kind: "note", ...ALONE });
      this.#decisions.rules(status);
      this.#entered.resolve("confirmed");
    }
    if (status.phase === "out" && this.#leaving) return onOut();
    chat.refreshStatus();
  }

  #topic(event: Extract<SealedRoomEvent, { kind: "topic" }>): void {
    const { name, time, text: topic, request, told } = event;
    if (request > 0) this.requests.answer(request, "confirmed");
    if (!told) {
      return this.#pass({ kind: "topic", ...this.#about(event), time, text: topic });
    }
    // Nobody has set it before our eyes: it is a member's word.
    this.state.topic = topic;
    const who = nameInSentence(name);
    const text = topic === ""
      ? `${who} says that there is no topic.`
      : `Topic, as ${who} says: ${topic}`;
    show(this.#options.chat, { event: "topic", text, name, time }, this.state);
  }

  #direct(event: Extract<SealedRoomEvent, { kind: "direct" }>): void {
    const { chat } = this.#options;
    const { name, toName, time, text, request } = event;
    if (request > 0) this.requests.answer(request, "confirmed");
    const [client, to] = [this.#clientOf(event.client), this.#clientOf(event.to)];
    const about = { room: this.#options.id, client, name, time, to, toName, request: 0, text };
    handleDirect(chat, { kind: "direct", ...about });
  }

  #note({ level, text, of }: Extract<SealedRoomEvent, { kind: "note" }>): void {
    const { chat } = this.#options;
    if (of !== undefined && level !== "danger" && chat.output.ignored.has(of)) return;
    const hint = of === undefined ? undefined : wayOut(listedName(of));
    if (level !== "info") return chat.output.note(level, `${this.state.title}: ${text}`, hint);
    show(chat, { event: "sealed", text, time: undefined }, this.state);
  }

  #alarm({ name, cause, held, why }: Extract<SealedRoomEvent, { kind: "alarm" }>): void {
    const { chat, alarms, people } = this.#options;
    const alarm = { name, cause, date: people.known.byName(name)?.date };
    if (alarms === "stop") return chat.end(alarmFault(this.state, alarm));
    this.#note({ kind: "note", level: "danger", text: alarmText(alarm, alarms) });
    for (const request of held) this.#tell({ kind: "declined", request, why });
  }

  /** A person may wait in front of the door; a program has nobody who would open it, and needs no room that is not made. */
  #shut({ text, why }: Extract<SealedRoomEvent, { kind: "shut" }>): void {
    const { chat, alarms } = this.#options;
    if (alarms === "hold") return this.#note({ kind: "note", level: "warning", text });
    if (this.isBeingMade) {
      this.#entered.resolve({ why });
      return this.#options.onOut();
    }
    chat.end(shutFault(this.state.title, why));
  }

  #tellMoved(link: Extract<SealedRoomEvent, { kind: "moved" }>): void {
    const { output } = this.#options.chat;
    if (this.status?.name === link.name || output.ignored.has(link.name)) return;
    this.newLinks.add(link);
    const [who, title] = [listedName(link.name), quote(this.state.title)];
    const text = `${who} has made a new link for ${title} and asks everyone to go there.`;
    output.note("warning", text, `/rekey follow ${who}`);
  }

  #fail(error: unknown): void {
    const { chat } = this.#options;
    const why = error instanceof Error ? error.message : String(error);
    const text = `The sealed room ${quote(this.state.title)} cannot continue: ${why}`;
    const next = this.isBeingMade ? "make another one" : "join again by its link";
    chat.output.note("error", text, `/leave it, and ${next}`);
    chat.transfers.roomLeft(this.state);
    this.#stop(`Not sent: ${why}. To go on, /leave the room, and ${next}.`);
    this.#entered.resolve({ why });
    // An engine that has stopped does not say that we are out.
    if (this.status !== undefined) this.#showStatus({ ...this.status, phase: "out" });
  }

  #showRefusal(text: string): void {
    show(this.#options.chat, { event: "refused", text, time: undefined }, this.state);
  }

  #about({ client, name }: { readonly client: number; readonly name: string }) {
    return { client: this.#clientOf(client), name, time: this.#options.clock.date() };
  }

  /** Whether somebody of this room has that id. */
  knows(client: AnyClientId): boolean {
    return memberNumber(this.#options.id, client) !== undefined;
  }

  /** What names the client to which the engine gave this number; ourselves by our number in the session. */
  #clientOf(client: number): AnyClientId {
    const own = this.status?.people.find((person) => person.own)?.client ?? 1;
    return client === own
      ? this.#options.chat.clientId ?? 0
      : localMember(this.#options.id, client);
  }

  #pass(event: WithoutPlace<RoomEvent>): void {
    if (this.state.id === undefined) return;
    handleRoomEvent(this.#options.chat, { ...event, room: this.#options.id, at: 0 } as RoomEvent);
  }
}
