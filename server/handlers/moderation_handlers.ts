// What the maker of a room decides about it and its members.

import { LimitError, UsageError } from "../../shared/base/errors.ts";
import type { Moderation, RequestOf } from "../../shared/messages/messages_v2.ts";
import { whenPlaced } from "../room/bus.ts";
import { answerDone, type HandlersOf, memberIn } from "./handler.ts";
import type { Membership } from "../session/membership.ts";

/** Decisions about the room and not about a member. */
const ABOUT_ROOM: ReadonlySet<Moderation> = new Set(["lock", "unlock", "slow"]);

/** Handlers of moderation. */
export const MODERATION_HANDLERS: HandlersOf<"moderate"> = {
  moderate(session, request) {
    const { id, room, what, whom, seconds, text } = request;
    const member = memberIn(session, room, `${what} anybody`);
    if (member.room.rules.maker !== session.id) {
      throw new LimitError(`Cannot ${what}: only its maker can do that`);
    }
    const whomName = nameOf(member, request);
    if (what === "unban") session.host.roomBans.lift(member.room.title);
    session.host.log.info("audit", {
      by: session.id,
      what,
      ...(ABOUT_ROOM.has(what) ? {} : { client: whom }),
      seconds,
      room: `open:${room}`,
    });
    const placed = member.room.publish({
      kind: "moderated",
      ...member.about(),
      request: id,
      what,
      whom,
      whomName,
      seconds,
      text,
    }, { onRefused: (why) => session.decline(id, `Cannot ${what}: ${why}`) });
    whenPlaced(placed, () => answerDone(session, id));
  },
};

// A banned client is not in the room any more; its name was in the event of the ban.
function nameOf(member: Membership, { what, whom }: RequestOf<"moderate">): string {
  if (ABOUT_ROOM.has(what)) return "";
  if (whom === member.id) throw new UsageError(`Cannot ${what} yourself`);
  const name = member.room.nameOf(whom);
  if (name !== undefined) return name;
  if (what === "unban") return "somebody";
  throw new LimitError(`Cannot ${what}: no member has that number`);
}
