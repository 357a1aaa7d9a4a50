// What a chat has of the user's own: the key that shows who they are, and whom they know. Both only where they ask for it.

import type { DeviceKey } from "../../shared/crypto/device_key.ts";
import { KnownPeople } from "./known_people.ts";

/** The user's side of being known again; without a device key and a file, nothing links two sessions. */
export interface OwnPeople {
  /** `--device-key`: shown to the members of rooms. */
  readonly device?: DeviceKey | undefined;
  /** `--known-people`, or its default beside a device key; otherwise until the program ends. */
  readonly known: KnownPeople;
}

/** Shows no key, and knows nobody yet. */
export function strangers(): OwnPeople {
  return { known: new KnownPeople() };
}
