// Bob, whom alice knows by his device key, and what whoever is called bob in the lobby proves to her.

import { toHex } from "#platform/bytes.ts";
import { KnownPeople } from "../../../client/people/known_people.ts";
import {
  type DeviceKey,
  deviceKeyOf,
  proveAs,
  type RoomClaim,
  roomStatement,
} from "../../../shared/crypto/device_key.ts";
import { fingerprintOf } from "../../../shared/crypto/fingerprint.ts";
import { sha256 } from "../../../shared/crypto/hkdf.ts";
import type { EventOf, RequestOf } from "../../../shared/messages/messages_v2.ts";
import { nameKey } from "../../../shared/text/names.ts";
import { type FakeSession, LOBBY } from "./chat_fakes.ts";

/** The identity of the server on which they meet. */
export const SERVER_KEY = new Uint8Array(32).fill(1);
/** Its fingerprint. */
export const SERVER = fingerprintOf(SERVER_KEY);
/** The key of bob himself. */
export const BOB = deviceKeyOf(new Uint8Array(32).fill(2));
/** The key of somebody else. */
export const MALLORY = deviceKeyOf(new Uint8Array(32).fill(3));
/** Their numbers: members() counts from 0, and alice is 7. */
export const BOB_CLIENT = 0;

/** Whom alice knows: bob by this key, or nobody. */
export function knowing(bob: DeviceKey | undefined): KnownPeople {
  return new KnownPeople(
    new Map(
      bob === undefined
        ? []
        : [[nameKey("bob"), { name: "bob", key: toHex(bob.publicKey), date: "2026-11-29" }]],
    ),
  );
}

/** What bob's client answers to the last question of alice, with this key; `changes`: what it signs instead. */
export function proofOf(
  key: DeviceKey,
  { sent }: FakeSession,
  changes: Partial<RoomClaim> = {},
): EventOf<"proof"> {
  const { nonce } = sent.findLast(({ kind }) => kind === "ask_proof") as RequestOf<"ask_proof">;
  const statement = roomStatement({
    server: sha256(SERVER_KEY),
    prover: BOB_CLIENT,
    asker: 7,
    nonce,
    room: "lobby",
    name: "bob",
    ...changes,
  });
  return { kind: "proof", room: LOBBY, client: BOB_CLIENT, ...proveAs(key, statement) };
}
