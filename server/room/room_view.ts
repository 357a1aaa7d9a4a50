// What is known of one room: who is in it, its topic and its rules. It follows from the room's events alone, so that
// all servers that apply the same events in one order know the same. The one source of truth for members' lists.

import type { ClientId } from "../../shared/messages/ids.ts";
import { decode, encode } from "cborg";
import * as z from "zod/mini";
import { MODERATED_MAX } from "../config/limits.ts";
import { BACKLOG_MAX_LINES, OPS_MAX } from "../../shared/base/limits.ts";
import { type Event, MEMBER_STATES } from "../../shared/messages/messages_v2.ts";
import { nameKey, nextFreeName } from "../../shared/text/names.ts";
import type { Occupant, PlacedEvent, SharedView } from "./bus.ts";
import { Backlog } from "./backlog.ts";
import { RoomRules } from "./room_rules.ts";

const count = z.int().check(z.minimum(0));
const untils = z.array(z.tuple([count, count])).check(z.maxLength(MODERATED_MAX));
const bans = z.array(z.tuple([count, count, z.string(), z.string()])).check(
  z.maxLength(MODERATED_MAX),
);
const pin = z.tuple([count, count, z.string(), z.string()]);
const earlier = z.tuple([count, count, z.string(), count, z.string(), z.boolean(), count]);
const SNAPSHOT = z.tuple([
  count,
  count,
  z.string(),
  z.array(
    z.tuple([
      count,
      z.string(),
      z.enum(MEMBER_STATES),
      count,
      z.nullable(z.string()),
      count,
      count,
    ]),
  ),
  z.tuple([
    count,
    z.array(count).check(z.maxLength(OPS_MAX)),
    count,
    z.boolean(),
    count,
    bans,
    untils,
    pin,
  ]),
  z.tuple([
    count.check(z.maximum(BACKLOG_MAX_LINES)),
    z.array(earlier).check(z.maxLength(BACKLOG_MAX_LINES)),
  ]),
]);

/** Client number in events that the admin causes. */
export const ADMIN_CLIENT = 0;

type Changeable = { -readonly [K in keyof Occupant]: Occupant[K] };

/** Follows the events of one room. */
export class RoomView implements SharedView {
  /** The position of the last event. */
  at = 0;
  /** The sequence of the last chat. */
  sequence = 0;
  topic = "";
  readonly rules = new RoomRules();
  readonly backlog: Backlog;
  readonly #occupants = new Map<number, Changeable>();
  readonly #nameKeys = new Map<string, number>();

  constructor(backlog = new Backlog()) {
    this.backlog = backlog;
  }

  get occupants(): Occupant[] {
    return [...this.#occupants.values()];
  }

  get size(): number {
    return this.#occupants.size;
  }

  of(client: ClientId): Occupant | undefined {
    return this.#occupants.get(client);
  }

  holder(key: string): number | undefined {
    return this.#nameKeys.get(key);
  }

  /**
   * The event as it can happen now, or undefined if it cannot: a taken name gets a suffix on joining and is refused on
   * renaming, and nobody leaves, loses the connection or comes back twice.
   */
  settle<E extends PlacedEvent>(event: E): E | undefined {
    const occupant = this.of(event.client);
    // The admin is not a client, and only servers can write the admin's number.
    if (event.kind === "moderated" && event.client === ADMIN_CLIENT) return event;
    switch (event.kind) {
      case "joined": {
        if (occupant !== undefined) return undefined;
        return { ...event, name: nextFreeName(event.name, (key) => this.#nameKeys.has(key)) };
      }
      case "renamed": {
        const holder = this.#nameKeys.get(nameKey(event.name));
        return occupant === undefined || (holder !== undefined && holder !== event.client)
          ? undefined
          : event;
      }
      case "away":
        return occupant?.state === "here" ? event : undefined;
      case "back":
        return occupant?.state === "away" ? event : undefined;
      case "chat":
      case "revised":
      case "reacted":
      case "moderated":
      case "pinned":
      case "backlog":
        return occupant === undefined || event.request <= occupant.request && event.request > 0 ||
            this.#hasNoRight(event)
          ? undefined
          : event;
      default:
        return occupant === undefined ? undefined : event;
    }
  }

  /** Applies an event, which has passed `settle` where several servers share the room. */
  apply(event: PlacedEvent): void {
    const { client, name } = event;
    this.rules.take(event as Event);
    if (event.kind === "topic") this.topic = event.text;
    this.#keepForLater(event);
    if (event.kind === "left") return this.#remove(client);
    if (event.kind === "joined") {
      const state = event.old ? "old" : "here";
      const since = event.time;
      return this.#put({ client, name, state, since, status: null, request: 0, spokeAt: 0 });
    }
    const occupant = this.#occupants.get(client);
    if (occupant !== undefined) this.#change(occupant, event);
  }

  /** The whole state as bytes. */
  encode(): Uint8Array {
    const occupants = this.occupants.map((
      { client, name, state, since, status, request, spokeAt },
    ) => [
      client,
      name,
      state,
      since,
      status,
      request,
      spokeAt,
    ]);
    const { maker, ops, present, locked, slow, banned, muted, pin } = this.rules.snapshot;
    const { sequence, author, authorName, text } = pin;
    const rules = [
      maker,
      ops,
      present,
      locked,
      slow,
      banned.map(([client, { until, name, by }]) => [client, finite(until), name, by]),
      muted.map(([client, until]) => [client, finite(until)]),
      [sequence, author, authorName, text],
    ];
    const { lines, all } = this.backlog;
    return encode([this.at, this.sequence, this.topic, occupants, rules, [lines, all]]);
  }

  /** Adopts the state of another server or process. Throws if the bytes are not a room's state. */
  adopt(bytes: Uint8Array): void {
    const [at, sequence, topic, occupants, rules, [lines, kept]] = SNAPSHOT.parse(decode(bytes));
    this.at = at;
    this.sequence = sequence;
    this.topic = topic;
    this.backlog.restore(lines, kept);
    const [maker, ops, present, locked, slow, bans, muted, pinned] = rules;
    const banned = bans.map(([client, until, name, by]) => [client, { until, name, by }] as const);
    const [pinSequence, author, authorName, text] = pinned;
    const pin = { sequence: pinSequence, author, authorName, text };
    this.rules.snapshot = { maker, ops, present, locked, slow, banned, muted, pin };
    this.#occupants.clear();
    this.#nameKeys.clear();
    for (const [client, name, state, since, status, request, spokeAt] of occupants) {
      this.#put({ client, name, state, since, status, request, spokeAt });
    }
  }

  #keepForLater(event: PlacedEvent): void {
    if (event.kind === "chat") {
      const { client, name, time, text, action, reply } = event;
      this.backlog.add([this.sequence, client, name, time, text, action, reply]);
    } else if (event.kind === "revised") this.backlog.revise(event.sequence, event.text);
    else if (event.kind === "backlog") this.backlog.keep(event.lines);
  }

  // In place: a busy room changes one of these with each chat.
  #change(occupant: Changeable, event: PlacedEvent): void {
    switch (event.kind) {
      case "renamed":
        this.#nameKeys.delete(nameKey(occupant.name));
        occupant.name = event.name;
        this.#nameKeys.set(nameKey(event.name), occupant.client);
        return;
      case "away":
        occupant.state = "away";
        return;
      case "back":
        occupant.state = "here";
        return;
      case "status":
        occupant.status = event.text;
        if (event.text !== null) occupant.spokeAt = event.time;
        return;
      case "topic":
        occupant.spokeAt = event.time;
        return;
      case "chat":
      case "revised":
        occupant.request = event.request;
        if (event.text !== null) occupant.spokeAt = event.time;
        return;
      case "reacted":
        occupant.request = event.request;
        occupant.spokeAt = event.time;
        return;
      case "moderated":
      case "pinned":
      case "backlog":
        occupant.request = event.request;
    }
  }

  // Somebody may have lost the right to it, or got it, at another server in between.
  #hasNoRight(event: PlacedEvent): boolean {
    if (event.kind === "moderated") {
      // An op that has left would never lose its rights, and a locked room would stay locked.
      const isGone = event.what === "op" && this.of(event.whom) === undefined;
      return isGone || this.rules.objection(event.client, event) !== undefined;
    }
    const isDecision = event.kind === "pinned" || event.kind === "backlog";
    return isDecision && !this.rules.moderates(event.client);
  }

  #put(occupant: Occupant): void {
    this.#occupants.set(occupant.client, occupant);
    this.#nameKeys.set(nameKey(occupant.name), occupant.client);
  }

  #remove(client: ClientId): void {
    const occupant = this.of(client);
    if (occupant === undefined) return;
    this.#occupants.delete(client);
    this.#nameKeys.delete(nameKey(occupant.name));
    if (this.#occupants.size === 0) this.backlog.end();
  }
}

// Canonical CBOR, as used here, has no infinity.
function finite(until: number): number {
  return Math.min(until, Number.MAX_SAFE_INTEGER);
}
