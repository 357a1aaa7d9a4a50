// Warnings that members of a room can cause: who is named, and how often they come.

import assert from "node:assert/strict";
import type { SealedRoomEvent } from "../../../client/sealed_engine/engine_protocol.ts";
import { MemberFaults } from "../../../client/sealed_engine/warnings.ts";
import { identityFor } from "../../helpers/peers/sealed_group.ts";
import type { Peer } from "../../helpers/peers/sealed_relay.ts";
import { roomOf } from "../../helpers/peers/sealed_room_stories.ts";

const warnings = (peer: Peer) =>
  peer.told("note").flatMap(({ level, text }) => level === "warning" ? [text] : []);

Deno.test("a member whose messages nobody can read is named, as the server says it, once a minute", async () => {
  const { relay, peers: [alice, bob, carol] } = await roomOf("alice", "bob", "carol");
  const take = relay.take.bind(relay);
  relay.take = (peer, request) => {
    if (peer !== carol || request.kind !== "sealed_app") return take(peer, request);
    take(peer, { ...request, body: request.body.map((byte, at) => at === 60 ? byte ^ 1 : byte) });
  };
  // Who reads most of the others is not in the wrong part of the room.
  await alice!.say("we hear each other");
  await bob!.say("we do");
  for (let n = 0; n < 20; n++) await carol!.say("garbage to the others");
  const unread = "A message of this room could not be read. The server says that carol sent it.";
  assert.deepEqual(warnings(alice!), [unread]);
  await relay.advance(61);
  await carol!.say("more of it");
  for (const peer of [alice!, bob!]) {
    const [first, again = "", ...others] = warnings(peer);
    assert.deepEqual([first, others], [unread, []]);
    // What does not come back to carol as she sent it, her client says again, too.
    assert.match(again, /carol sent it\. \(\d+ more since the last warning\.\)$/);
  }
});

Deno.test("faults of one member neither hide another's nor another fault, and few are remembered", () => {
  let now = 0;
  const told: Extract<SealedRoomEvent, { kind: "note" }>[] = [];
  const faults = new MemberFaults({
    now: () => now,
    tell: (event) => void (event.kind === "note" && told.push(event)),
  });
  const person = (name: string) => {
    const { me, signature } = identityFor(name);
    return { ...me, leaf: 0, signatureKey: signature.publicKey };
  };
  const [bob, jane] = [person("bob"), person("jane doe")];
  for (let n = 0; n < 5; n++) {
    faults.of(bob, " offers an impossible file.");
    faults.of(jane, " offers an impossible file.");
    faults.of(bob, " sent you something unreadable.");
    faults.saidToBe(undefined, "A message of this room could not be read.");
  }
  assert.deepEqual(told.map(({ text, of }) => [text, of]), [
    ["bob offers an impossible file.", "bob"],
    ['"jane doe" offers an impossible file.', "jane doe"],
    ["bob sent you something unreadable.", "bob"],
    // The server alone says whose it is: that is not enough to hide it with whom the user ignores.
    ["A message of this room could not be read.", undefined],
  ]);
  now += 60_000;
  faults.of(bob, " offers an impossible file.");
  assert.equal(
    told.at(-1)?.text,
    "bob offers an impossible file. (4 more since the last warning.)",
  );
  for (let n = 0; n < 2_000; n++) faults.of(person(`m${n}`), " offers an impossible file.");
  told.length = 0;
  faults.of(bob, " offers an impossible file.");
  assert.equal(told.length, 1, "the oldest are forgotten");
});

Deno.test("a relay that brings nothing back is told of once, until something comes back", async () => {
  const { relay, peers: [alice, bob] } = await roomOf("alice", "bob");
  relay.meddle = (frame, to) => to === bob ? undefined : frame;
  await bob!.say("are you there?");
  await relay.advance(65);
  const late = "What you said has not come back from the server; it is sent again.";
  assert.deepEqual(warnings(bob!), [late]);
  relay.meddle = (frame) => frame;
  await relay.advance(30);
  assert.deepEqual(bob!.texts, ["bob: are you there?"]);
  assert.deepEqual(alice!.texts, ["bob: are you there?"]);
  relay.meddle = (frame, to) => to === bob ? undefined : frame;
  await bob!.say("and now?");
  await relay.advance(25);
  assert.deepEqual(warnings(bob!).filter((text) => text === late), [late, late]);
});

Deno.test("a relay cannot say of a message that it is of another day than it was heard on", async () => {
  const { relay, peers: [alice, bob] } = await roomOf("alice", "bob");
  const now = () => 1_700_000_000_000 + relay.now;
  const timeOfLast = () => alice!.told("text").at(-1)?.time ?? 0;
  let off = 0;
  relay.meddle = (frame) => ({ ...frame, time: frame.time + off });
  // A clock that is some minutes off is nobody's fault.
  for (off of [-240_000, 240_000]) {
    await bob!.say("now");
    assert.equal(timeOfLast(), now() + off);
  }
  for (off of [-86_400_000, 86_400_000, 8e15]) {
    await bob!.say("now");
    assert.equal(timeOfLast(), now());
  }
  off = 0;
  await relay.advance(2);
  await alice!.offline();
  await bob!.say("meanwhile");
  const saidAt = now();
  await relay.advance(1_800);
  // What was missed was said in between, and not before.
  await alice!.online();
  assert.equal(timeOfLast(), saidAt);
  await alice!.offline();
  off = -86_400_000;
  await bob!.say("later");
  await relay.advance(1_800);
  await alice!.online();
  assert.equal(timeOfLast(), now());
});
