// Files on their way through a room, and parts that are sent again to a receiver that lost them.

import { LimitError } from "../../shared/base/errors.ts";
import { type HandlersOf, memberIn } from "./handler.ts";
import type { Session } from "../session/session.ts";

/** Handlers about files. */
export const FILE_HANDLERS: HandlersOf<"offer" | "chunk" | "resume" | "pull" | "part"> = {
  offer(session, request) {
    const member = memberIn(session, request.room, "send the file");
    const refusal = session.files.open(request);
    if (refusal !== undefined) throw new LimitError(`Cannot send the file: ${refusal}`);
    const { id, file, filename, size, chunks, hash } = request;
    const about = { ...member.about(), request: id };
    member.room.pass({ kind: "offer", ...about, file, filename, size, chunks, hash });
  },

  chunk(session, { file, index, data, last }) {
    const room = session.files.progress(file)?.room;
    const refusal = session.files.chunk({ kind: "chunk", file, index, data, last });
    const member = room === undefined ? undefined : session.membership(room);
    if (refusal !== undefined || member === undefined) {
      session.requestBudget?.spend();
      const text = `Cannot send the file: ${refusal ?? "you are not in that room any more"}`;
      return session.tell({ kind: "notice", room: room ?? 0, text });
    }
    const { client, name, time } = member.about();
    member.room.pass({ kind: "chunk", client, name, time, file, index, data, last }, member);
    if (session.files.isThrough(file)) tellReached(session, file);
  },

  resume(session, { file }) {
    tellReached(session, file);
  },

  pull(session, { room, to, file, index, count }) {
    const member = session.membership(room);
    // It may arrive after the session left, and the sender may have left: numbers must not tell who is on the server.
    if (member === undefined) return;
    if (to === session.id || member.room.nameOf(to) === undefined) {
      return session.tell({ kind: "reached", room, client: to, file, index: null });
    }
    member.room.passTo(to, { kind: "pull", client: session.id, file, index, count });
  },

  part(session, request) {
    const { to, file, index, data } = request;
    const fitting = session.files.part(request);
    const room = session.files.progress(file)?.room;
    const member = room === undefined ? undefined : session.membership(room);
    // The receiver may have asked for something else since; parts that nobody asked for cost what any request costs.
    if (fitting === undefined || member === undefined) return session.requestBudget?.spend();
    const { client, name, time } = member.about();
    member.room.passTo(to, { kind: "chunk", client, name, time, file, index, data, ...fitting });
  },
};

function tellReached(session: Session, file: string): void {
  const { room = 0, next: index = null } = session.files.progress(file) ?? {};
  session.tell({ kind: "reached", room, client: session.id, file, index });
}
