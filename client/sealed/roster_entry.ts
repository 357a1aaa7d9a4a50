// A member of a sealed room as the list of any room has them.

import { localMember, type LocalRoomId } from "../base/local_ids.ts";
import type { OwnPeople } from "../people/own_people.ts";
import type { RosterEntry } from "../rooms/roster.ts";
import type { SealedPerson } from "../sealed_engine/people.ts";

/** The entry of a member of the room `id`. */
export function rosterEntry(
  { client, name, here, verified, suspect, device }: SealedPerson,
  id: LocalRoomId,
  { known }: OwnPeople,
): RosterEntry {
  const knownAs = known.byKey(device)?.name;
  return {
    client: localMember(id, client),
    name,
    state: here ? "here" : "away",
    since: 0,
    status: null,
    key: suspect ? "questioned" : verified ? "verified" : "unknown",
    ...(device === undefined ? {} : { device }),
    ...(knownAs === undefined ? {} : { known: knownAs }),
  };
}
