// Going where a link leads without leaving the chat.

import { UsageError } from "../../shared/base/errors.ts";
import { parseLink } from "../../shared/text/invite_link.ts";
import { parseRoom } from "../../shared/text/names.ts";
import type { Chat } from "../chat/chat.ts";
import type { Outcome } from "../session/request_ledger.ts";

/** Whether somebody typed a link where a room is wanted. */
export function isLink(text: string): boolean {
  return /^cmdchat:/i.test(text);
}

/** Comes into the room of a link to the server that we are at. Throws UsageError, which repeats nothing of the link. */
export function joinByLink(chat: Chat, text: string): Promise<Outcome> {
  const { host, port, room, fingerprint, secret } = parseLink(text);
  const { address } = chat;
  if (host !== address.host || port !== address.port) {
    throw new UsageError("Cannot follow the link: it leads to another server than this one", {
      hint: "start another client with it",
    });
  }
  if (fingerprint !== undefined && fingerprint !== chat.fingerprint) {
    throw new UsageError("Cannot follow the link: it expects another server at this address", {
      hint: "someone may stand in between; ask for a fresh link",
    });
  }
  const title = parseRoom(room);
  if (secret === undefined) return chat.join(title);
  chat.sealed.open({ secret, title, name: chat.name, isNew: false });
  return Promise.resolve("confirmed");
}
