// Tokens that end, which members have made for others.

import { NAME_MAX_BYTES } from "../../shared/base/limits.ts";
import { answerDone, checkBytes, type HandlersOf } from "./handler.ts";

/** Handlers of invites. */
export const INVITE_HANDLERS: HandlersOf<"invite" | "invites" | "uninvite"> = {
  invite(session, { id, title, uses, seconds }) {
    checkBytes(title, NAME_MAX_BYTES, "make an invite to this room");
    const { invite, token, place } = session.host.inviting.mint(session, { title, uses, seconds });
    const { number, until } = invite;
    session.tell({ kind: "invited", request: id, invite: number, token, uses, until, place });
  },

  invites(session, { id }) {
    const list = session.host.inviting.list(session).map(({ number, maker, title, uses, until }) =>
      [number, maker.name, title, uses ?? 0, until] as [number, string, string, number, number]
    );
    session.tell({ kind: "invites", request: id, list });
  },

  uninvite(session, { id, invite }) {
    session.host.inviting.revoke(session, invite);
    answerDone(session, id);
  },
};
