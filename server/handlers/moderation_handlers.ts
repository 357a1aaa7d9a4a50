// What the maker of a room and its ops decide about it and its members.

import type { RoomId } from "../../shared/messages/ids.ts";
import { LimitError, UsageError } from "../../shared/base/errors.ts";
import { MEMBERS_PART_MAX, TIME_MAX_MS } from "../../shared/base/limits.ts";
import type { EventOf, Moderation, RequestOf } from "../../shared/messages/messages_v2.ts";
import { pinText } from "../../shared/text/pin_text.ts";
import { NO_PIN, ONLY_MODERATORS } from "../room/room_rules.ts";
import { answerDone, answerDoneOncePlaced, type HandlersOf, memberIn } from "./handler.ts";
import type { Membership } from "../session/membership.ts";
import type { Session } from "../session/session.ts";

/** Decisions about the room and not about a member. */
const ABOUT_ROOM: ReadonlySet<Moderation> = new Set(["lock", "unlock", "slow"]);

/** What is refused, in words. */
const DEEDS: Readonly<Record<Moderation, string>> = {
  kick: "kick",
  ban: "ban",
  unban: "lift a ban",
  mute: "mute",
  unmute: "unmute",
  lock: "lock the room",
  unlock: "unlock the room",
  slow: "slow the room down",
  op: "make an op",
  deop: "take an op's rights away",
};

/** Handlers of moderation. */
export const MODERATION_HANDLERS: HandlersOf<"moderate" | "pin" | "bans" | "backlog"> = {
  moderate(session, request) {
    const { id, room, what, whom, seconds, text } = request;
    const deed = DEEDS[what];
    const member = moderatorIn(session, room, deed);
    const whomName = nameOf(member, request);
    const objection = member.room.rules.objection(session.id, request);
    if (objection !== undefined) throw new LimitError(`Cannot ${deed}: ${objection}`);
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
    }, { onRefused: (why) => session.decline(id, `Cannot ${deed}: ${why}`) });
    answerDoneOncePlaced(session, id, placed);
  },

  pin(session, { id, room, sequence, authorName: name, text }) {
    const member = moderatorIn(session, room, "pin the message");
    const { rules, authors } = member.room;
    const author = authors.of(sequence) ?? 0;
    if (sequence > 0 && !authors.says({ sequence, name, text })) {
      throw new LimitError(
        `Cannot pin message ${sequence}: it says something else now, or is older than the server ` +
          "remembers",
      );
    }
    if (sequence === 0 && rules.pin.sequence === 0) {
      throw new LimitError("Cannot remove the pin: nothing is pinned");
    }
    const pin = sequence === 0
      ? NO_PIN
      : { sequence, author, authorName: name, text: pinText(text) };
    const placed = member.room.publish(
      { kind: "pinned", ...member.about(), request: id, ...pin },
      { onRefused: (why) => session.decline(id, `Cannot pin the message: ${why}`) },
    );
    answerDoneOncePlaced(session, id, placed);
  },

  backlog(session, { id, room, lines }) {
    const member = moderatorIn(session, room, "set the backlog");
    session.host.log.info("audit", {
      by: session.id,
      what: "backlog",
      lines,
      room: `open:${room}`,
    });
    const placed = member.room.publish(
      { kind: "backlog", ...member.about(), request: id, lines },
      { onRefused: (why) => session.decline(id, `Cannot set the backlog: ${why}`) },
    );
    answerDoneOncePlaced(session, id, placed);
  },

  bans(session, { id, room }) {
    const { rules } = moderatorIn(session, room, "list the bans").room;
    const all = rules.bans(Date.now()).map((
      { client, name, until, by },
    ): EventOf<"bans">["list"][number] => [client, name, until > TIME_MAX_MS ? 0 : until, by]);
    for (let at = 0; at < all.length || at === 0; at += MEMBERS_PART_MAX) {
      const end = at + MEMBERS_PART_MAX;
      session.tell({ kind: "bans", room, list: all.slice(at, end), more: end < all.length });
    }
    answerDone(session, id);
  },
};

/** The own membership of a room that the session moderates. Throws LimitError. */
function moderatorIn(session: Session, room: RoomId, what: string): Membership {
  const member = memberIn(session, room, what);
  if (member.room.rules.moderates(session.id)) return member;
  throw new LimitError(`Cannot ${what}: ${ONLY_MODERATORS}`);
}

// A banned client is not in the room any more; its name was in the event of the ban.
function nameOf(member: Membership, { what, whom }: RequestOf<"moderate">): string {
  if (ABOUT_ROOM.has(what)) return "";
  const { room } = member;
  if (whom === member.id && what !== "deop") throw new UsageError(`Cannot ${what} yourself`);
  if (what === "unban") return room.rules.banOf(whom)?.name ?? "somebody";
  const occupant = room.view.of(whom);
  if (occupant === undefined) {
    throw new LimitError(`Cannot ${DEEDS[what]}: no member has that number`);
  }
  if (what === "op" && occupant.state === "old") {
    throw new LimitError(`Cannot ${DEEDS[what]}: an old client cannot moderate`);
  }
  return occupant.name;
}
