// What handlers of requests have in common.

import type { RequestId, RoomId } from "../../shared/messages/ids.ts";
import { LimitError } from "../../shared/base/errors.ts";
import type { Request, RequestOf, SealedRequest } from "../../shared/messages/messages_v2.ts";
import { type Position, whenPlaced } from "../room/bus.ts";
import type { Membership } from "../session/membership.ts";
import type { Session } from "../session/session.ts";

/** Requests that are handled in the middle of a session. */
export type Handled = Exclude<Request["kind"], "hello" | "bye" | "moving" | SealedRequest["kind"]>;

/** One handler for each of the kinds `K`. A CmdchatError that it throws is the refusal. */
export type HandlersOf<K extends Handled> = {
  readonly [Kind in K]: (session: Session, request: RequestOf<Kind>) => void;
};

/** The membership that a request is about. Throws LimitError where the session is not in that room. */
export function memberIn(session: Session, room: RoomId, what: string): Membership {
  const membership = session.membership(room);
  if (membership !== undefined) return membership;
  throw new LimitError(`Cannot ${what}: you are not in that room any more`);
}

/**
 * Request `id` is answered by the event that has its position then, or in words that it has happened before; a repeat of
 * it not before. Another server may publish the same.
 */
export function answerOncePlaced(session: Session, id: RequestId, position: Position): void {
  whenPlaced(decidedLater(session, id, position), (placed) => {
    if (placed === 0) answerDone(session, id);
  });
}

/** Request `id` is answered as done once its position is known. Another server may do it once more. */
export function answerDoneOncePlaced(session: Session, id: RequestId, position: Position): void {
  whenPlaced(decidedLater(session, id, position), () => answerDone(session, id));
}

function decidedLater({ requests }: Session, id: RequestId, position: Position): Position {
  if (typeof position === "number") return position;
  return requests.decideLater(id, position, { again: true });
}

/** Answers a request that nothing else answers. A v1 client gets no answers: it sees the result in the room. */
export function answerDone(session: Session, id: RequestId): void {
  if (!session.isV1) session.tell({ kind: "done", id });
}
