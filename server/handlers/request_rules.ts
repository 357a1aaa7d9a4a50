// How each request is judged before it is handled: what it costs, and whether it lets others read or see something. All
// of the latter obeys mutes, and in a slow room all of it together is as often as the room allows.

import type { Request } from "../../shared/messages/messages_v2.ts";
import type { Handled } from "./handler.ts";

/** How requests of one kind are judged. */
export interface RequestRule {
  /** Counts against the rate limit. */
  readonly isLimited?: true;
  /** Its handler spends the request budget, for what it refuses: a file has as many chunks as it needs. */
  readonly isSpentByHandler?: true;
  /**
   * Who reads or sees it: the room that it names, every room of the session (its handler asks `speakableRooms`), or one
   * client (its handler asks `mute`).
   */
  readonly reaches?: "room" | "everywhere" | "client";
  /** What the client wants to do, in the words of a refusal: "Cannot send the message: …". */
  readonly does: string;
}

/** The rules of all requests. */
export const REQUEST_RULES: Readonly<Record<Handled, RequestRule>> = {
  join: { isLimited: true, does: "join the room" },
  leave: { does: "leave the room" },
  chat: { isLimited: true, reaches: "room", does: "send the message" },
  revise: { isLimited: true, reaches: "room", does: "change the message" },
  react: { isLimited: true, reaches: "room", does: "react" },
  rename: { isLimited: true, reaches: "everywhere", does: "use the name" },
  direct: { isLimited: true, reaches: "client", does: "send the direct message" },
  topic: { isLimited: true, reaches: "room", does: "set the topic" },
  status: { isLimited: true, reaches: "everywhere", does: "set the away message" },
  typing: { reaches: "room", does: "tell that you are writing" },
  offer: { isLimited: true, reaches: "room", does: "send the file" },
  moderate: { isLimited: true, does: "moderate the room" },
  pin: { isLimited: true, reaches: "room", does: "pin the message" },
  backlog: { isLimited: true, does: "set the backlog" },
  bans: { isLimited: true, does: "list the bans" },
  invite: { isLimited: true, does: "make an invite" },
  invites: { isLimited: true, does: "list invites" },
  uninvite: { isLimited: true, does: "end an invite" },
  chunk: { isSpentByHandler: true, does: "send the file" },
  part: { isSpentByHandler: true, does: "send the file" },
  pull: { does: "get the file" },
  receipt: { does: "answer the offer" },
  ask_proof: { does: "ask for a device key" },
  proof: { does: "show a device key" },
  ping: { does: "ping" },
  pong: { does: "answer a ping" },
};

/** Whether a request takes something back, which is never refused to anybody: a message, or an away message. */
export function takesBack(request: Request): boolean {
  return "text" in request && request.text === null;
}
