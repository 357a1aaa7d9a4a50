// What the page shows beside the lines of people whose device keys the user knows.

import assert from "node:assert/strict";
import { showState } from "../../../client/web/page_state.ts";
import type { DeviceKey } from "../../../shared/crypto/device_key.ts";
import { eventOf, FakeSession, membersOf, startChat } from "../../helpers/fakes/chat_fakes.ts";
import { FakePageView } from "../../helpers/fakes/fake_page_view.ts";
import {
  BOB,
  BOB_CLIENT,
  knowing,
  MALLORY,
  proofOf,
  SERVER,
} from "../../helpers/fakes/known_bob.ts";

/** Alice, who knows bob, beside carol and somebody who is called bob and shows that key. */
async function besideBob(key: DeviceKey) {
  const session = new FakeSession({ fingerprint: SERVER });
  const { chat } = await startChat([session], {
    people: { device: undefined, known: knowing(BOB) },
    alarms: "hold",
  });
  await session.deliver(membersOf("bob", "carol"));
  await session.deliver(proofOf(key, session));
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
