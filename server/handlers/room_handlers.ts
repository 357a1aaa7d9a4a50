// Joining rooms, leaving them, and what members set: their name, their away message, the topic.

import { LimitError } from "../../shared/base/errors.ts";
import {
  AWAY_TEXT_MAX_BYTES,
  SESSION_ROOMS_MAX,
  TOPIC_MAX_BYTES,
} from "../../shared/base/limits.ts";
import type { RequestId } from "../../shared/messages/ids.ts";
import { parseName, parseRoom } from "../../shared/text/names.ts";
import { allPlaced } from "../room/bus.ts";
import { answerDone, answerDoneOncePlaced, type HandlersOf, memberIn } from "./handler.ts";
import { checkBytes } from "../../shared/base/text_bytes.ts";
import type { Membership } from "../session/membership.ts";
import { excludeFrom, silence } from "../session/room_access.ts";
import type { Session } from "../session/session.ts";
import type { Room } from "../room/room.ts";

/** Handlers about rooms and their members. */
export const ROOM_HANDLERS: HandlersOf<"join" | "leave" | "rename" | "topic" | "status"> = {
  join(session, { id, title: wanted }) {
    const title = parseRoom(wanted);
    const { memberships } = session;
    if (memberships.some(({ room }) => room.title === title)) return answerDone(session, id);
    if (!session.isV1 && memberships.length >= SESSION_ROOMS_MAX) {
      throw new LimitError(
        `Cannot join another room: you are in ${SESSION_ROOMS_MAX}, the maximum`,
      );
    }
    // Opened before leaving: where that fails, the session stays where it is.
    const room = session.host.rooms.open(title, session.address);
    const previous = session.wantedName;
    whenReady(session, { id, room }, () => {
      if (session.host.session(session.id) !== session) return session.host.rooms.tidy(room);
      const excluded = excludeFrom(room, session, Date.now());
      if (excluded !== undefined) {
        session.host.rooms.tidy(room);
        return session.decline(id, `Cannot join the room "${title}": ${excluded.why}`);
      }
      // A v1 client is in one room at a time.
      if (session.isV1) memberships.forEach((membership) => session.leave(membership));
      const membership = session.enter(room);
      membership.announce(id);
      membership.tellTakenName(previous);
    });
  },

  leave(session, { id, room }) {
    session.leave(memberIn(session, room, "leave the room"));
    answerDone(session, id);
  },

  rename(session, { id, name: wanted }) {
    const name = parseName(wanted);
    const { speakable, tellOthers } = speakableRooms(session, "use the name");
    const taken = speakable.find((member) =>
      name !== member.name && member.room.isTaken(name, member)
    );
    if (taken !== undefined) {
      const where = session.isV1 ? "this room" : `"${taken.room.title}"`;
      throw new LimitError(
        `Cannot use the name "${name}": somebody in ${where} has it, or one that looks like it`,
      );
    }
    for (const member of speakable) member.noteSpeech();
    const answer = (happened: boolean) => {
      tellOthers();
      if (happened) answerDone(session, id);
      else session.decline(id, `Cannot use the name "${name}": somebody took it just now`);
    };
    const placed = allPlaced(session.rename(name, speakable));
    if (typeof placed === "boolean") answer(placed);
    else void session.requests.decideLater(id, placed, { again: true }).then(answer);
  },

  topic(session, { id, room, text }) {
    const member = memberIn(session, room, "set the topic");
    checkBytes(text, TOPIC_MAX_BYTES, "set the topic");
    const onRefused = (why: string) => session.decline(id, `Cannot set the topic: ${why}`);
    const topic = { kind: "topic", ...member.about(), text } as const;
    const placed = member.room.publish(topic, { onRefused });
    answerDoneOncePlaced(session, id, placed);
  },

  status(session, { id, text }) {
    if (text !== null) checkBytes(text, AWAY_TEXT_MAX_BYTES, "set the away message");
    const { speakable, tellOthers } = text === null
      ? { speakable: session.memberships, tellOthers() {} }
      : speakableRooms(session, "set the away message");
    if (text !== session.status) {
      session.status = text;
      for (const member of speakable) {
        if (text !== null) member.noteSpeech();
        member.room.publish({ kind: "status", ...member.about(), text });
      }
    }
    tellOthers();
    answerDone(session, id);
  },
};

/** Where something that all rooms of a session see can be seen. Throws LimitError where that is nowhere. */
function speakableRooms(
  session: Session,
  what: string,
): { readonly speakable: readonly Membership[]; readonly tellOthers: () => void } {
  const now = Date.now();
  const silenced = new Map<Membership, string>();
  for (const member of session.memberships) {
    const why = silence(member, now);
    if (why !== undefined) silenced.set(member, why);
  }
  const speakable = session.memberships.filter((member) => !silenced.has(member));
  const [first] = silenced.values();
  if (first !== undefined && speakable.length === 0) {
    throw new LimitError(`Cannot ${what}: ${first}`);
  }
  const tellOthers = () => {
    for (const [{ room }, why] of silenced) {
      session.tell({ kind: "notice", room: room.id, text: `Cannot ${what} in this room: ${why}` });
    }
  };
  return { speakable, tellOthers };
}

// Runs at once where there are no other servers.
function whenReady(
  session: Session,
  { id, room }: { readonly id: RequestId; readonly room: Room },
  next: () => void,
): void {
  if (room.ready === undefined) next();
  else void session.requests.decideLater(id, room.ready, { again: true }).then(next);
}
