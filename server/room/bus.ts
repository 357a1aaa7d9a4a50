// What a room needs from its bus: one order for all events, and delivery to the members.

import type { ClientId } from "../../shared/messages/ids.ts";
import type { EventOf, MemberState } from "../../shared/messages/messages_v2.ts";
import type { BudgetAccount } from "../limits/fair_budget.ts";
import { EncodedEvent } from "../delivery/encoded_event.ts";
import type { MissedEvents } from "./recent_events.ts";
import type { Backlog } from "./backlog.ts";
import type { RoomRules } from "./room_rules.ts";

type WithoutPosition<E> = E extends unknown ? Omit<E, "at" | "sequence"> : never;

/** A chat before it has its position and sequence; the sequence of a `revised` or `reacted` is that of the chat it is about. */
export type Chat = WithoutPosition<EventOf<"chat">>;

type Placeable<E> = E extends unknown ? Omit<E, "at"> : never;

/** Events that have a position in a room's order, before the bus gives it to them. */
export type PlacedEvent =
  | Chat
  | Placeable<
    EventOf<
      | "joined"
      | "left"
      | "renamed"
      | "away"
      | "back"
      | "revised"
      | "reacted"
      | "topic"
      | "status"
      | "moderated"
      | "pinned"
      | "backlog"
    >
  >;

/** Events of a room without a position. */
export type PassingEvent = EventOf<
  "offer" | "chunk" | "typing" | "pull" | "receipt" | "proof_asked" | "proof"
>;

/** On whose account a member asks for something: its source, and how many members there share it. */
export interface AskingAccount {
  /** An address, or the /64 of an IPv6 one. */
  readonly source: string;
  readonly sharers: number;
}

/** The receivers of an event: all but one, or one alone, and the `account` that pays; undefined = all. */
export type Audience =
  | { readonly except: number }
  | { readonly only: number; readonly account?: AskingAccount | undefined }
  | undefined;

/**
 * The position of an event: now, or when the bus knows it. 0 = the event had become impossible or had happened before;
 * undefined = the bus refused it, and said why.
 */
export type Position = number | Promise<number | undefined>;

/** What a publisher needs besides the position. */
export interface PublishOptions {
  /** Told why the bus refuses the event: the end of a sentence. */
  readonly onRefused?: (why: string) => void;
  /** The event restores a member that other servers believe gone: it goes before all that waits. */
  readonly isFirst?: boolean;
}

/** Somebody in a room, on whichever server. */
export interface Occupant {
  readonly client: ClientId;
  readonly name: string;
  readonly state: MemberState;
  /** When it came, ms since 1970. */
  readonly since: number;
  /** What it says about being away; null = nothing. */
  readonly status: string | null;
  /** The highest number of a request of theirs that became an event: tells repeats. */
  readonly request: number;
  /** When it said or set something last that others read, ms since 1970; 0 = never. */
  readonly spokeAt: number;
}

/** What is known of a room on all servers together. */
export interface SharedView {
  readonly topic: string;
  readonly rules: RoomRules;
  /** What is kept for newcomers. */
  readonly backlog: Backlog;
  /** In the order in which they came. */
  readonly occupants: readonly Occupant[];
  /** Number of occupants. */
  readonly size: number;
  /** Client number `client`; undefined where it is not in the room. */
  of(client: ClientId): Occupant | undefined;
  /** The client that has this name or a lookalike of it. */
  holder(nameKey: string): number | undefined;
}

/** What a room is to its bus. */
export interface ChannelOptions {
  /** The room's number on this server. */
  readonly room: number;
  /** The room's name, by which all servers know it. */
  readonly title: string;
  /** How long events are kept for members that come back; 0 = not at all. */
  readonly memoryMs: number;
  /** Who pays for what is kept, and the budget of all rooms. */
  readonly memory: BudgetAccount;
  /** How many lines are kept for newcomers where nobody has said otherwise; absent: none. */
  readonly backlog?: number | undefined;
  /** Takes each event as it comes back. */
  readonly deliver: (broadcast: EncodedEvent, audience?: Audience) => void;
  /** The order was lost and begins again: others may not know what was delivered last, and the other way round. */
  readonly onBreak: () => void;
}

/** One room on a bus. */
export interface Channel {
  /** The position of the last event that was delivered. */
  readonly at: number;
  /** Resolves when it is known what happened on other servers; undefined where there are none. */
  readonly ready: Promise<void> | undefined;
  /** The room on all servers together. */
  readonly view: SharedView;
  publish(event: PlacedEvent, options?: PublishOptions): Position;
  pass(event: PassingEvent, audience?: Audience): void;
  /** What happened after position `seen`, as far as it is kept. */
  missed(seen: number): MissedEvents;
  /** Forgets what is older at `now` than it may be kept: a quiet room has no event that does it. */
  forgetOld(now: number): void;
  /** The room is gone from this server. */
  close(): void;
}

/** Where rooms get their channels. */
export interface Bus {
  open(options: ChannelOptions): Channel;
  /** The number after which this server's clients are numbered: no two servers give the same. */
  readonly firstClient: number;
}

/** Runs `next` when `position` is known: at once where it is; never where the bus refused the event. */
export function whenPlaced(position: Position, next: (position: number) => void): void {
  if (typeof position === "number") next(position);
  else void position.then((placed) => placed === undefined ? undefined : next(placed));
}

/** Whether all of the events happened: at once where all positions are known. */
export function allPlaced(positions: readonly Position[]): boolean | Promise<boolean> {
  const judge = (known: readonly (number | undefined)[]) =>
    known.every((position) => position !== undefined && position > 0);
  return positions.every((position) => typeof position === "number")
    ? judge(positions)
    : Promise.all(positions).then(judge);
}
