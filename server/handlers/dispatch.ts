// What the server does with each request of a client. This file holds the rules for all of them: order, repeats, the
// request budget and the rate limit. What each request does is in the file of its theme.

import { CmdchatError, ProtocolError } from "../../shared/base/errors.ts";
import { isSealedRequest, type Request } from "../../shared/messages/messages_v2.ts";
import { FILE_HANDLERS } from "./file_handlers.ts";
import type { Handled, HandlersOf } from "./handler.ts";
import { ROOM_HANDLERS } from "./room_handlers.ts";
import { MODERATION_HANDLERS } from "./moderation_handlers.ts";
import type { Session } from "../session/session.ts";
import { CHAT_HANDLERS } from "./chat_handlers.ts";

const HANDLERS: HandlersOf<Handled> = {
  ...CHAT_HANDLERS,
  ...ROOM_HANDLERS,
  ...FILE_HANDLERS,
  ...MODERATION_HANDLERS,

  ping(session) {
    session.tell({ kind: "pong" });
  },

  pong() {},
};

/** Requests that count against the rate limit; a file's chunks are bounded by the file. */
const LIMITED: ReadonlySet<Request["kind"]> = new Set([
  "chat",
  "revise",
  "direct",
  "rename",
  "join",
  "topic",
  "status",
  "offer",
  "moderate",
]);

/** Requests that everybody in every room of the session is told of. */
const TOLD_EVERYWHERE: ReadonlySet<Request["kind"]> = new Set(["rename", "status"]);

/** A file has as many chunks as it needs; their handler spends the budget for those that it refuses. */
const SPENT_BY_HANDLER: ReadonlySet<Request["kind"]> = new Set(["chunk", "part"]);

/** Does what a request asks for, once. The client is told of a refusal; ProtocolError closes its connection. */
export function dispatchRequest(session: Session, request: Request): void {
  if (request.kind === "hello" || request.kind === "bye") {
    throw new ProtocolError(`Cannot take a ${request.kind} in the middle of a session`);
  }
  if (isSealedRequest(request)) return session.sealed.handle(request);
  if (!SPENT_BY_HANDLER.has(request.kind)) session.requestBudget?.spend();
  if ("id" in request) {
    const { requests } = session;
    if (requests.isRepeat(request.id)) return session.tell(requests.answerTo(request.id));
    if (!requests.take(request.id)) {
      throw new ProtocolError("Cannot take a request whose number is not the next");
    }
    if (LIMITED.has(request.kind) && !passesRateLimit(session, request)) return;
  }
  try {
    // The table's type ties each handler to its request; TypeScript cannot follow the key through the union.
    (HANDLERS[request.kind] as (session: Session, request: Request) => void)(session, request);
  } catch (error) {
    if (!(error instanceof CmdchatError) || !("id" in request)) throw error;
    session.decline(request.id, error.message);
  }
}

function passesRateLimit(
  session: Session,
  { id, kind }: { readonly id: number; readonly kind: Request["kind"] },
): boolean {
  const now = performance.now();
  const { rateLimit, memberships } = session;
  // Apart from the limit of talk: a member that goes away in many rooms may still speak in one.
  const further = TOLD_EVERYWHERE.has(kind) ? memberships.length - 1 : 0;
  const reachLimit = further > 0 ? session.reachLimit : undefined;
  const wait = reachLimit?.wait(now) || (rateLimit?.take(now) ?? 0);
  if (wait === 0) reachLimit?.take(now, further);
  if (wait === 0) return true;
  session.host.counters.rateLimited++;
  const rate = session.host.config["rate-limit"];
  const why = `Not delivered: at most ${rate?.messages} messages in ${rate?.seconds} seconds are ` +
    `allowed. Wait ${Math.ceil(wait / 1_000)} s.`;
  if (!session.isV1) session.decline(id, why);
  else if (now >= session.quietUntil) {
    session.quietUntil = now + wait;
    session.tell({ kind: "declined", id, why });
  }
  return false;
}
