// Tokens that end, which members have made for others.

import { CmdchatError } from "../../shared/base/errors.ts";
import { NAME_MAX_BYTES } from "../../shared/base/limits.ts";
import type { RequestId } from "../../shared/messages/ids.ts";
import type { Session } from "../session/session.ts";
import { checkBytes } from "../../shared/base/text_bytes.ts";
import { answerDone, type HandlersOf } from "./handler.ts";

/** Handlers of invites. */
export const INVITE_HANDLERS: HandlersOf<"invite" | "invites" | "uninvite"> = {
  invite(session, { id, title, uses, seconds }) {
    checkBytes(title, NAME_MAX_BYTES, "make an invite to this room");
    const minting = session.host.inviting.mint(session, { title, uses, seconds });
    whenAgreed(session, id, minting, ({ invite: { number, until }, token, place }) => {
      session.tell({ kind: "invited", request: id, invite: number, token, uses, until, place });
    });
  },

  invites(session, { id }) {
    const list = session.host.inviting.list(session).map(({ number, maker, title, uses, until }) =>
      [number, maker.name, title, uses ?? 0, until] as [number, string, string, number, number]
    );
    session.tell({ kind: "invites", request: id, list });
  },

  uninvite(session, { id, invite }) {
    const revoking = session.host.inviting.revoke(session, invite);
    whenAgreed(session, id, revoking, () => answerDone(session, id));
  },
};

/** Answers once the servers agree, or with the refusal. */
function whenAgreed<T>(
  session: Session,
  id: RequestId,
  agreed: Promise<T>,
  answer: (result: T) => void,
): void {
  void session.requests.decideLater(id, agreed).then(answer, (error) => {
    if (!(error instanceof CmdchatError)) throw error;
    session.decline(id, error.message);
  });
}
