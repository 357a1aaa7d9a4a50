// What the page shows beside the lines of people whose device keys the user knows.

import assert from "node:assert/strict";
import { toHex } from "#platform/bytes.ts";
import { KnownPeople } from "../../../client/people/known_people.ts";
import { showState } from "../../../client/web/page_state.ts";
import {
  type DeviceKey,
  deviceKeyOf,
  proveAs,
  roomStatement,
} from "../../../shared/crypto/device_key.ts";
import { fingerprintOf } from "../../../shared/crypto/fingerprint.ts";
import { sha256 } from "../../../shared/crypto/hkdf.ts";
import type { RequestOf } from "../../../shared/messages/messages_v2.ts";
import { nameKey } from "../../../shared/text/names.ts";
import {
  eventOf,
  FakeSession,
  LOBBY,
  membersOf,
  startChat,
} from "../../helpers/fakes/chat_fakes.ts";
import { FakePageView } from "../../helpers/fakes/fake_page_view.ts";

const SERVER_KEY = new Uint8Array(32).fill(1);
const BOB = deviceKeyOf(new Uint8Array(32).fill(2));
const MALLORY = deviceKeyOf(new Uint8Array(32).fill(3));
/** Their numbers: members() counts from 0, and alice is 7. */
const BOB_CLIENT = 0;

/** Alice, who knows bob, beside carol and somebody who is called bob and shows that key. */
async function besideBob(key: DeviceKey) {
  const session = new FakeSession({ fingerprint: fingerprintOf(SERVER_KEY) });
  const bob = { name: "bob", key: toHex(BOB.publicKey), date: "2026-11-29" };
  const known = new KnownPeople(new Map([[nameKey("bob"), bob]]));
  const { chat } = await startChat([session], {
    people: { device: undefined, known },
    alarms: "hold",
  });
  await session.deliver(membersOf("bob", "carol"));
  const asked = session.sent.findLast(({ kind }) => kind === "ask_proof");
  const { nonce } = asked as RequestOf<"ask_proof">;
  const claim = { server: sha256(SERVER_KEY), prover: BOB_CLIENT, asker: 7, nonce };
  const statement = roomStatement({ ...claim, room: "lobby", name: "bob" });
  await session.deliver({
    kind: "proof",
    room: LOBBY,
    client: BOB_CLIENT,
    ...proveAs(key, statement),
  });
  const shown = () => {
    const view = new FakePageView();
    showState(chat, view);
    const marks = view.people.map(({ name, key, knownAs }) => [name, key, knownAs]);
    return { marks, status: view.status };
  };
  return { chat, session, shown };
}

Deno.test("whoever has proven a known device key has the mark in the list, under another name with the known one", async () => {
  const { chat, session, shown } = await besideBob(BOB);
  assert.deepEqual(shown().marks, [["bob", "verified", undefined], [
    "carol",
    undefined,
    undefined,
  ]]);
  await session.deliver(
    eventOf("renamed", { client: BOB_CLIENT, previous: "bob", name: "robert" }),
  );
  assert.deepEqual(shown().marks.toSorted(), [
    ["carol", undefined, undefined],
    ["robert", "verified", "bob"],
  ]);
  assert.equal(shown().status?.privacyLevel, "open");
  chat.end();
});

Deno.test("another device key under a known name shows in the list and in the status", async () => {
  const { chat, shown } = await besideBob(MALLORY);
  assert.deepEqual(shown().marks[0], ["bob", "questioned", undefined]);
  assert.equal(shown().status?.privacy, "STOPPED: bob has another key");
  assert.equal(shown().status?.privacyLevel, "danger");
  chat.end();
});
