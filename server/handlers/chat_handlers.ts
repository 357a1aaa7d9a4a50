// What a client says: to a room, to one other client, and what it changes of that.

import { LimitError } from "../../shared/base/errors.ts";
import { TYPING_QUIET_MS } from "../../shared/base/limits.ts";
import type { EventOf } from "../../shared/messages/messages_v2.ts";
import { checkBytes, type HandlersOf, memberIn } from "./handler.ts";
import type { Membership } from "../session/membership.ts";
import { checkSilence } from "../session/room_access.ts";
import type { Session } from "../session/session.ts";

/** Handlers of what is said. */
export const CHAT_HANDLERS: HandlersOf<"chat" | "revise" | "direct" | "typing"> = {
  chat(session, { id, room, text, action, reply }) {
    const member = memberIn(session, room, "send the message");
    checkText(session, text, "send the message");
    checkSilence(member, "send the message");
    member.saidAt = Date.now();
    member.room.publish({ kind: "chat", ...member.about(), request: id, text, action, reply });
  },

  revise(session, { id, room, sequence, text }) {
    const member = memberIn(session, room, "change the message");
    if (text !== null) checkText(session, text, "change the message");
    if (text !== null) checkSilence(member, "change the message");
    if (member.room.authors.of(sequence) !== session.id) {
      throw new LimitError(
        `Cannot change message ${sequence}: it is not yours, or older than the server remembers`,
      );
    }
    if (text === null) member.room.authors.forget(sequence);
    member.room.publish({ kind: "revised", ...member.about(), request: id, sequence, text });
  },

  direct(session, { id, to, text }) {
    checkText(session, text, "send the direct message");
    const other = session.relay.session(to);
    if (other === undefined && directElsewhere(session, { id, to, text })) return;
    const ends = other === undefined ? undefined : commonRoom(session, other);
    // One answer for "gone" and for "in no room of yours": numbers must not tell who is on the server.
    if (other === undefined || ends === undefined) {
      throw new LimitError("Cannot send the direct message: its receiver is not here any more");
    }
    const direct: EventOf<"direct"> = {
      ...{ kind: "direct", room: ends.own.room.id, ...ends.own.about() },
      ...{ to, toName: ends.theirs.name, request: id, text },
    };
    if (!other.tellSurely(direct)) {
      throw new LimitError(
        "Cannot send the direct message: its receiver lost the link, and too much waits for it",
      );
    }
    if (other !== session) session.tell(direct);
  },

  typing(session, { room }) {
    const member = session.membership(room);
    const now = performance.now();
    // It may come behind one's own leave, and more often than it is of use: neither is worth a word.
    if (member === undefined || now < member.typingQuietUntil) return;
    member.typingQuietUntil = now + TYPING_QUIET_MS;
    const { client, name } = member.about();
    member.room.pass({ kind: "typing", client, name }, member);
  },
};

/** Sends it by way of the other servers; false where no room of the session's has that client. */
function directElsewhere(
  session: Session,
  { id, to, text }: { readonly id: number; readonly to: number; readonly text: string },
): boolean {
  const { cluster } = session.relay;
  const own = session.memberships.find(({ room }) => room.view?.of(to) !== undefined);
  const toName = own?.room.view?.of(to)?.name;
  if (cluster === undefined || own === undefined || toName === undefined) return false;
  const direct: EventOf<"direct"> = {
    ...{ kind: "direct", room: own.room.id, ...own.about(), to, toName, request: id, text },
  };
  void cluster.direct(direct, own.room.title).then((taken) => {
    if (taken) return session.tell(direct);
    session.decline(id, "Cannot send the direct message: its receiver cannot be reached now");
  });
  return true;
}

function checkText(session: Session, text: string, what: string): void {
  if (text === "") throw new LimitError(`Cannot ${what}: it is empty`);
  checkBytes(text, session.relay.config["max-message"], what);
}

function commonRoom(
  session: Session,
  other: Session,
): { readonly own: Membership; readonly theirs: Membership } | undefined {
  for (const own of session.memberships) {
    const theirs = other.membership(own.room.id);
    if (theirs !== undefined) return { own, theirs };
  }
  return undefined;
}
