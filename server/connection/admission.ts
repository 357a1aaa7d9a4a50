// What a newcomer asks for, checked the same way for both wires.

import { CmdchatError } from "../../shared/base/errors.ts";
import { parseName, parseRoom } from "../../shared/text/names.ts";
import { Refusal, type RefusalReason } from "./refusal.ts";
import type { Relay } from "../relay/relay.ts";
import type { Room } from "../room/room.ts";

/** The name that is wanted. Throws Refusal. */
export function checkName(wanted: string): string {
  return checked("invalid_name", () => parseName(wanted));
}

/** The room that is wanted, made by `address` where it is not there. Throws Refusal. */
export function checkRoom(
  relay: Relay,
  { wanted, address }: { readonly wanted: string; readonly address: string },
): Room {
  const title = checked("invalid_room", () => parseRoom(wanted));
  return checked("too_many_rooms", () => relay.room(title, address));
}

function checked<T>(word: RefusalReason, check: () => T): T {
  try {
    return check();
  } catch (error) {
    if (error instanceof CmdchatError) throw new Refusal(word);
    throw error;
  }
}
