// The maker of a room decides.

import { LimitError, UsageError } from "../../shared/base/errors.ts";
import type { Moderation, RequestOf } from "../../shared/messages/messages_v2.ts";
import { whenPlaced } from "../room/bus.ts";
import { answerDone, type HandlersOf, memberIn } from "./handler.ts";
import type { Membership } from "../session/membership.ts";

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
