// What a newcomer asks for, checked the same way for both wires.

import { CmdchatError } from "../shared/errors.ts";
import { parseName, parseRoom } from "../shared/names.ts";
import { Refusal, type RefusalWord } from "./refusal.ts";
import type { Relay } from "./relay.ts";
import type { Room } from "./room.ts";

/** The name that is wanted, and the room. Throws Refusal. */
export function checkEntry(
  relay: Relay,
  wanted: { readonly name: string; readonly room: string },
): { readonly name: string; readonly room: Room } {
  const name = checked("invalid_name", () => parseName(wanted.name));
  const roomName = checked("invalid_room", () => parseRoom(wanted.room));
  return { name, room: checked("too_many_rooms", () => relay.room(roomName)) };
}

function checked<T>(word: RefusalWord, check: () => T): T {
  try {
    return check();
  } catch (error) {
    if (error instanceof CmdchatError) throw new Refusal(word);
    throw error;
  }
}
