// The client's knowledge of one room.

import type { AnyClientId, AnyRoomId } from "../base/local_ids.ts";
import type { SealStatus } from "../sealed_engine/engine_protocol.ts";
import { Reactions } from "./reactions.ts";
import type { SequenceNumber } from "../../shared/messages/ids.ts";
import { Bans } from "./bans.ts";
import { HeardMessages, RecentMessages } from "./recent_messages.ts";
import { MEMBERS_MAX, Roster, type RosterEntry } from "./roster.ts";

/** Who moderates a room: who made it, and whom that one made an op. */
export type Rank = "maker" | "op";

/** A pinned message. `author` and `text` are NOT sanitized. */
export interface Pin {
  readonly sequence: SequenceNumber;
  readonly author: string;
  readonly text: string;
}

/** A room that the user is in. Its texts come from the server and its members, NOT sanitized. */
export class JoinedRoom {
  readonly title: string;
  /** Whether only its members can read it. */
  readonly isSealed: boolean;
  /** The state of a sealed room; undefined before the engine has reported it. */
  seal: SealStatus | undefined;
  readonly roster = new Roster();
  readonly said = new RecentMessages();
  readonly reactions = new Reactions();
  /** What names it in this session; undefined while the user is not in it. */
  id: AnyRoomId | undefined;
  /** The user's name in it, as the server gave it. */
  name: string;
  /** The name that the user asked for in a sealed room; in plain rooms it is one for all. */
  wantedName: string;
  /** The name that its link has; `title` is another one where the user is in a room of that name already. */
  linkTitle: string;
  /** The topic; empty if there is none. */
  topic = "";
  /** The client that made it and may moderate it; 0 = it has left, or the server does not tell. */
  maker: AnyClientId = 0;
  /** The clients that its maker made ops. */
  ops: ReadonlySet<AnyClientId> = new Set();
  /** How many lines the server keeps of it for newcomers; 0 = none. */
  backlog = 0;
  /** Whether nobody else can join; of a plain room. */
  isLocked = false;
  /** Which messages were shown, by number and time: a client that comes in again is told some of them once more. */
  readonly heard = new HeardMessages();
  /** What is pinned; its texts are NOT sanitized. */
  pin: Pin | undefined;
  /** Whether the user made it and was not told yet what that is good for: alone, for nothing. */
  isMakerNews = false;
  /** Who is banned, as far as this client was told. */
  readonly bans = new Bans();
  /** Position of the last event that arrived. */
  seen = 0;
  /** Somebody of a plain room whose device key is not the one that the user knows; undefined: nobody. */
  suspect: string | undefined;
  /** Whether nothing is said here just now, since that was noticed a moment ago. */
  isStopped = false;
  /** Whether the user moderated it when the server told of that last. */
  isModerated = false;
  /** Who was removed just now: that they are gone is no further news. */
  removed: AnyClientId | undefined;
  /** Messages that came while another room was current, and how many of them mention the user. */
  unread = 0;
  mentions = 0;
  /** Messages that were unread when the user came here last. */
  wasUnread = 0;
  #firstSight = true;
  #people: RosterEntry[] = [];

  constructor(title: string, name: string, isSealed = false) {
    this.title = title;
    this.isSealed = isSealed;
    this.name = name;
    this.wantedName = name;
    this.linkTitle = title;
  }

  /** True once after each join: the list of members is news. */
  takeFirstSight(): boolean {
    const first = this.#firstSight;
    this.#firstSight = false;
    return first;
  }

  /** Whether the list of members has not come yet since the join. */
  get isNew(): boolean {
    return this.#firstSight;
  }

  /** Takes a part of the list of members; true if it was the last part. */
  takeMembers(people: readonly RosterEntry[], more: boolean): boolean {
    // Bounded as it comes: a server may never send the last part.
    this.#people.push(...people.slice(0, MEMBERS_MAX - this.#people.length));
    if (more) return false;
    this.roster.replace(this.#people);
    this.#people = [];
    return true;
  }

  /** What a client of the room may decide there; undefined where that is nothing. */
  rankOf(client: AnyClientId): Rank | undefined {
    if (client === 0) return undefined;
    return client === this.maker ? "maker" : this.ops.has(client) ? "op" : undefined;
  }

  /** Forgets members and messages for a new join. */
  startAnew(): void {
    this.roster.clear();
    this.said.clear();
    this.reactions.clear();
    this.#people = [];
    this.bans.clear();
    this.suspect = undefined;
    // In another session the numbers mean others.
    this.maker = 0;
    this.ops = new Set();
    this.removed = undefined;
    this.#firstSight = true;
  }
}
