// Requests that wait for the other servers of a cluster: while NATS does not answer, members go on to talk. What waits cannot
// be taken back.

import { LimitError } from "../../shared/base/errors.ts";
import type { RequestId } from "../../shared/messages/ids.ts";
import type { Request } from "../../shared/messages/messages_v2.ts";
import type { Session } from "../session/session.ts";

// A chat without a text, with all that waits for its answer, as measured.
const REQUEST_BYTES = 1_640;
// Outside of Latin-1.
const CHARACTER_BYTES = 2;

/** Throws LimitError where the session, or all of them, leave too much undecided for one more. */
export function checkUndecided(session: Session, request: Request): void {
  const { requests, host, address } = session;
  requests.checkUndecided();
  if (host.undecided.mayTake(address, bytesOf(request, session))) return;
  throw new LimitError("Not delivered: too much waits for the other servers. Try again later.");
}

/** A request was done, or is left undecided. */
export function noteUndecided(session: Session, id: RequestId, request: Request): void {
  const { requests, host, address } = session;
  const decision = requests.decisionOn(id);
  if (decision !== undefined) host.undecided.hold(address, bytesOf(request, session), decision);
}

// A name waits in each room of its session.
function bytesOf(request: Request, { memberships }: Session): number {
  const text = "text" in request ? request.text ?? "" : "";
  const rooms = request.kind === "rename" ? Math.max(memberships.length, 1) : 1;
  return rooms * (REQUEST_BYTES + CHARACTER_BYTES * text.length);
}
