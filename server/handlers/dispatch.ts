// What the server does with each request of a client. This file applies the rules for all of them: order, repeats, the
// request budget, the rate limit, and who may speak. The file of each theme has what its requests do.

import { CmdchatError, ProtocolError } from "../../shared/base/errors.ts";
import type { Request } from "../../shared/messages/messages_v2.ts";
import { isSealedRequest } from "../../shared/messages/sealed_kinds.ts";
import { FILE_HANDLERS } from "./file_handlers.ts";
import { type Handled, type HandlersOf, memberIn } from "./handler.ts";
import { REQUEST_RULES, type RequestRule, takesBack } from "./request_rules.ts";
import { ROOM_HANDLERS } from "./room_handlers.ts";
import { INVITE_HANDLERS } from "./invite_handlers.ts";
import { MODERATION_HANDLERS } from "./moderation_handlers.ts";
import { PROOF_HANDLERS } from "./proof_handlers.ts";
import type { Membership } from "../session/membership.ts";
import { checkSilence } from "../session/room_access.ts";
import type { Session } from "../session/session.ts";
import { CHAT_HANDLERS } from "./chat_handlers.ts";
import { checkUndecided, noteUndecided } from "./undecided.ts";

const HANDLERS: HandlersOf<Handled> = {
  ...CHAT_HANDLERS,
  ...ROOM_HANDLERS,
  ...FILE_HANDLERS,
  ...MODERATION_HANDLERS,
  ...INVITE_HANDLERS,
  ...PROOF_HANDLERS,

  ping(session) {
    session.tell({ kind: "pong" });
  },

  pong() {},
};

/** Does what a request asks for, once. The client is told of a refusal; ProtocolError closes its connection. */
export function dispatchRequest(session: Session, request: Request): void {
  if (request.kind === "hello" || request.kind === "bye" || request.kind === "moving") {
    throw new ProtocolError(`Cannot take a ${request.kind} in the middle of a session`);
  }
  if (isSealedRequest(request)) return session.sealed.handle(request);
  const rule = REQUEST_RULES[request.kind];
  // How fast what the rate limit counts may come is the operator's choice: a client that keeps to it is never slowed
  // down. All else is paced, and what is not done as well.
  const isFree = rule.isLimited === true;
  if (!rule.isSpentByHandler && !isFree) session.requestBudget.spend();
  if ("id" in request) {
    const { requests } = session;
    if (requests.isRepeat(request.id)) {
      if (isFree) session.requestBudget.spend();
      const answer = requests.answerTo(request.id);
      if (answer !== undefined) session.tell(answer);
      return;
    }
    if (!requests.take(request.id)) {
      throw new ProtocolError("Cannot take a request whose number is not the next");
    }
    if (rule.isLimited && !passesRateLimit(session, request, rule)) {
      return session.requestBudget.spend();
    }
  }
  try {
    // A client that sends more while nothing is decided pays for it; `leave` is always possible.
    if ("id" in request && request.kind !== "leave") checkUndecided(session, request);
    const speaker = speakerOf(session, request, rule);
    // The table's type ties each handler to its request; TypeScript cannot follow the key through the union.
    (HANDLERS[request.kind] as (session: Session, request: Request) => void)(session, request);
    if ("id" in request) noteUndecided(session, request.id, request);
    if (request.kind !== "typing") speaker?.noteSpeech();
  } catch (error) {
    if (!(error instanceof CmdchatError)) throw error;
    if (isFree) session.requestBudget.spend();
    if ("id" in request) session.decline(request.id, error.message);
    // A note that is not numbered has no answer; anything else breaks the protocol.
    else if (request.kind !== "typing") throw error;
  }
}

/** The member that speaks in the room which the request names. Throws LimitError where it may not. */
function speakerOf(
  session: Session,
  request: Request,
  { reaches, does }: RequestRule,
): Membership | undefined {
  if (reaches !== "room" || !("room" in request) || isSealedRequest(request)) return undefined;
  const member = memberIn(session, request.room, does);
  if (takesBack(request)) return undefined;
  checkSilence(member, does);
  return member;
}

function passesRateLimit(
  session: Session,
  { id }: { readonly id: number },
  { reaches }: RequestRule,
): boolean {
  const now = performance.now();
  const { rateLimit, memberships } = session;
  // Apart from the limit of talk: a member that goes away in many rooms may still speak in one.
  const further = reaches === "everywhere" ? memberships.length - 1 : 0;
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
