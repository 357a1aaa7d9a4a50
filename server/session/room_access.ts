// Who may come into a room and who may speak there. A mute and the pace of a slow room still apply to members that
// leave and come back, under any number and name.

import { LimitError } from "../../shared/base/errors.ts";
import { durationText } from "../../shared/text/duration.ts";
import type { DepartedMembers, Passer } from "../limits/departed_members.ts";
import type { RoomBans } from "../limits/room_bans.ts";
import type { SourceRate } from "../limits/source_rate.ts";
import type { Room } from "../room/room.ts";

/** A member, as far as it depends on whether it may speak. Times are ms since 1970. */
export interface Speaker {
  readonly id: number;
  readonly room: Room;
  readonly mutedUntil: number;
  readonly spokeAt: number;
}

/** Refuses what a member wants to say who is muted, or who spoke just now in a slow room. Throws LimitError. */
export function checkSilence(member: Speaker, what: string): void {
  const why = silence(member, Date.now());
  if (why !== undefined) throw new LimitError(`Cannot ${what}: ${why}`);
}

/** Why a member may not speak in its room at `now`, ms since 1970; undefined where it may. */
export function silence(member: Speaker, now: number): string | undefined {
  return mute(member, now) ?? slowness(member, now);
}

/** Why a member may not speak at all at `now`, in its room or to a member of it; undefined where it may. */
export function mute({ mutedUntil }: Speaker, now: number): string | undefined {
  return mutedUntil > now ? `you are muted here${untilText(mutedUntil, now)}` : undefined;
}

function slowness(member: Speaker, now: number): string | undefined {
  const { rules } = member.room;
  const wait = member.spokeAt + rules.slow * 1_000 - now;
  if (rules.moderates(member.id) || rules.slow === 0 || wait <= 0) return undefined;
  return `this room is slow: wait ${durationText(Math.ceil(wait / 1_000))}`;
}

/** A client that wants to come into a room. */
export interface Newcomer extends Passer {
  /** Its client number; 0 where it has none yet. */
  readonly id: number;
  readonly host: {
    readonly roomBans: RoomBans;
    readonly departed: DepartedMembers;
    /** How often one address may come into one room; undefined = as often as it likes. */
    readonly joinRate: SourceRate | undefined;
  };
}

/** Why somebody may not come in. */
export interface Exclusion {
  readonly why: string;
  /** It is over in a minute or so; nobody decided it about this client. */
  readonly isBrief: boolean;
}

/** Judges a client that wants to come into a room at `now`, ms since 1970; undefined where it comes in. */
export function excludeFrom(room: Room, newcomer: Newcomer, now: number): Exclusion | undefined {
  const decided = decision(room, newcomer, now);
  if (decided !== undefined) return { why: decided, isBrief: false };
  const { address, host } = newcomer;
  const wait = host.departed.joinWait(room.title, passerOf(room, newcomer, now), now);
  if (wait > 0) {
    const seconds = Math.ceil(wait / 1_000);
    const why = `somebody from your address is muted there: wait ${durationText(seconds)}`;
    return { why, isBrief: true };
  }
  if (host.joinRate?.take(address, performance.now(), `${room.title}\n`) !== false) {
    return undefined;
  }
  return { why: "too many joined from your address: wait a little", isBrief: true };
}

// A muted member was there before its mute; its own mute must not count against it as another member's.
function passerOf({ rules }: Room, newcomer: Newcomer, now: number): Passer {
  const { id, address, tokenName } = newcomer;
  const isMuted = rules.mutedUntil(id, now) !== undefined;
  return { address, tokenName, since: isMuted ? Infinity : newcomer.since };
}

function decision(
  { rules, title }: Room,
  { id, address, host }: Newcomer,
  now: number,
): string | undefined {
  const until = rules.bannedUntil(id, now) ?? host.roomBans.until(title, address, now);
  if (until !== undefined) return `you are banned from it${untilText(until, now)}`;
  return rules.locked ? "it is locked" : undefined;
}

function untilText(until: number, now: number): string {
  const seconds = Math.ceil((until - now) / 1_000);
  return seconds > 10 * 365 * 86_400 ? "" : ` for another ${durationText(seconds)}`;
}
