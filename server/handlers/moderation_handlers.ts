// The maker of a room decides.

import { LimitError, UsageError } from "../../shared/base/errors.ts";
import { type Moderation, type RequestOf } from "../../shared/messages/messages_v2.ts";
import { durationText } from "../../shared/messages/moderation_text.ts";
import { whenPlaced } from "../room/memory_bus.ts";
import { answerDone, type HandlersOf, memberIn } from "./handler.ts";
import type { Membership } from "../session/membership.ts";
import type { Room } from "../room/room.ts";
import type { Session } from "../session/session.ts";

/** What is about the room and not about somebody. */
const ABOUT_ROOM: ReadonlySet<Moderation> = new Set(["lock", "unlock", "slow"]);

/** Handlers of moderation. */
export const MODERATION_HANDLERS: HandlersOf<"moderate"> = {
  moderate(session, request) {
    const { id, room, what, whom, seconds, text } = request;
    const member = memberIn(session, room, `${what} anybody`);
    if (member.room.rules.maker !== session.id) {
      throw new LimitError(`Cannot ${what}: only who made the room can do that`);
    }
    const about = { request: id, what, whom, whomName: nameOf(member, request), seconds, text };
    if (what === "unban") session.relay.addressBans.lift(member.room.title);
    const audited = { by: session.id, what, ...(ABOUT_ROOM.has(what) ? {} : { client: whom }) };
    session.relay.log.info("audit", { ...audited, seconds, room: `open:${room}` });
    const placed = member.room.publish({ kind: "moderated", ...member.about(), ...about });
    whenPlaced(placed, () => answerDone(session, id));
  },
};

// Who is banned is not here any more, and is known by what the event of the ban said.
function nameOf(member: Membership, { what, whom }: RequestOf<"moderate">): string {
  if (ABOUT_ROOM.has(what)) return "";
  if (whom === member.id) throw new UsageError(`Cannot ${what} yourself`);
  const name = member.room.nameOf(whom);
  if (name !== undefined) return name;
  if (what === "unban") return "somebody";
  throw new LimitError(`Cannot ${what}: nobody of that number is in the room`);
}

/** Refuses what a member who is silenced, or said something just now in a slow room, wants to say. */
export function checkSilence(member: Membership, what: string): void {
  const why = silence(member, Date.now());
  if (why !== undefined) throw new LimitError(`Cannot ${what}: ${why}`);
}

function silence(member: Membership, now: number): string | undefined {
  const { rules } = member.room;
  const muted = rules.mutedUntil(member.id, now);
  if (muted !== undefined) return `you are silenced here${untilText(muted, now)}`;
  const wait = member.saidAt + rules.slow * 1_000 - now;
  if (rules.maker === member.id || rules.slow === 0 || wait <= 0) return undefined;
  return `this room is slow: wait ${durationText(Math.ceil(wait / 1_000))}`;
}

/** Why a client may not come into a room at `now`, ms since 1970; undefined where it may. `id` 0: it is new. */
export function exclusion(
  { rules, title }: Room,
  { id, address, relay }: Pick<Session, "id" | "address" | "relay">,
  now: number,
): string | undefined {
  const until = rules.bannedUntil(id, now) ?? relay.addressBans.until(title, address, now);
  if (until !== undefined) return `you are banned from it${untilText(until, now)}`;
  return rules.locked ? "it is locked" : undefined;
}

function untilText(until: number, now: number): string {
  const seconds = Math.ceil((until - now) / 1_000);
  return seconds > 10 * 365 * 86_400 ? "" : ` for another ${durationText(seconds)}`;
}
