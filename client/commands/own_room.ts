// Which of our rooms is meant.

import { UsageError } from "../../shared/base/errors.ts";
import { parseRoom } from "../../shared/text/names.ts";
import { quote } from "../../shared/base/sanitize.ts";
import type { Chat } from "../chat/chat.ts";
import type { RoomState } from "../rooms/joined_rooms.ts";

/** One of our rooms by name or number, as a person says it. Throws UsageError. */
export function ownRoom(chat: Chat, argument: string): RoomState {
  const byNumber = /^\d{1,2}$/.test(argument) ? chat.rooms.all[Number(argument) - 1] : undefined;
  return chat.rooms.byTitle(parseRoom(argument)) ?? byNumber ?? roomNamed(chat, argument);
}

/** One of our rooms by name alone. Throws UsageError. */
export function roomNamed({ rooms }: Chat, name: string): RoomState {
  const room = rooms.byTitle(parseRoom(name));
  if (room !== undefined) return room;
  throw new UsageError(`Cannot find ${quote(name)} among your rooms`, {
    hint: "/rooms lists them; /join ROOM comes into another one",
  });
}
