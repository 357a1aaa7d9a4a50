// Files on their way through a room.

import { LimitError } from "../shared/errors.ts";
import { type HandlersOf, memberIn } from "./handler.ts";
import { checkSilence } from "./moderation_handlers.ts";

/** Handlers about files. */
export const FILE_HANDLERS: HandlersOf<"offer" | "chunk"> = {
  offer(session, request) {
    const member = memberIn(session, request.room, "send the file");
    checkSilence(member, "send the file");
    const refusal = session.files.open(request);
    if (refusal !== undefined) throw new LimitError(`Cannot send the file: ${refusal}`);
    const { id, file, filename, size, chunks } = request;
    const about = { ...member.about(), request: id };
    member.room.pass({ kind: "offer", ...about, file, filename, size, chunks });
  },

  chunk(session, { file, index, data, last }) {
    const room = session.files.roomOf(file);
    const refusal = session.files.chunk({ kind: "chunk", file, index, data, last });
    const member = room === undefined ? undefined : session.membership(room);
    if (refusal !== undefined || member === undefined) {
      session.pace?.spend();
      const text = `Cannot send the file: ${refusal ?? "you are not in that room any more"}`;
      return session.tell({ kind: "notice", room: room ?? 0, text });
    }
    const { client, name, time } = member.about();
    member.room.pass({ kind: "chunk", client, name, time, file, index, data, last }, member);
  },
};
