// Who may come into a room and who may speak there.

import { LimitError } from "../../shared/base/errors.ts";
import { durationText } from "../../shared/text/duration.ts";
import type { RoomBans } from "../limits/room_bans.ts";
import type { Room } from "../room/room.ts";
import type { Membership } from "./membership.ts";

/** Refuses what a member wants to say who is muted, or who spoke just now in a slow room. Throws LimitError. */
export function checkSilence(member: Membership, what: string): void {
  const why = silence(member, Date.now());
  if (why !== undefined) throw new LimitError(`Cannot ${what}: ${why}`);
}

function silence(member: Membership, now: number): string | undefined {
  const { rules } = member.room;
  const muted = rules.mutedUntil(member.id, now);
  if (muted !== undefined) return `you are silenced here${untilText(muted, now)}`;
  const wait = member.lastSpokeAt + rules.slow * 1_000 - now;
  if (rules.maker === member.id || rules.slow === 0 || wait <= 0) return undefined;
  return `this room is slow: wait ${durationText(Math.ceil(wait / 1_000))}`;
}

/** Who wants to come into a room. */
export interface Newcomer {
  /** Its client number; 0 where it has none yet. */
  readonly id: number;
  readonly address: string;
  readonly host: { readonly roomBans: RoomBans };
}

/** Why a client may not come into a room at `now`, ms since 1970; undefined where it may. */
export function exclusion(
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
