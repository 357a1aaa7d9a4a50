// A session in one of its rooms: the name that it has there, and what it does there.

import type { ClientId, RequestId } from "../../shared/messages/ids.ts";
import type { Event, EventOf, MemberState } from "../../shared/messages/messages_v2.ts";
import type { EncodedBurst } from "../delivery/burst.ts";
import type { EncodedEvent } from "../delivery/encoded_event.ts";
import type { Burden, DepartedMembers } from "../limits/departed_members.ts";
import { sourceOf } from "../limits/ip_network.ts";
import type { RoomBans } from "../limits/room_bans.ts";
import { type AskingAccount, type Position, type PublishOptions, whenPlaced } from "../room/bus.ts";
import type { Room, RoomMember } from "../room/room.ts";
import type { EventWriter } from "../delivery/event_writer.ts";
import type { RequestBudget } from "../limits/request_budget.ts";
import { FileReceiver } from "./file_receiver.ts";
import type { FileTransfers } from "./file_transfers.ts";
import { silence } from "./room_access.ts";

/** What a membership needs from its session. */
export interface MemberSession {
  readonly id: number;
  readonly address: string;
  readonly tokenName: string | undefined;
  readonly since: number;
  readonly state: MemberState;
  /** What its user says about being away; null = nothing. */
  readonly status: string | null;
  readonly isV1: boolean;
  /** The name that it asked for; a room where that is taken gives it another. */
  readonly wantedName: string;
  readonly files: FileTransfers;
  readonly host: {
    readonly rooms: { tidy(room: Room): void };
    readonly roomBans: RoomBans;
    readonly departed: DepartedMembers;
  };
  /** The way out to its client; undefined while its connection is lost. */
  readonly writer: EventWriter | undefined;
  readonly requestBudget: Pick<RequestBudget, "earnPart">;
  /** False where a part of a file found no room. */
  deliver(broadcast: EncodedEvent | EncodedBurst): boolean;
  tell(event: Event): void;
  leave(membership: Membership): void;
  dismiss(closing: Omit<EventOf<"closing">, "kind">): Promise<void>;
}

/** One session in one room. */
export class Membership implements RoomMember {
  readonly session: MemberSession;
  readonly room: Room;
  /** Monotonic ms until which "is writing" is not passed on again. */
  typingQuietUntil = -Infinity;
  // What members of its address left behind in the room before it came; ms since 1970.
  #burden: Burden;
  /** When it was muted last here, ms since 1970; 0 = not since this process has it. */
  #mutedAt = 0;
  #name: string;
  #announced = false;
  /** Made with the first offer: most members never get one. */
  #receiver: FileReceiver | undefined;

  /** Takes `known`, which the session has in the room already, or its wanted name, or the next one that is free. */
  constructor(session: MemberSession, room: Room, known?: string) {
    this.session = session;
    this.room = room;
    this.#name = known ?? room.freeName(session.wantedName);
    this.#announced = known !== undefined;
    this.#burden = session.host.departed.of(room.title, session);
    room.add(this);
  }

  get id(): number {
    return this.session.id;
  }

  get name(): string {
    return this.#name;
  }

  get address(): string {
    return this.session.address;
  }

  /** Until when it is muted, ms since 1970; in the past where it is not. */
  get mutedUntil(): number {
    return Math.max(this.#burden.mutedUntil, this.room.rules.mutedUntil(this.id, Date.now()) ?? 0);
  }

  /** When it spoke last, ms since 1970; 0 = never. */
  get spokeAt(): number {
    return Math.max(this.#burden.spokeAt, this.room.view.of(this.id)?.spokeAt ?? 0);
  }

  /** It speaks now: in a slow room it has to wait for the next time. */
  noteSpeech(): void {
    this.#burden = { ...this.#burden, spokeAt: Date.now() };
  }

  deliver(broadcast: EncodedEvent): void {
    const { event } = broadcast;
    if (event.kind === "chunk") {
      this.session.requestBudget.earnPart();
      if (this.#receiver !== undefined) return this.#receiver.chunk(broadcast, event);
    }
    this.session.deliver(broadcast);
    if (event.kind === "offer") this.#offered(event);
    else if (event.kind === "left") this.#receiver?.senderLeft(event.client);
    else if (event.kind === "back") this.#receiver?.senderBack(event.client);
  }

  deliverBurst(burst: EncodedBurst): void {
    this.session.deliver(burst);
  }

  /** Who acts, and when: the fields that all its events have. */
  about(): { readonly client: number; readonly name: string; readonly time: number } {
    return { client: this.id, name: this.#name, time: Date.now() };
  }

  /** Tells the session that it is in the room, as the answer to request `id`, and everyone that it joined. */
  announce(id: RequestId): void {
    this.#announced = true;
    this.tellEntered(id, { at: this.room.at, complete: true });
    const placed = this.#publishJoined();
    whenPlaced(placed, () => {
      this.tellMembers();
      this.#tellEarlier();
    });
    this.session.host.departed.joined(this.room, this.session, Date.now());
    const { status: text } = this.session;
    const maySpeak = silence(this, Date.now()) === undefined;
    if (text !== null && maySpeak) this.room.publish({ kind: "status", ...this.about(), text });
  }

  /** Tells the session that it is in the room, and up to which position. */
  tellEntered(
    id: RequestId,
    { at, complete }: { readonly at: number; readonly complete: boolean },
  ): void {
    const { id: room, title, topic } = this.room;
    this.session.tell({ kind: "entered", id, room, title, name: this.#name, at, complete, topic });
  }

  /** Tells the session who is in the room, and the room's rules. */
  tellMembers(): void {
    for (const part of this.room.list) this.session.tell(part);
    const { maker, ops, locked, slow, pin } = this.room.rules;
    const { lines: backlog } = this.room.view.backlog;
    const rules = { maker, ops, locked, slow, ...pin, backlog };
    this.session.tell({ kind: "rules", room: this.room.id, ...rules });
  }

  // Once, when it came in: a member that comes back gets what it has missed.
  #tellEarlier(): void {
    const { all } = this.room.view.backlog;
    if (all.length > 0) this.session.tell({ kind: "earlier", room: this.room.id, list: [...all] });
  }

  /** Asks for a name that is free in the room; has it once the event comes back. */
  rename(name: string): Position {
    if (name === this.#name) return this.room.at;
    return this.room.publish({ kind: "renamed", ...this.about(), name, previous: this.#name });
  }

  takeName(name: string): void {
    if (name === this.#name) return;
    this.room.rename(this.#name, name);
    this.#name = name;
  }

  refresh(): void {
    this.tellEntered(0, { at: this.room.at, complete: false });
    this.tellMembers();
  }

  obey({ what, seconds, time }: EventOf<"moderated">): void {
    const { host, address } = this.session;
    if (what === "mute") this.#mutedAt = time;
    if (what === "unmute") {
      this.#burden = { ...this.#burden, mutedUntil: 0 };
      host.departed.unmute(this.room.title, this.session);
    }
    if (what !== "kick" && what !== "ban") return;
    // A member that shares its address with others of the room, as behind one proxy, takes nobody along.
    if (what === "ban" && !this.room.isAddressShared(this)) {
      const until = seconds === 0 ? Infinity : time + seconds * 1_000;
      host.roomBans.add(this.room, address, until);
    }
    this.session.leave(this);
    // A v1 client is in one room, and cannot be without it.
    if (this.session.isV1) {
      void this.session.dismiss({ why: "You were removed.", retry: false });
    }
  }

  /** On whose account it asks for something. */
  get account(): AskingAccount {
    const { address, room } = this;
    return { source: sourceOf(address), sharers: room.countFrom(address) };
  }

  isBehind(sender: ClientId, file: string): boolean {
    return this.#receiver?.isBehind({ client: sender, file }) ?? false;
  }

  stayedBehind(sender: ClientId, file: string): void {
    this.#receiver?.stayedBehind({ client: sender, file });
  }

  pulled(
    { client, file, index, count }: EventOf<"pull">,
    account: AskingAccount = { source: `client ${client}`, sharers: 1 },
  ): void {
    const { files } = this.session;
    // A file is asked for where it was offered: ids of files must not reach beyond their room.
    const isHere = files.roomOf(file) === this.room.id;
    const granted = isHere
      ? files.pull({ receiver: client, file, index, count, ...account })
      : undefined;
    if (granted === undefined) {
      // One answer to "not known", "not in this room" and "too often": docs/PROTOCOL.md, V14.
      const nothing = { file, index, data: new Uint8Array(), last: true };
      return this.room.passTo([client], { kind: "chunk", ...this.about(), ...nothing });
    }
    if (granted === 0 && count > 0) return;
    this.session.tell({ kind: "pull", room: this.room.id, client, file, index, count: granted });
  }

  receipted(event: EventOf<"receipt">): void {
    const { files } = this.session;
    if (files.roomOf(event.file) === this.room.id && files.receipt(event)) this.session.tell(event);
  }

  contradict(what: "left" | "away"): void {
    if (what === "left") this.#publishJoined({ isFirst: true });
    else if (this.session.state === "here") {
      this.room.publish({ kind: "back", ...this.about() }, { isFirst: true });
    }
  }

  #publishJoined(options: PublishOptions = {}): Position {
    const joined = { kind: "joined", ...this.about(), old: this.session.isV1 } as const;
    return this.room.publish(joined, { ...options, onRefused: (why) => this.#giveUp(why) });
  }

  // Nobody else was told of it: a client that is not in the room must not believe that it is.
  #giveUp(why: string): void {
    this.#announced = false;
    this.session.leave(this);
    const closing = { why: `Cannot stay in the room "${this.room.title}": ${why}`, retry: true };
    void this.session.dismiss(closing);
  }

  /** Leaves; everyone else is told. */
  leave(): void {
    if (!this.room.has(this)) return;
    this.#leaveBurden(Date.now());
    this.room.remove(this);
    if (this.#announced) this.room.publish({ kind: "left", ...this.about() });
    this.#announced = false;
    this.session.host.rooms.tidy(this.room);
  }

  // The next member from its address inherits it.
  #leaveBurden(now: number): void {
    const { mutedUntil, spokeAt } = this;
    const mutedAt = this.#mutedAt || this.#burden.mutedAt;
    const isSlowed = spokeAt + this.room.rules.slow * 1_000 > now;
    if (mutedUntil <= now && !isSlowed) return;
    const burden = { mutedUntil, mutedAt, spokeAt };
    this.session.host.departed.leave(this.room, this.session, burden, now);
  }

  #offered(offer: EventOf<"offer">): void {
    const { session } = this;
    this.#receiver ??= new FileReceiver({
      client: session.id,
      isV1: session.isV1,
      writer: () => session.writer,
      deliver: (event) => session.deliver(event),
      tell: (event) => session.tell(event),
      ask: (sender, question) =>
        this.room.passTo([sender], { kind: "pull", client: session.id, ...question }, this.account),
    });
    this.#receiver.offered(offer);
  }

  /** Tells the session that the name `wanted` was taken and which one it has instead. */
  tellTakenName(wanted: string): void {
    const { session, room } = this;
    if (this.#name === wanted) return;
    const text = session.isV1
      ? `The name "${wanted}" is taken here, so you are "${this.#name}".`
      : `The name "${wanted}" is taken in "${room.title}", so you are "${this.#name}" there.`;
    session.tell({ kind: "notice", room: room.id, text });
  }
}
