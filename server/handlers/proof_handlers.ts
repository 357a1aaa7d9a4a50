// Device keys that members show each other (docs/PROTOCOL.md §8.9): the server passes question and answer on between two
// members of one room, keeps nothing of them, and is not who judges them.

import { PROOF_ASKS } from "../../shared/base/limits.ts";
import { RateLimit } from "../limits/rate_limit.ts";
import type { Session } from "../session/session.ts";
import type { HandlersOf } from "./handler.ts";

/** How often a session may ask; most never do. */
const limits = new WeakMap<Session, RateLimit>();

/** Handlers about device keys. */
export const PROOF_HANDLERS: HandlersOf<"ask_proof" | "proof"> = {
  ask_proof(session, { room, to, nonce }) {
    const member = otherIn(session, room, to);
    // A session that asks too often gets no answer: it must not keep other members busy.
    if (member === undefined || limitOf(session).take(performance.now()) > 0) return;
    member.room.passTo([to], { kind: "proof_asked", client: session.id, nonce });
  },

  proof(session, { room, to, key, signature }) {
    const member = otherIn(session, room, to);
    member?.room.passTo([to], { kind: "proof", client: session.id, key, signature });
  },
};

function limitOf(session: Session): RateLimit {
  const limit = limits.get(session) ?? new RateLimit(PROOF_ASKS);
  limits.set(session, limit);
  return limit;
}

/** The own membership, where `to` is another member; it may come behind one's own leave, and the other's. */
function otherIn(session: Session, room: number, to: number) {
  const member = session.membership(room);
  return to === session.id || member?.room.nameOf(to) === undefined ? undefined : member;
}
