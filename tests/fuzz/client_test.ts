// The client's chat under a server that has the keys and says anything: it shows it or ends the session with an error
// of ours, comes back, and never falls. FUZZ_CASES=100000 tries more; SEED=… tries the same again.

import assert from "node:assert/strict";
import fc from "fast-check";
import { SessionV2 } from "../../client/session/session_v2.ts";
import { EVENTS } from "../../shared/messages/messages_v2.ts";
import { encodeEvent } from "../../shared/messages/codec_v2.ts";
import { enteredOf, startChat, turns } from "../helpers/fakes/chat_fakes.ts";
import { casesFor, spoiledMessage } from "../helpers/hostile/hostile_input.ts";
import { seedOfRun } from "../helpers/fakes/random.ts";
import { FakeV2Server, WELCOME } from "../helpers/peers/v2_fake_server.ts";
import { testRsa } from "../helpers/peers/v2_peer.ts";

const ROOM = 3;

Deno.test("whatever a server says, the chat shows it, or ends that session and comes back", async () => {
  const seed = seedOfRun();
  const cases = fc.sample(spoiledMessage(EVENTS), { numRuns: casesFor(0.05), seed: seed | 0 });
  const keyPair = await testRsa();
  let server = new FakeV2Server(WELCOME);
  let sessions = 0;
  const fake = await startChat([], {
    async dial(place) {
      server = new FakeV2Server(WELCOME, enteredOf({ room: ROOM }));
      sessions++;
      return await SessionV2.open(server.connection, {
        keyPair,
        tls: false,
        expected: undefined,
        introduce: () => Promise.resolve({ ...place, token: undefined }),
      });
    },
  });
  let fault: unknown;
  void fake.ended.then((error) => fault = error);
  for (const [n, make] of cases.entries()) {
    const deadline = performance.now() + 20_000;
    while (!fake.chat.connected && performance.now() < deadline) await fake.clock.pass(1_000);
    assert.equal(fake.chat.connected, true, `case ${n}: the chat is back, SEED=${seed}`);
    const requests = n % 3 === 0 ? [fake.chat.say("something of ours")] : [];
    for (const request of requests) request.catch(() => {});
    const body = make({ id: 1 + n % 3, room: ROOM });
    if (body.length > 0) server.push(body);
    await turns();
    assert.equal(fault, undefined, `case ${n}, SEED=${seed}`);
    // Where it took us out of all rooms, the next session brings us back.
    if (fake.chat.rooms.all.length === 0) server.end();
  }
  assert.ok(sessions > 5 && sessions < cases.length, `${sessions} sessions`);
  server.push(encodeEvent({ kind: "notice", room: 0, text: "the last word" }));
  await turns();
  fake.chat.end();
  assert.equal(await fake.ended, undefined);
});
