// What those who moderate a room decided: its maker and the ops that the maker made. Who is out, who is silent, who may
// come in, how fast one may talk, and what is pinned. Follows from the room's events alone, so that several servers
// decide alike.

import type { ClientId } from "../../shared/messages/ids.ts";
import type { Event, EventOf, Moderation } from "../../shared/messages/messages_v2.ts";
import { OPS_MAX } from "../../shared/base/limits.ts";
import { pinText } from "../../shared/text/pin_text.ts";
import { MODERATED_MAX } from "../config/limits.ts";

/** Rules of one room. Times are ms since 1970. */
export interface RulesSnapshot {
  readonly maker: number;
  readonly ops: readonly number[];
  readonly present: number;
  readonly locked: boolean;
  readonly slow: number;
  readonly banned: readonly (readonly [client: number, ban: Ban])[];
  readonly muted: readonly (readonly [client: number, until: number])[];
  readonly pin: Pin;
}

/** A ban from a room. */
export interface Ban {
  /** ms since 1970. */
  readonly until: number;
  readonly name: string;
  /** Name of who decided it. */
  readonly by: string;
}

/** What is pinned; sequence 0 = nothing. */
export type Pin = Pick<EventOf<"pinned">, "sequence" | "author" | "authorName" | "text">;

/** Nothing is pinned. */
export const NO_PIN: Pin = { sequence: 0, author: 0, authorName: "", text: "" };

/** The refusal for somebody who does not moderate the room, as the end of a sentence. */
export const ONLY_MODERATORS = "only the maker of the room and its ops can do that";

/** Decisions about members, from which those who moderate are safe: not even the maker is made to leave by an op. */
const AGAINST: ReadonlySet<Moderation> = new Set(["kick", "ban", "mute"]);

/** Follows a room's events. */
export class RoomRules {
  #maker = 0;
  #present = 0;
  #locked = false;
  #slow = 0;
  #ops = new Set<number>();
  #pin = NO_PIN;
  #banned = new Map<number, Ban>();
  #muted = new Map<number, number>();

  /** The client that made the room; 0 = it is gone, and only its ops can moderate. */
  get maker(): number {
    return this.#maker;
  }

  /** The clients that the maker made ops. */
  get ops(): number[] {
    return [...this.#ops];
  }

  /** What is pinned. */
  get pin(): Pin {
    return this.#pin;
  }

  /** The bans that run at `now`, oldest first. */
  bans(now: number): (Ban & { readonly client: number })[] {
    return [...this.#banned].flatMap(([client, ban]) =>
      ban.until > now ? [{ client, ...ban }] : []
    );
  }

  /** The ban of `client`, which may be over; undefined where there is none. */
  banOf(client: ClientId): Ban | undefined {
    return this.#banned.get(client);
  }

  /** Whether `client` moderates the room: its maker, or an op. */
  moderates(client: ClientId): boolean {
    return client !== 0 && (client === this.#maker || this.#ops.has(client));
  }

  /**
   * Why `client` may not decide that about `whom`, as the end of a sentence; undefined where it may. Ops do all but make
   * ops and decide against those who moderate.
   */
  objection(
    client: ClientId,
    { what, whom }: Pick<EventOf<"moderated">, "what" | "whom">,
  ): string | undefined {
    if (!this.moderates(client)) return ONLY_MODERATORS;
    if (what === "op" && this.moderates(whom)) return "that member moderates the room already";
    if (what === "op" && this.#ops.size >= OPS_MAX) return `it has ${OPS_MAX} ops, the maximum`;
    if (what === "deop" && !this.#ops.has(whom)) return "that member is not an op of the room";
    if (client === this.#maker || (what === "deop" && whom === client)) return undefined;
    if (what === "op" || what === "deop") return "only the maker of the room can do that";
    return AGAINST.has(what) && this.moderates(whom)
      ? "nobody can do that to the maker, and only the maker to an op"
      : undefined;
  }

  /** Whether nobody may come in. */
  get locked(): boolean {
    return this.#locked;
  }

  /** Seconds between two messages of one member; 0 = no rule. */
  get slow(): number {
    return this.#slow;
  }

  /** All of it, for another server. */
  get snapshot(): RulesSnapshot {
    return {
      maker: this.#maker,
      ops: this.ops,
      pin: this.#pin,
      present: this.#present,
      locked: this.#locked,
      slow: this.#slow,
      banned: [...this.#banned],
      muted: [...this.#muted],
    };
  }

  set snapshot({ maker, ops, present, locked, slow, banned, muted, pin }: RulesSnapshot) {
    this.#maker = maker;
    this.#ops = new Set(ops);
    this.#pin = pin;
    this.#present = present;
    this.#locked = locked;
    this.#slow = slow;
    this.#banned = new Map(banned);
    this.#muted = new Map(muted);
  }

  /** Takes an event of the room into account. */
  take(event: Event): void {
    if (event.kind === "joined") {
      // A client that finds the room empty makes it; the old protocol has no messages for moderation.
      if (this.#present++ === 0 && !event.old) this.#maker = event.client;
    } else if (event.kind === "left") {
      if (--this.#present === 0) this.#pin = NO_PIN;
      this.#endRights(event.client);
    } else if (event.kind === "moderated") this.#moderate(event);
    else if (event.kind === "pinned") {
      const { sequence, author, authorName, text } = event;
      this.#pin = sequence === 0 ? NO_PIN : { sequence, author, authorName, text };
    } else if (event.kind === "revised" && event.sequence === this.#pin.sequence) {
      this.#pin = event.text === null ? NO_PIN : { ...this.#pin, text: pinText(event.text) };
    }
  }

  /** Until when `client` is banned, as seen at `now`; undefined where it is not. */
  bannedUntil(client: number, now: number): number | undefined {
    return running(this.#banned.get(client)?.until, now);
  }

  /** Until when `client` is muted, as seen at `now`; undefined where it is not. */
  mutedUntil(client: number, now: number): number | undefined {
    return running(this.#muted.get(client), now);
  }

  // A lock and a slow mode concern everybody: they end where nobody could end them any more. Bans and mutes stay.
  #endRights(client: ClientId): void {
    if (!this.moderates(client)) return;
    if (client === this.#maker) this.#maker = 0;
    this.#ops.delete(client);
    if (this.#maker !== 0 || this.#ops.size > 0) return;
    this.#locked = false;
    this.#slow = 0;
  }

  #moderate({ what, whom, whomName, name: by, seconds, time }: EventOf<"moderated">): void {
    const until = seconds === 0 ? Infinity : time + seconds * 1_000;
    switch (what) {
      case "kick":
        return;
      case "ban":
        return note(this.#banned, whom, { until, name: whomName, by });
      case "unban":
        return void this.#banned.delete(whom);
      case "mute":
        return note(this.#muted, whom, until);
      case "unmute":
        return void this.#muted.delete(whom);
      case "lock":
      case "unlock":
        this.#locked = what === "lock";
        return;
      case "slow":
        this.#slow = seconds;
        return;
      case "op":
        if (this.#ops.size < OPS_MAX) this.#ops.add(whom);
        return;
      case "deop":
        return this.#endRights(whom);
    }
  }
}

function running(until: number | undefined, now: number): number | undefined {
  return until !== undefined && until > now ? until : undefined;
}

// The oldest decision gives way: a maker must not fill the server's memory.
function note<T>(map: Map<number, T>, client: ClientId, decision: T): void {
  map.delete(client);
  map.set(client, decision);
  if (map.size > MODERATED_MAX) map.delete(map.keys().next().value as number);
}
