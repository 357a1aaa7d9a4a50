// The name and room that a newcomer asks for, checked the same way for both protocols.

import { CmdchatError } from "../../shared/base/errors.ts";
import { parseName, parseRoom } from "../../shared/text/names.ts";
import { Refusal, type RefusalReason } from "./refusal.ts";
import type { Relay } from "../relay/relay.ts";
import type { Room } from "../room/room.ts";

/** The name as it is used from now on. Throws Refusal. */
export function checkName(wanted: string): string {
  return checked("invalid_name", () => parseName(wanted));
}

/** The room called `wanted`, which `address` makes where it does not exist. Throws Refusal. */
export function checkRoom(
  relay: Relay,
  { wanted, address }: { readonly wanted: string; readonly address: string },
): Room {
  const title = checked("invalid_room", () => parseRoom(wanted));
  return checked("too_many_rooms", () => relay.rooms.open(title, address));
}

function checked<T>(word: RefusalReason, check: () => T): T {
  try {
    return check();
  } catch (error) {
    if (error instanceof CmdchatError) throw new Refusal(word);
    throw error;
  }
}
