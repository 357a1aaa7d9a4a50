// Tells the user when the rights in a room change.

import type { AnyClientId } from "../base/local_ids.ts";
import { nameInSentence } from "../../shared/text/names.ts";
import type { JoinedRoom } from "../rooms/joined_room.ts";
import type { ChatContext } from "./chat_context.ts";

/** What is said where a pin is gone. */
export const NO_PIN = "Nothing is pinned any more.";

/** Keeps whether the user moderates the room, and gives it. */
export function noteRank(chat: ChatContext, room: JoinedRoom): boolean {
  return room.isModerated = room.rankOf(chat.clientId ?? 0) !== undefined;
}

/** Rights belong to a session: a user who had them in a former one is told, and reads who has them now. */
export function rankNews(
  chat: ChatContext,
  room: JoinedRoom,
  namesOf: (clients: readonly AnyClientId[]) => readonly string[],
): string[] {
  const had = room.isModerated;
  if (noteRank(chat, room) || !had) return [];
  const others = namesOf([room.maker, ...room.ops]).map(nameInSentence);
  const who = others.length === 0 ? "nobody does" : `these do: ${others.join(", ")}`;
  return [
    `You do not moderate this room any more, ${who}. Such rights end with the session, and when the server restarts.`,
  ];
}

/** What an op can do. */
export function opNews({ isSealed }: JoinedRoom): string {
  return isSealed
    ? "You are an op of this room: /kick, /lock and /pin are yours."
    : "You are an op of this room: /kick, /ban, /mute, /lock, /slow and /pin are yours.";
}

/** What somebody who made a room can do there, once, and not before there is somebody to do it to. */
export function makerNews(room: JoinedRoom): string[] {
  if (!room.isMakerNews || room.roster.people.length < 2) return [];
  room.isMakerNews = false;
  return ["You made this room: /kick, /ban, /mute, /lock and /slow are yours."];
}
