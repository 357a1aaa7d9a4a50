// What the client knows of one room.

import type { SealStatus } from "../sealed_engine/engine_protocol.ts";
import { RecentMessages } from "./recent_messages.ts";
import { Roster, type RosterEntry } from "./roster.ts";

/** One room of ours. Its texts are the server's and its members': NOT sanitized. */
export class JoinedRoom {
  readonly title: string;
  /** Whether only its members can read it: then its number is our own, and below zero. */
  readonly isSealed: boolean;
  /** How a sealed room is; undefined before anything is known of it. */
  seal: SealStatus | undefined;
  readonly roster = new Roster();
  readonly said = new RecentMessages();
  /** Its number in this session; undefined while we are not in it. */
  number: number | undefined;
  /** Our name in it, as the server gave it. */
  name: string;
  /** What it is about; empty where nobody said. */
  topic = "";
  /** The client that made it and may moderate it; 0 = it is gone, or the server does not tell. */
  maker = 0;
  /** Whom we banned, by the name that they had: their number is what a ban is lifted by. */
  readonly banned = new Map<string, number>();
  /** Place of the last of its events that we have. */
  seen = 0;
  /** Messages that came while another room was the current one, and how many of them name us. */
  unread = 0;
  mentions = 0;
  #firstSight = true;
  #people: RosterEntry[] = [];

  constructor(title: string, name: string, isSealed = false) {
    this.title = title;
    this.isSealed = isSealed;
    this.name = name;
  }

  /** Whether who is here is news; once for each time that we come in. */
  takeFirstSight(): boolean {
    const first = this.#firstSight;
    this.#firstSight = false;
    return first;
  }

  /** Whether we came in anew and have not been told who is here. */
  get isNew(): boolean {
    return this.#firstSight;
  }

  /** A part of who is here; true where it was the last one. */
  takeMembers(people: readonly RosterEntry[], more: boolean): boolean {
    this.#people.push(...people);
    if (more) return false;
    this.roster.replace(this.#people);
    this.#people = [];
    return true;
  }

  /** Nothing is known of who is here: we come in anew. */
  startAnew(): void {
    this.roster.clear();
    this.said.clear();
    this.#people = [];
    this.#firstSight = true;
  }
}
