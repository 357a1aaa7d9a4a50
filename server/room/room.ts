// One room: who is in it, under which names, what it is about. What happens in it goes out over the bus and acts when
// it comes back.

import type { ClientId } from "../../shared/messages/ids.ts";
import { MEMBERS_PART_MAX } from "../../shared/base/limits.ts";
import type { Event, EventOf } from "../../shared/messages/messages_v2.ts";
import { nameKey, nextFreeName } from "../../shared/text/names.ts";
import { RecentAuthors } from "./recent_authors.ts";
import { Burst, type BurstReceiver, spreadBursts } from "../delivery/burst.ts";
import { EncodedEvent } from "../delivery/encoded_event.ts";
import type {
  AskingAccount,
  Audience,
  Bus,
  Channel,
  Occupant,
  PassingEvent,
  PlacedEvent,
  Position,
  PublishOptions,
  SharedView,
} from "./bus.ts";
import type { RoomSnapshot } from "./room_snapshot.ts";
import type { MissedEvents } from "./recent_events.ts";
import type { RoomRules } from "./room_rules.ts";
import type { FairBudget } from "../limits/fair_budget.ts";
import { sourceOf } from "../limits/ip_network.ts";

/** A member of a room. */
export interface RoomMember extends BurstReceiver {
  /** Number of its client. */
  readonly id: number;
  readonly name: string;
  readonly address: string;
  /** The bus settled its name: another server may have given it away first. */
  takeName(name: string): void;
  /** Somebody who moderates the room decided something about it. */
  obey(event: EventOf<"moderated">): void;
  /** Whether much of a file that client `sender` pushes waits for it. */
  isBehind(sender: ClientId, file: string): boolean;
  /** The sender's wait did not help: members that are still behind may lose that file. */
  stayedBehind(sender: ClientId, file: string): void;
  /** A receiver asks for chunks of a file that it offers; no account where its server told none. */
  pulled(event: EventOf<"pull">, account: AskingAccount | undefined): void;
  /** A receiver says what becomes of a file that it offers. */
  receipted(event: EventOf<"receipt">): void;
  /** Its view may be wrong: sends it the state of the room. */
  refresh(): void;
  /** Others were told that it left or lost its connection, which is wrong: corrects it. */
  contradict(what: "left" | "away"): void;
}

type WithoutRoom<E> = E extends unknown ? Omit<E, "room"> : never;

/** What a room is made of. */
export interface RoomOptions {
  /** Its number, used for no other room of this server. */
  readonly id: number;
  /** Its name, which has passed `parseRoom`. */
  readonly title: string;
  readonly bus: Bus;
  /** How long events are kept for members that come back, ms. */
  readonly memoryMs: number;
  /** The budget of what all rooms keep. */
  readonly memory: FairBudget;
  /** How many lines it keeps for newcomers where nobody has said otherwise; absent: none. */
  readonly backlog?: number | undefined;
  /** The address of its maker here, and a callback for its end. */
  readonly madeBy?: { readonly address: string | undefined; readonly forget: () => void };
  /** What the process before this one knew of it. */
  readonly known?: RoomSnapshot | undefined;
}

/** A room's members and names. A room never waits for a member. */
export class Room {
  readonly id: number;
  readonly title: string;
  readonly authors = new RecentAuthors();
  readonly #madeBy: RoomOptions["madeBy"];
  readonly #members = new Map<number, RoomMember>();
  readonly #chats = new Burst(this.#members);
  readonly #nameKeys = new Set<string>();
  readonly #channel: Channel;
  #isRestricted = false;

  constructor({ id, title, bus, memoryMs, memory, backlog, madeBy, known }: RoomOptions) {
    const maker = madeBy?.address;
    this.id = id;
    this.#madeBy = madeBy;
    this.title = title;
    if (known !== undefined) this.authors.restore(known.authors);
    this.#channel = bus.open({
      room: id,
      title,
      memoryMs,
      backlog,
      memory: { budget: memory, source: maker === undefined ? title : sourceOf(maker) },
      deliver: (broadcast, audience) => this.#deliver(broadcast, audience),
      onBreak: () => this.#onBreak(),
    });
    this.#isRestricted = isRestricting(this.rules);
  }

  /** Resolves when it is known who is here on other servers; undefined where there are none. */
  get ready(): Promise<void> | undefined {
    return this.#channel.ready;
  }

  /** The room on all servers together. */
  get view(): SharedView {
    return this.#channel.view;
  }

  /** Address of the client that made it on this server; undefined where it is unknown. */
  get madeBy(): string | undefined {
    return this.#madeBy?.address;
  }

  /** Number of members on this server. */
  get size(): number {
    return this.#members.size;
  }

  /** The position of the last event. */
  get at(): number {
    return this.#channel.at;
  }

  /** What the room is about; empty where no member has set it. */
  get topic(): string {
    return this.view.topic;
  }

  /** What those who moderate it decided. */
  get rules(): RoomRules {
    return this.view.rules;
  }

  /** The members in the order in which they came, as one message or several. */
  get list(): EventOf<"members">[] {
    const all: EventOf<"members">["list"] = this.view.occupants.map((
      { client, name, state, since, status },
    ) => [client, name, state, since, status]);
    const parts: EventOf<"members">[] = [];
    for (let at = 0; at < all.length || at === 0; at += MEMBERS_PART_MAX) {
      const end = at + MEMBERS_PART_MAX;
      const list = all.slice(at, end);
      parts.push({ kind: "members", room: this.id, list, more: end < all.length });
    }
    return parts;
  }

  /** `wanted`, or with the next free suffix where it or a lookalike is taken. */
  freeName(wanted: string): string {
    return nextFreeName(
      wanted,
      (key) => this.#nameKeys.has(key) || this.view.holder(key) !== undefined,
    );
  }

  /** Whether somebody else than `member` has `name` or a lookalike of it. */
  isTaken(name: string, member: RoomMember): boolean {
    const key = nameKey(name);
    const elsewhere = this.view.holder(key);
    return this.#nameKeys.has(key) && !(this.has(member) && nameKey(member.name) === key) ||
      elsewhere !== undefined && elsewhere !== member.id;
  }

  /** Whether others of this room come from where `member` comes from. */
  isAddressShared({ id, address }: RoomMember): boolean {
    const source = sourceOf(address);
    const others = this.#members.values();
    return others.some((other) => other.id !== id && sourceOf(other.address) === source);
  }

  /** Number of members of this server that come from where `address` is. */
  countFrom(address: string): number {
    const source = sourceOf(address);
    let count = 0;
    for (const member of this.#members.values()) if (sourceOf(member.address) === source) count++;
    return count;
  }

  /** The name of client `id` here, on whichever server; undefined where it is not in the room. */
  nameOf(id: ClientId): string | undefined {
    return this.view.of(id)?.name;
  }

  /** Everybody who is in the room, on whichever server. */
  get occupants(): readonly Occupant[] {
    return this.view.occupants;
  }

  /** Number of `occupants`. */
  get memberCount(): number {
    return this.view.size;
  }

  /** Whether `member` is here. */
  has(member: RoomMember): boolean {
    return this.#members.get(member.id) === member;
  }

  /** Takes `member` in, under a name that is free here. */
  add(member: RoomMember): void {
    spreadBursts();
    this.#members.set(member.id, member);
    this.#nameKeys.add(nameKey(member.name));
  }

  /** Lets `member` go. */
  remove(member: RoomMember): void {
    spreadBursts();
    if (this.#members.delete(member.id)) this.#nameKeys.delete(nameKey(member.name));
  }

  /** Moves the claim on a name; the caller changes the member's own name. */
  rename(previous: string, next: string): void {
    this.#nameKeys.delete(nameKey(previous));
    this.#nameKeys.add(nameKey(next));
  }

  /** Gives an event its position, keeps it for members that come back, and sends it to all members. */
  publish(event: WithoutRoom<PlacedEvent>, options?: PublishOptions): Position {
    return this.#channel.publish({ ...event, room: this.id }, options);
  }

  /** Sends an event without a position to all members, or all but one. */
  pass(event: WithoutRoom<PassingEvent>, except?: RoomMember): void {
    const audience = except === undefined ? undefined : { except: except.id };
    this.#channel.pass({ ...event, room: this.id }, audience);
  }

  /** Sends an event without a position to these members alone, on whichever server they are. */
  passTo(
    clients: readonly number[],
    event: WithoutRoom<PassingEvent>,
    account?: AskingAccount,
  ): void {
    const passing = { ...event, room: this.id };
    const encoded = new EncodedEvent(passing, this.title);
    for (const only of clients) {
      // A member of this server needs no bus, and what is for one member is no work for other servers.
      if (this.#members.has(only)) this.#deliverTo(only, encoded, account);
      else this.#channel.pass(passing, { only, account });
    }
  }

  /** The same of a chunk that has its buffer for itself and that the caller does not use any more. */
  handOn(clients: readonly number[], chunk: WithoutRoom<EventOf<"chunk">>): void {
    // What the bus does with it, and for how long, is its own affair.
    if (!clients.every((client) => this.#members.has(client))) return this.passTo(clients, chunk);
    const encoded = EncodedEvent.handedOn({ ...chunk, room: this.id }, this.title);
    for (const only of clients) this.#deliverTo(only, encoded, undefined);
  }

  /** Whether much of a file that client `sender` pushes waits for a member on this server. */
  isBehind(sender: ClientId, file: string): boolean {
    return this.#members.values().some((member) => member.isBehind(sender, file));
  }

  /** The sender's wait for the members who are behind did not help. */
  waitedFor(sender: ClientId, file: string): void {
    for (const member of this.#members.values()) member.stayedBehind(sender, file);
  }

  /** What happened after position `seen`. */
  missed(seen: number): MissedEvents {
    return this.#channel.missed(seen);
  }

  /** Forgets what is too old at `now`. */
  forgetOld(now: number): void {
    this.#channel.forgetOld(now);
  }

  /** The last member has left. */
  close(): void {
    this.#madeBy?.forget();
    this.#channel.close();
  }

  #deliver(broadcast: EncodedEvent, audience: Audience): void {
    const { event } = broadcast;
    if (audience !== undefined && "only" in audience) {
      return this.#deliverTo(audience.only, broadcast, audience.account);
    }
    if (event.kind === "chat") {
      this.authors.add(event);
      return this.#chats.add(broadcast);
    }
    if (event.kind === "revised") this.#revised(event);
    else if (event.kind === "joined" || event.kind === "renamed") {
      this.#members.get(event.client)?.takeName(event.name);
    }
    this.#sendAll(broadcast, audience?.except);
    this.#tellRestrictions(event);
    if (event.kind === "left" || event.kind === "away") {
      this.#members.get(event.client)?.contradict(event.kind);
    } else if (event.kind === "moderated") this.#members.get(event.whom)?.obey(event);
  }

  #revised({ sequence, name, text }: EventOf<"revised">): void {
    if (text === null) this.authors.forget(sequence);
    else this.authors.revise({ sequence, name, text });
  }

  // A lock and a slow mode end when the last of those leaves who could end them, which no event says.
  #tellRestrictions(event: Event): void {
    const before = this.#isRestricted;
    this.#isRestricted = isRestricting(this.rules);
    const isEnd = event.kind === "left" || (event.kind === "moderated" && event.what === "deop");
    if (!isEnd || !before || this.#isRestricted) return;
    const text = "Nobody moderates this room any more: it is no longer locked or slow.";
    this.#sendAll(new EncodedEvent({ kind: "notice", room: this.id, text }, this.title), undefined);
  }

  #deliverTo(only: number, broadcast: EncodedEvent, account: AskingAccount | undefined): void {
    const { event } = broadcast;
    const member = this.#members.get(only);
    if (event.kind === "pull") member?.pulled(event, account);
    else if (event.kind === "receipt") member?.receipted(event);
    else member?.deliver(broadcast);
  }

  #sendAll(broadcast: EncodedEvent, except: number | undefined): void {
    spreadBursts();
    for (const member of this.#members.values()) {
      if (member.id !== except) member.deliver(broadcast);
    }
  }

  #onBreak(): void {
    for (const member of this.#members.values()) {
      member.refresh();
      if (this.view.of(member.id) === undefined) member.contradict("left");
    }
  }
}

function isRestricting({ locked, slow }: RoomRules): boolean {
  return locked || slow > 0;
}
