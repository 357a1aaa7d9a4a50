// Files on their way through a room: offers, the questions of receivers, and what answers them.

import type { ClientId, RoomId } from "../../shared/messages/ids.ts";
import { LimitError } from "../../shared/base/errors.ts";
import { FILE_PULLS } from "../../shared/base/limits.ts";
import type { EventOf } from "../../shared/messages/messages_v2.ts";
import { mute } from "../session/room_access.ts";
import type { Session } from "../session/session.ts";
import type { Membership } from "../session/membership.ts";
import { type HandlersOf, memberIn } from "./handler.ts";

/** Handlers about files. */
export const FILE_HANDLERS: HandlersOf<"offer" | "chunk" | "pull" | "part" | "receipt"> = {
  offer(session, request) {
    const member = memberIn(session, request.room, "send the file");
    // Only v1 has no word for it: without it nobody could tell whether chunks of two files were mixed.
    if (request.hash === null && !session.isV1) {
      throw new LimitError("Cannot send the file: its SHA-256 is missing");
    }
    const { id, room: _, ...offer } = request;
    const { to } = offer;
    const heard = to === 0 ? receiversIn(member) : [onlyReceiver(member, to)];
    const refusal = session.files.open(request, { pushed: session.isV1, to: heard });
    if (refusal !== undefined) throw new LimitError(`Cannot send the file: ${refusal}`);
    const event = { ...offer, ...member.about(), request: id };
    if (to === 0) member.room.pass(event);
    else member.room.passTo([to, session.id], event);
  },

  chunk(session, { file, index, data, last }) {
    const room = session.files.roomOf(file);
    const only = session.files.onlyReceiverOf(file);
    const refusal = session.files.chunk({ kind: "chunk", file, index, data, last });
    const member = room === undefined ? undefined : session.membership(room);
    if (refusal !== undefined || member === undefined) {
      session.requestBudget.spend();
      const text = `Cannot send the file: ${refusal ?? "you are not in that room any longer"}`;
      return session.tell({ kind: "notice", room: room ?? 0, text });
    }
    if (stopsMuted(session, member, file)) return;
    const { client, name, time } = member.about();
    const chunk = { kind: "chunk", client, name, time, file, index, data, last } as const;
    if (only === undefined) member.room.pass(chunk, member);
    else member.room.passTo([only], chunk);
    // V14 ends it: nobody waits for more.
    const { room: where } = member;
    session.pushesTo = data.length === 0 || last ? undefined : {
      isBehind: () => where.isBehind(client, file),
      waited: () => where.waitedFor(client, file),
    };
  },

  pull(session, { room, to, file, index, count }) {
    const member = session.membership(room);
    // It may come behind one's own leave; and whose file it is may have left: numbers must not tell who is on the server.
    if (member === undefined) return;
    if (to === session.id || member.room.nameOf(to) === undefined) {
      return session.tell(unavailable({ room, client: to, file, index }));
    }
    const pull = { kind: "pull", client: session.id, file, index, count } as const;
    member.room.passTo([to], pull, member.account);
  },

  part(session, request) {
    const { file, index, data } = request;
    const receivers = session.files.part(request);
    const member = receivers === undefined ? undefined : session.membership(receivers.room);
    // The window of a sender counts on an answer, passed on or not.
    session.files.taken.add({ file, index });
    // The receiver may have asked for something else since; parts that nobody asked for cost what any request costs.
    if (receivers === undefined || member === undefined) return session.requestBudget.spend();
    if (stopsMuted(session, member, file)) return;
    const { client, name, time } = member.about();
    const { clients, last } = receivers;
    member.room.handOn(clients, { kind: "chunk", client, name, time, file, index, data, last });
  },

  receipt(session, { room, to, file, state }) {
    const member = session.membership(room);
    // It may come behind one's own leave, and its sender may have left: nobody has to hear it then.
    if (member === undefined || to === session.id || member.room.nameOf(to) === undefined) return;
    member.room.passTo([to], { kind: "receipt", ...member.about(), file, state });
  },
};

/** Ends a file whose sender was muted in the middle: all of the room hear it, and the sender why. */
function stopsMuted(session: Session, member: Membership, file: string): boolean {
  const why = mute(member, Date.now());
  if (why === undefined) return false;
  const only = session.files.onlyReceiverOf(file);
  session.files.end(file);
  const end = { file, index: 0, data: new Uint8Array(), last: true };
  const chunk = { kind: "chunk", ...member.about(), ...end } as const;
  // v1 has no word for it to its sender.
  if (only === undefined) member.room.pass(chunk, session.isV1 ? member : undefined);
  else member.room.passTo([only, session.id], chunk);
  const text = `Cannot send the rest of the file: ${why}`;
  session.tell({ kind: "notice", room: member.room.id, text });
  return true;
}

/** The only one who is offered a file. Throws LimitError where nobody of that number could hear of it now. */
function onlyReceiver({ id, room }: Membership, to: ClientId): ClientId {
  const occupant = room.view.of(to);
  if (to === id) throw new LimitError("Cannot send the file to yourself");
  if (occupant === undefined) {
    throw new LimitError("Cannot send the file: its receiver is not in the room any longer");
  }
  if (occupant.state === "away") {
    throw new LimitError("Cannot send the file: its receiver has no connection now");
  }
  return to;
}

/** The other members who hear of an offer now, up to as many as the server keeps track of. */
function receiversIn({ id, room }: Membership): number[] {
  const here = room.view.occupants.filter(({ client, state }) => client !== id && state === "here");
  return here.slice(0, FILE_PULLS.receivers).map(({ client }) => client);
}

/** A chunk that says that no more of a file comes (docs/PROTOCOL.md, V14): one answer, whatever the reason. */
function unavailable(
  about: {
    readonly room: RoomId;
    readonly client: ClientId;
    readonly file: string;
    readonly index: number;
  },
): EventOf<"chunk"> {
  return {
    kind: "chunk",
    ...about,
    name: "",
    time: Date.now(),
    data: new Uint8Array(),
    last: true,
  };
}
