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
export function checkUndecided({ requests, host, address }: Session, request: Request): void {
  requests.checkUndecided();
  if (host.undecided.mayTake(address, bytesOf(request))) return;
  throw new LimitError("Not delivered: too much waits for the other servers. Try again later.");
}

/** A request was done, or is left undecided. */
export function noteUndecided(
  { requests, host, address }: Session,
  id: RequestId,
  request: Request,
): void {
  const decision = requests.decisionOn(id);
  if (decision !== undefined) host.undecided.hold(address, bytesOf(request), decision);
}

function bytesOf(request: Request): number {
  const text = "text" in request ? request.text ?? "" : "";
  return REQUEST_BYTES + CHARACTER_BYTES * text.length;
}
