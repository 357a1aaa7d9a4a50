// What a client says to a room or to one other client, and its changes to earlier messages.

import type { ClientId, RequestId } from "../../shared/messages/ids.ts";
import { LimitError } from "../../shared/base/errors.ts";
import { TYPING_QUIET_MS } from "../../shared/base/limits.ts";
import { isReaction } from "../../shared/text/reaction.ts";
import type { EventOf } from "../../shared/messages/messages_v2.ts";
import { answerOncePlaced, type HandlersOf, memberIn } from "./handler.ts";
import { checkBytes } from "../../shared/base/text_bytes.ts";
import type { Membership } from "../session/membership.ts";
import { mute } from "../session/room_access.ts";
import type { Session } from "../session/session.ts";
import type { SessionRef } from "../session/session_host.ts";

/** Handlers of messages. */
export const CHAT_HANDLERS: HandlersOf<"chat" | "revise" | "react" | "direct" | "typing"> = {
  chat(session, { id, room, text, action, reply }) {
    const member = memberIn(session, room, "send the message");
    checkText(session, text, "send the message");
    const onRefused = (why: string) => session.decline(id, `Cannot send the message: ${why}`);
    const chat = { kind: "chat", ...member.about(), request: id, text, action, reply } as const;
    answerOncePlaced(session, id, member.room.publish(chat, { onRefused }));
  },

  revise(session, { id, room, sequence, text }) {
    const member = memberIn(session, room, "change the message");
    if (text !== null) checkText(session, text, "change the message");
    if (member.room.authors.of(sequence) !== session.id) {
      throw new LimitError(
        `Cannot change message ${sequence}: it is not yours, or older than the server remembers`,
      );
    }
    if (text === null) member.room.authors.forget(sequence);
    const onRefused = (why: string) => session.decline(id, `Cannot change the message: ${why}`);
    const revised = { kind: "revised", ...member.about(), request: id, sequence, text } as const;
    answerOncePlaced(session, id, member.room.publish(revised, { onRefused }));
  },

  react(session, { id, room, sequence, emoji, on }) {
    const member = memberIn(session, room, "react");
    if (!isReaction(emoji)) throw new LimitError("Cannot react: a reaction is one emoji");
    if (member.room.authors.of(sequence) === undefined) {
      throw new LimitError(
        `Cannot react to message ${sequence}: it is deleted, or older than the server remembers`,
      );
    }
    const onRefused = (why: string) => session.decline(id, `Cannot react: ${why}`);
    const about = { ...member.about(), request: id, sequence } as const;
    answerOncePlaced(
      session,
      id,
      member.room.publish({ kind: "reacted", ...about, emoji, on }, { onRefused }),
    );
  },

  direct(session, { id, to, text }) {
    checkText(session, text, "send the direct message");
    const other = session.host.session(to);
    if (other === undefined && directElsewhere(session, { id, to, text })) return;
    const ends = other === undefined ? undefined : commonRoom(session, other);
    // One answer for "gone" and for "in no room of yours": numbers must not tell who is on the server.
    if (other === undefined || ends === undefined) {
      throw new LimitError("Cannot send the direct message: its receiver is not here any more");
    }
    const { own, theirs } = ends;
    checkMute(own);
    const about = { room: own.room.id, ...own.about(), to, toName: theirs.name };
    const direct: EventOf<"direct"> = { kind: "direct", ...about, request: id, text };
    if (!other.tellSurely(direct)) {
      throw new LimitError(
        "Cannot send the direct message: its receiver lost the connection, and too much waits for it",
      );
    }
    if (other !== session) session.tell(direct);
  },

  typing(session, { room }) {
    const member = session.membership(room);
    const now = performance.now();
    // It may arrive after the session left, and more often than is useful: neither needs an answer.
    if (member === undefined || now < member.typingQuietUntil) return;
    member.typingQuietUntil = now + TYPING_QUIET_MS;
    const { client, name } = member.about();
    member.room.pass({ kind: "typing", client, name }, member);
  },
};

/** Sends it by way of the other servers; false where no room of the session's has that client. */
function directElsewhere(
  session: Session,
  { id, to, text }: { readonly id: RequestId; readonly to: ClientId; readonly text: string },
): boolean {
  const { cluster } = session.host;
  const own = unmutedFirst(session).find(({ room }) => room.nameOf(to) !== undefined);
  const toName = own?.room.nameOf(to);
  if (cluster === undefined || own === undefined || toName === undefined) return false;
  checkMute(own);
  const about = { room: own.room.id, ...own.about(), to, toName };
  const direct: EventOf<"direct"> = { kind: "direct", ...about, request: id, text };
  const sending = cluster.direct(direct, own.room.title);
  void session.requests.decideLater(id, sending).then((taken) => {
    if (taken) return session.tell(direct);
    session.decline(id, "Cannot send the direct message: its receiver cannot be reached now");
  });
  return true;
}

/** The rooms of a session; those where it is muted last, so that it may speak to whom it meets elsewhere. */
function unmutedFirst({ memberships }: Session): readonly Membership[] {
  const now = Date.now();
  return memberships.toSorted((a, b) => Number(a.mutedUntil > now) - Number(b.mutedUntil > now));
}

function checkMute(own: Membership): void {
  const why = mute(own, Date.now());
  if (why !== undefined) {
    throw new LimitError(`Cannot send the direct message in "${own.room.title}": ${why}`);
  }
}

function checkText(session: Session, text: string, what: string): void {
  if (text === "") throw new LimitError(`Cannot ${what}: it is empty`);
  checkBytes(text, session.host.config["max-message"], what);
}

function commonRoom(
  session: Session,
  other: SessionRef,
): { readonly own: Membership; readonly theirs: Membership } | undefined {
  for (const own of unmutedFirst(session)) {
    const theirs = other.membership(own.room.id);
    if (theirs !== undefined) return { own, theirs };
  }
  return undefined;
}
