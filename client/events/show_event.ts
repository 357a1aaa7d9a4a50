// How an event of the server is shown: a line of the chat.

import type { SequenceNumber } from "../../shared/messages/ids.ts";
import type { AnyClientId } from "../base/local_ids.ts";
import type { ChatContext } from "./chat_context.ts";
import type { CountedReaction } from "../rooms/reactions.ts";
import type { JoinedRoom } from "../rooms/joined_room.ts";

/** One line about an event. */
export interface Shown {
  readonly event: string;
  readonly text: string;
  /** ms since 1970; undefined = now. */
  readonly time: number | undefined;
  readonly name?: string;
  readonly previous?: string;
  readonly names?: readonly string[];
  /** The message that was changed, and its new text; undefined where it was taken back. */
  readonly sequence?: SequenceNumber;
  readonly said?: string | undefined;
  /** What somebody put under that message, or took back, and all that is there now. */
  readonly emoji?: string;
  readonly on?: boolean;
  readonly reactions?: readonly CountedReaction[];
  /** What was decided (`moderated`), and about whom. */
  readonly what?: string;
  readonly whom?: string;
  /** Names of who made the room and of its ops (`rules`). */
  readonly maker?: string | undefined;
  readonly ops?: readonly string[];
  /** Whether a line before it has said the same to people. */
  readonly isToldBefore?: boolean;
}

/** Shows a line about `room`, or about none. */
export function show(chat: ChatContext, { time, ...line }: Shown, room?: JoinedRoom): void {
  const { current } = chat.rooms;
  chat.output.system({
    ...line,
    room: (room ?? current)?.title ?? "",
    elsewhere: room !== undefined && room !== current,
    ...sealedMark(room ?? current),
    time: time === undefined ? chat.utc() : iso(time),
  });
}

/** The mark of a line that only members of a room can read. */
export function sealedMark(room: JoinedRoom | undefined): { readonly sealed?: true } {
  return room?.isSealed ? { sealed: true } : {};
}

/** ISO 8601. A time beyond what a date can hold is the server's fault: "". */
export function iso(time: number): string {
  return Math.abs(time) <= 8.64e15 ? new Date(time).toISOString() : "";
}

/** The mark of a line of somebody whose key the user has compared; `known`: the name that it had then. */
export function verifiedMark(
  room: JoinedRoom | undefined,
  name: string,
  client: AnyClientId,
): { readonly verified?: true; readonly known?: string } {
  if (room?.roster.keyOf(name, client) !== "verified") return {};
  const known = room.roster.knownAs(name, client);
  return known === undefined ? { verified: true } : { verified: true, known };
}
